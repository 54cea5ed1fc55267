import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, sameJson } from "./canonical-json.ts";

const value = fc.letrec((tie) => ({
  any: fc.oneof(fc.constantFrom(undefined, null, true, 0, 1, "", "a"), tie("list"), tie("map")),
  list: fc.array(tie("any"), { maxLength: 2 }),
  map: fc.dictionary(fc.constantFrom("a", "b", "c"), tie("any")),
})).any;

describe("sameJson", () => {
  it("says of any two values whether their canonical JSON is the same", () => {
    fc.assert(
      fc.property(value, value, (one, other) => sameJson(one, other) === (canonicalJson(one) === canonicalJson(other))),
      { numRuns: 2_000 },
    );
  });

  it("lets the order of keys and what is undefined count for nothing", () => {
    expect(sameJson({ a: 1, b: [{ c: undefined }] }, { b: [{}], a: 1 })).toBe(true);
    expect(sameJson({ a: null }, {})).toBe(false);
  });
});
