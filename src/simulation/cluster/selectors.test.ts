import { describe, expect, test } from "vitest";
import { matchesSelector, parseFieldSelector, parseLabelSelector } from "./selectors.ts";

const labels = { pop: "fra1", tier: "2", empty: "" };

describe("selectors", () => {
  test.each([
    ["", true],
    ["pop=fra1", true],
    ["pop==fra1", true],
    ["pop!=fra1", false],
    ["absent!=x", true],
    ["pop in (a, fra1)", true],
    ["pop notin (a,b)", true],
    ["absent notin (a)", true],
    ["pop", true],
    ["!pop", false],
    ["!absent", true],
    ["empty=", true],
    ["empty", true],
    ["pop=fra1,tier in (1,2),!absent", true],
    ["pop=fra1,tier=1", false],
  ])("%j on pop=fra1, tier=2, empty= is %s", (selector, expected) => {
    expect(parseLabelSelector(selector)(labels)).toBe(expected);
  });

  test("an object without labels has none of them", () => {
    expect(["!pop", "pop", "pop!=a", "pop in ()"].map((selector) => parseLabelSelector(selector)(undefined))).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });

  test("labels that an object inherits in JavaScript are none of its own", () => {
    expect(parseLabelSelector("constructor")({})).toBe(false);
  });

  test("what is no selector is a 400 that says what to write", () => {
    for (const text of ["pop in fra1", "pop=(x)", "=x", "a b"]) expect(() => parseLabelSelector(text)).toThrow(/write key=value/);
    expect(() => parseFieldSelector("spec.x=1", { "metadata.name": () => "" })).toThrow(/selected by metadata.name/);
  });

  test("the selector of an object: empty matches everything, absent nothing", () => {
    expect([matchesSelector({}, labels), matchesSelector(undefined, labels)]).toEqual([true, false]);
    const both = { matchLabels: { pop: "fra1" }, matchExpressions: [{ key: "absent", operator: "DoesNotExist" as const }] };
    expect([matchesSelector(both, labels), matchesSelector(both, { ...labels, absent: "x" })]).toEqual([true, false]);
  });
});
