import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant, parseInstant } from "./instant.ts";

describe("instants", () => {
  it("reads RFC 3339 with any offset, seconds left out or not, and writes UTC in whole seconds", () => {
    expect(formatInstant(parseInstant("2023-03-03T18:00+09:00")!)).toBe("2023-03-03T09:00:00Z");
    expect(formatInstant(parseInstant("2023-03-03T00:00Z")!)).toBe("2023-03-03T00:00:00Z");
    expect(formatInstant(parseInstant("2023-03-03T00:00:59.999-03:30")!)).toBe("2023-03-03T03:30:59Z");
    expect(formatInstant(-1)).toBe("1969-12-31T23:59:59Z");
  });

  it("is as Date on all that both read", () => {
    const dates = fc.date({ min: new Date("0001-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59Z"), noInvalidDate: true });
    fc.assert(fc.property(dates, (date) => parseInstant(date.toISOString()) === date.getTime()));
    fc.assert(fc.property(dates, (date) => formatInstant(date.getTime()) === date.toISOString().replace(/\.\d+Z$/, "Z")));
  });

  it("refuses an instant without an offset: it would mean something else on every machine", () => {
    for (const text of [
      "2023-03-03T18:00",
      "2023-03-03",
      "2023-02-30T00:00Z",
      "2023-03-03T24:00Z",
      "now",
      "2023-03-03 18:00Z",
      "2023-03-03T18:00+9",
    ]) {
      expect(parseInstant(text), text).toBeUndefined();
    }
  });
});
