import { describe, expect, it } from "vitest";
import { canonicalZones, isCanonicalZone, zoneProblem } from "./zone.ts";
import { offsetAt } from "./offsets.ts";

describe("zone names", () => {
  it("[W10] IANA's names are accepted, in the spelling of the runtime and in the one that IANA prefers", () => {
    for (const name of [
      "UTC",
      "Etc/UTC",
      "Asia/Tokyo",
      "Asia/Kolkata",
      "Asia/Calcutta",
      "Europe/Kyiv",
      "America/Argentina/Buenos_Aires",
      "Etc/GMT+5",
    ]) {
      expect(zoneProblem(name), name).toBeUndefined();
    }
  });

  it.each([
    ["europe/london", "write Europe/London"],
    ["asia/kolkata", "write Asia/Kolkata"],
    ["EST", "write America/Panama"],
    ["US/Eastern", "write America/New_York"],
    ["GB", "write Europe/London"],
    ["GMT", "write UTC"],
    ["CET", "write Europe/Brussels"],
    ["Berlin", "write Europe/Berlin"],
    ["new york", "write America/New_York"],
    ["Europe/Lodnon", "write Europe/London"],
    ["+09:00", "is an offset"],
    ["UTC+2", "is an offset"],
    ["local", "write Local"],
    ["", "write an IANA name such as Europe/Berlin, or UTC"],
    ["Mars/Olympus_Mons", "write an IANA name such as Europe/Berlin, or UTC"],
    ["Etc/GMT+13", "is no known time zone"],
  ])("[W10] %j is refused with what to write instead, and never read as UTC", (name, instead) => {
    expect(isCanonicalZone(name)).toBe(false);
    expect(zoneProblem(name)).toContain(instead);
  });

  it("[W2] every accepted name has offsets", () => {
    for (const name of canonicalZones()) expect(Math.abs(offsetAt(name, 0)), name).toBeLessThan(16 * 3_600_000);
    expect(() => offsetAt("Mars/Olympus_Mons", 0)).toThrow(RangeError);
  });
});
