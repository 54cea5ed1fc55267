import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonPatchOperation } from "../../control/ports.ts";
import { applyJsonPatch } from "./json-patch.ts";

const patched = (document: object, ...operations: JsonPatchOperation[]): object => {
  const copy = structuredClone(document);
  applyJsonPatch(copy, operations);
  return copy;
};

describe("[G5a] JSON patches as the API server applies them", () => {
  test("a test for null passes on an absent member, and fails when its parent is absent", () => {
    const document = { metadata: { labels: { a: "b" } } };
    expect(patched(document, { op: "test", path: "/metadata/labels/x", value: null })).toEqual(document);
    expect(patched(document, { op: "test", path: "/metadata/annotations", value: null })).toEqual(document);
    expect(() => patched(document, { op: "test", path: "/metadata/annotations/x", value: null })).toThrow("its parent is not there");
  });

  test("a test compares whole values: order of members does not count, order and length of lists do", () => {
    const document = { taints: [{ key: "a", effect: "NoSchedule" }, { key: "b" }] };
    const same = [{ effect: "NoSchedule", key: "a" }, { key: "b" }];
    expect(patched(document, { op: "test", path: "/taints", value: same })).toEqual(document);
    for (const value of [same.toReversed(), same.slice(1), { 0: same[0], 1: same[1] }, "a", null]) {
      expect(() => patched(document, { op: "test", path: "/taints", value })).toThrow("another value");
    }
  });

  test("~01 is a tilde and a one, not a slash", () => {
    expect(patched({ "~1": 1, "/": 2 }, { op: "replace", path: "/~01", value: 3 })).toEqual({ "~1": 3, "/": 2 });
    expect(patched({ "~1": 1, "/": 2 }, { op: "replace", path: "/~1", value: 3 })).toEqual({ "~1": 1, "/": 3 });
  });

  test("lists: append, insert, replace, remove; -1 is the last, past the end is an error", () => {
    const document = { list: ["a", "b"] };
    expect(patched(document, { op: "add", path: "/list/-", value: "c" })).toEqual({ list: ["a", "b", "c"] });
    expect(patched(document, { op: "add", path: "/list/2", value: "c" })).toEqual({ list: ["a", "b", "c"] });
    expect(patched(document, { op: "add", path: "/list/0", value: "c" })).toEqual({ list: ["c", "a", "b"] });
    expect(patched(document, { op: "remove", path: "/list/-1" })).toEqual({ list: ["a"] });
    expect(patched(document, { op: "replace", path: "/list/1", value: "c" })).toEqual({ list: ["a", "c"] });
    for (const path of ["/list/2", "/list/-3", "/list/x", "/list/-", "/list/1.0"]) {
      expect(() => patched(document, { op: "remove", path })).toThrow("the list has 2 items");
    }
  });

  test("replace of an absent member adds it, remove of one is an error, and text has no members", () => {
    expect(patched({}, { op: "replace", path: "/a", value: 1 })).toEqual({ a: 1 });
    expect(() => patched({}, { op: "remove", path: "/a" })).toThrow("it is not there");
    expect(() => patched({ a: "text" }, { op: "add", path: "/a/0", value: 1 })).toThrow("its parent is not there");
    expect(() => patched({}, { op: "remove", path: "/toString" })).toThrow("it is not there");
  });

  test("a value that was added is a copy: the caller's object is never part of the document", () => {
    const value = { deep: { list: [1] } };
    const document = patched({}, { op: "add", path: "/a", value }) as { a: typeof value };
    value.deep.list.push(2);
    expect(document.a.deep.list).toEqual([1]);
  });

  test("add then test finds what was added, remove then test for null finds nothing, for any key and value", () => {
    const escape = (key: string) => key.replaceAll("~", "~0").replaceAll("/", "~1");
    const key = fc.string().filter((each) => each !== "__proto__");
    fc.assert(
      fc.property(
        key,
        fc.jsonValue().filter((value) => value !== null),
        (name, value) => {
          const path = `/map/${escape(name)}`;
          const wire = JSON.parse(JSON.stringify(value)) as unknown;
          const added = patched({ map: {} }, { op: "add", path, value: wire }, { op: "test", path, value: wire });
          expect(patched(added, { op: "remove", path }, { op: "test", path, value: null })).toEqual({ map: {} });
        },
      ),
    );
  });
});
