import { describe, expect, it } from "vitest";
import { socketSiteSpec } from "../../api/socket-site.ts";
import { rolloutView } from "../socket/rollout-view.examples.ts";
import { HOUR, WEEK } from "../time/civil.ts";
import { localTimeAt } from "../time/offsets.ts";
import { canonicalZones } from "../time/zone.ts";
import { stableFraction } from "../window/spread.ts";
import { decide } from "./decide.ts";
import { berlin, device, inventoryOf } from "./socket-site.examples.ts";

const FIRST = Date.parse("2024-01-01T00:00:00Z");
const WEEKS = 5 * 53;
/** Every twentieth zone, and those with the oddest clocks: the others are run in the simulation suite. */
const ODD = [
  "Europe/London",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Africa/Casablanca",
  "Pacific/Apia",
  "America/Santiago",
];
const ZONES = canonicalZones().filter((zone) => ODD.includes(zone) || stableFraction(zone) < 0.05);

describe("planned starts", () => {
  it.each(ZONES)(
    "[I20] %s, five years of Sundays from 01:00 on: inside the slot, after the whole notice, none twice and none lost",
    (timeZone) => {
      const { site, window } = berlin();
      const spec = socketSiteSpec.parse({ timeZone, sockets: [{ serial: "S-2001", role: "Primary" }] });
      const starts = new Set<number>();
      let last = -Infinity;
      for (let week = 0; week < WEEKS; week += 1) {
        const announced = FIRST + week * WEEK + Math.floor(stableFraction(`${timeZone}${week}`) * WEEK);
        const instant = new Date(announced).toISOString();
        const rollout = rolloutView({
          announcedAt: announced,
          seenAt: announced,
          ramp: { step: 0, percent: 100, opened: [{ percent: 100, at: instant }] },
        });
        const seen = berlin({
          site: { ...site, spec },
          window: window!,
          rollouts: [rollout],
          inventory: inventoryOf([device("S-2001")]),
          watchingSince: 0,
        });
        const { upgrade } = decide(seen, announced).status!;
        const [opens, own, closes] = [upgrade!.window!.start, upgrade!.start!, upgrade!.window!.end].map((text) => Date.parse(text)) as [
          number,
          number,
          number,
        ];
        expect(opens - announced).toBeGreaterThanOrEqual(48 * HOUR);
        // Never more than a week later than needed; a clock that was set forward makes a week an hour or so longer.
        expect(opens - announced).toBeLessThanOrEqual(48 * HOUR + WEEK + 2 * HOUR);
        expect(own >= opens && own < closes).toBe(true);
        const clock = new Date(localTimeAt(timeZone, own));
        expect([clock.getUTCDay(), clock.getUTCHours() >= 1 && clock.getUTCHours() < 3]).toEqual([0, true]);
        if (last !== -Infinity) expect(opens === last || opens - last > 6 * 24 * HOUR).toBe(true);
        last = opens;
        starts.add(opens);
      }
      expect(starts.size).toBeGreaterThan(WEEKS * 0.6);
    },
  );
});
