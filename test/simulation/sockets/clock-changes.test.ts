import { describe, expect, it } from "vitest";
import { canonicalZones } from "../../../src/core/time/zone.ts";
import { planned } from "../../scenarios/socket-story.ts";
import { DAY, HOUR, reads, WEEK } from "./slots.ts";
import { SocketNights } from "./socket-nights.ts";

/** Sundays in whose night, somewhere, clocks are set; the two of 2026 on which most are, and one of the south. */
const SUNDAYS = ["2026-03-29", "2026-10-25", "2026-04-05"] as const;

const offsetAt = (zone: string, at: number): number => Date.parse(`${reads(zone, at).replace(" ", "T")}Z`) - at;

/** Zones whose clock is set in that night, and some others beside them. */
function zonesOf(sunday: string): string[] {
  const noon = Date.parse(`${sunday}T12:00:00Z`);
  const zones = canonicalZones();
  const set = zones.filter((zone) => offsetAt(zone, noon - 2 * DAY) !== offsetAt(zone, noon + DAY));
  const others = zones.filter((zone, index) => !set.includes(zone) && index % 40 === 0);
  return [...set.filter((_, index) => index % 2 === 0), ...others];
}

describe("[I3] [I20] [L3] the whole stack, a site in each zone, over a night in which clocks are set", () => {
  it.each(SUNDAYS)("%s: everybody in the first allowed night, nobody outside it", async (sunday) => {
    const zones = zonesOf(sunday);
    const sites = zones.map((zone, index) =>
      planned(`site-${index}`, zone, index % 3 === 0 ? [`S-${index}-1`, `S-${index}-2`] : [`S-${index}-1`]),
    );
    const start = Date.parse(`${sunday}T00:00:00Z`) - 3 * DAY - 2 * HOUR;
    const nights = await SocketNights.begin({ start: new Date(start).toISOString(), sites });
    nights.operator();
    await nights.announce("18.0");
    // Pairs whose night was an hour too short come a week later.
    await nights.story.pass(3 * DAY + WEEK + 18 * HOUR);
    expect(nights.breaches().slice(0, 5)).toEqual([]);
    expect(nights.starved("18.0").slice(0, 5)).toEqual([]);
    expect(Object.values(nights.story.versions()).filter((version) => version !== "18.0")).toEqual([]);
  });
});
