import { describe, expect, it } from "vitest";
import { canonicalZones } from "../../../src/core/time/zone.ts";
import { breachesOf, starvedBy } from "./judge.ts";
import { liveThrough, weeksOfChange } from "./zone-years.ts";

/**
 * Every zone through two ordinary weeks of 2024 to 2028, and through every other week in which its clock is set: two zones that are set
 * together take turns. ROLLWARD_SOCKET_SUNDAYS=changes plays all of these weeks, ROLLWARD_SOCKET_SUNDAYS=all every week of the five years
 * (about half an hour of one core).
 */
const SUNDAYS = process.env["ROLLWARD_SOCKET_SUNDAYS"];
const ALL = SUNDAYS === "all";
const ORDINARY = [30, 137];
const ZONES = canonicalZones();
const CHUNK = 60;
const chunks = Array.from({ length: Math.ceil(ZONES.length / CHUNK) }, (_, index) => ZONES.slice(index * CHUNK, (index + 1) * CHUNK));

const changesOf = (zone: string): number[] =>
  weeksOfChange(zone).filter((_, nth) => SUNDAYS === "changes" || (nth + ZONES.indexOf(zone)) % 2 === 0);
const weeksOf = (zone: string): number[] => {
  const weeks = ALL ? Array.from({ length: 260 }, (_, week) => week) : [...changesOf(zone), ...ORDINARY];
  return [...new Set(weeks)].toSorted((a, b) => a - b);
};

describe("[I3] [I20] [L3] one site a zone, judged by what its Sockets were told", () => {
  it.each(chunks.map((zones) => [`${zones[0]!} to ${zones.at(-1)!}`, zones] as const))(
    "%s: nothing outside the slot or before 48 hours, nothing twice, and everybody in the first allowed night",
    { timeout: ALL ? 6 * 3_600_000 : 180_000 },
    async (_, zones) => {
      const problems: string[] = [];
      let nights = 0;
      for (const zone of zones) {
        const index = ZONES.indexOf(zone);
        const life = await liveThrough(zone, index % 4 === 0, weeksOf(zone), index);
        const evidence = life.evidence();
        problems.push(...breachesOf(evidence));
        for (const release of evidence.releases)
          problems.push(...starvedBy(evidence, release, life.clock.now()).map(({ sentence }) => sentence));
        nights += evidence.releases.length;
      }
      expect(problems.slice(0, 5).join("\n"), `${problems.length} breaches`).toBe("");
      expect(nights).toBeGreaterThan(zones.length);
    },
  );
});
