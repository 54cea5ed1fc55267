import { describe, expect, it } from "vitest";
import { FLEET_POPS, REGIONS } from "./cast.ts";
import { clockReads, isInSundayWindow } from "./wall-clock.ts";

describe("the clocks on the wall of the second act", () => {
  it.each([
    ["Pacific/Auckland", "2026-11-21T11:59:59Z", false],
    ["Pacific/Auckland", "2026-11-21T12:00:00Z", true],
    ["Asia/Kolkata", "2026-11-21T19:30:00Z", true],
    ["America/Los_Angeles", "2026-11-22T12:55:00Z", true],
    ["America/Los_Angeles", "2026-11-22T12:55:01Z", false],
    ["Europe/Berlin", "2026-11-23T01:00:00Z", false],
  ])("[W4] in %s at %s: inside Sunday 01:00 to the last start at 04:55 is %s", (zone, at, inside) => {
    expect(isInSundayWindow(zone, Date.parse(at)), clockReads(zone, Date.parse(at))).toBe(inside);
  });

  it("are those of forty PoPs in ten regions, each of them with a zone that the machine knows", () => {
    expect([FLEET_POPS.length, REGIONS.length, new Set(FLEET_POPS.map(({ name }) => name)).size]).toEqual([40, 10, 40]);
    for (const { zone } of FLEET_POPS) expect(clockReads(zone, 0)).toMatch(/^19(70-01-01|69-12-31) /);
  });
});
