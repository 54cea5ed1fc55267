import { describe, expect, it } from "vitest";
import { foresee, modelOf } from "./foresee.ts";
import { example, fleetObject, popObject, rolloutObject, windowObject, worldwide } from "./foresight.examples.ts";
import type { FleetForecast } from "./types.ts";

const TWO_WAVES = {
  waves: [
    { name: "canary", pops: { count: 1 }, bake: "4h" },
    { name: "rest", pops: { percent: 100 }, bake: "24h" },
  ],
  stages: [],
};
const only = ({ rollouts }: FleetForecast) => rollouts[0]!;
const said = ({ conflicts }: FleetForecast, kind: string) =>
  conflicts.filter((one) => one.kind === kind).map(({ severity, message }) => `${severity}: ${message}`);

describe("[F7] what keeps PoPs is named", () => {
  const rollouts = [rolloutObject(TWO_WAVES)];

  it("[F7] [W10] a window that does not exist and a zone that is none, before anything else, each with its PoP", () => {
    const pops = [popObject("fra1"), popObject("ber1", { timeZone: "Europe/Berlni" }), popObject("nyc1", { window: "pop-sonday" })];
    const forecast = foresee(example({ pops, rollouts }));
    expect(said(forecast, "Window")).toEqual([]);
    expect(said(forecast, "Invalid")).toEqual([
      'Conflict: PoP ber1: spec.timeZone: "Europe/Berlni" is no known time zone; write Europe/Berlin; nothing starts until it is corrected',
      "Conflict: PoP nyc1: spec.windowRef: MaintenanceWindow pop-sonday does not exist in namespace fleet; create it or name another",
    ]);
    expect(only(forecast).pops.find(({ pop }) => pop === "nyc1")!.why).toContain("MaintenanceWindow pop-sonday does not exist");
  });

  it("[F7] [W10] a freeze of the Fleet in a zone that is none is what is wrong, and no window is blamed, however short the look is", () => {
    const fleet = fleetObject({
      freezes: [
        { name: "sale", from: "2026-11-22", to: "2026-11-22" },
        { name: "peak", from: "2026-11-28", to: "2026-11-30", timeZone: "Mars/Base" },
      ],
    });
    for (const until of [undefined, Date.UTC(2026, 10, 14)]) {
      const forecast = foresee(example({ pops: worldwide(4), rollouts, fleet, ...(until === undefined ? {} : { until }) }));
      expect([forecast.complete, forecast.fits]).toEqual([true, false]);
      expect(said(forecast, "Window")).toEqual([]);
      expect(said(forecast, "Invalid")).toEqual([
        expect.stringMatching(
          /^Conflict: Fleet fleet: spec\.freezes\[1\]\.timeZone: "Mars\/Base" is no known time zone; write .* Nothing rolls/,
        ),
      ]);
      expect(only(forecast).message).toMatch(
        /^does not fit two Sundays by 4 PoPs \(by region: .*\): Fleet fleet: spec\.freezes\[1\]\.timeZone/,
      );
    }
  });

  it("[F7] [W8] windows of other PoPs are not blamed: one that occurs every two weeks is named where it is theirs alone", () => {
    const rare = windowObject(
      { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }], everyWeeks: 2, anchor: "2026-11-22" } },
      "rare",
    );
    const fleet = fleetObject({ freezes: [{ name: "peak", from: "2026-11-21", to: "2026-11-30" }] });
    const forecast = foresee(example({ pops: [popObject("fra1")], windows: [windowObject(), rare], rollouts, fleet }));
    expect(JSON.stringify(forecast)).not.toContain("rare");
  });

  it("[F7] [F6] a rollout that comes too late because it waited for another says for which, and how long", () => {
    const slow = { ...TWO_WAVES, waves: [TWO_WAVES.waves[0], { name: "rest", pops: { percent: 100 }, bake: "240h" }] };
    const both = [rolloutObject(slow, "r-1"), rolloutObject({ ...TWO_WAVES, version: "2026.11.3" }, "r-2")];
    const forecast = foresee(example({ pops: [popObject("fra1"), popObject("ams1")], rollouts: both }));
    expect(forecast.rollouts.map(({ fits }) => fits)).toEqual([true, false]);
    expect(said(forecast, "Waiting")).toEqual([
      expect.stringMatching(
        /^Conflict: PoP ams1, fra1: PoPRollout r-1 \(2026\.11\.2\) was under way until 2026-12-0\dT.*, and two rollouts never interleave$/,
      ),
    ]);
  });

  it("[F7] [F6] PoPs that an emergency in mid-release has taken are told by it, not by that they had not begun when the train was over", () => {
    const before = example({ pops: worldwide(8), rollouts });
    const now = Date.UTC(2026, 10, 21, 10);
    const { model } = modelOf(before, now);
    const emergency = rolloutObject(
      { ...TWO_WAVES, version: "2026.11.1.1", from: "2026.11.1", class: "Emergency", reason: "cve", startNotBefore: undefined },
      "em-1",
    );
    const created = { ...emergency, metadata: { ...emergency.metadata, creationTimestamp: "2026-11-21T10:00:00Z" } };
    const forecast = foresee({
      ...before,
      now,
      pops: [...model.pops.values()].map(({ pop }) => pop),
      fleet: model.fleet!,
      rollouts: [...model.rollouts.values(), created],
    });
    const taken = "PoPRollout em-1 is newer and assigns it 2026.11.1.1";
    expect(said(forecast, "Waiting")).toEqual([
      expect.stringMatching(new RegExp(`^Conflict: PoP p00.*: ${taken.replaceAll(".", "\\.")}$`)),
    ]);
    expect(said(forecast, "Window").filter((one) => one.startsWith("Conflict"))).toEqual([]);
    expect([...new Set(only(forecast).pops.flatMap(({ why }) => why ?? []))]).toEqual([taken]);
  });

  it("[F7] [V3] what PoPs come to run only by then is told so, and what they run now as it is", () => {
    const emergency = rolloutObject(
      { ...TWO_WAVES, version: "2026.11.1.1", from: "2026.11.1", class: "Emergency", reason: "cve", startNotBefore: undefined },
      "em-1",
    );
    const release = rolloutObject({ ...TWO_WAVES, from: "2026.11.1" }, "r-frm");
    const pops = [popObject("fra1"), popObject("ams1"), popObject("old1", { version: "2025.1" })];
    const forecast = foresee(example({ now: Date.UTC(2026, 10, 21, 20), pops, rollouts: [release, emergency] }));
    expect(only(forecast).leftOut.map(({ message }) => message)).toEqual([
      "PoP ams1 would run 2026.11.1.1 by then, and the rollout applies to 2026.11.1",
      "PoP old1 runs 2025.1, and the rollout applies to 2026.11.1",
    ]);
  });

  it("[F7] [F6] of two releases of one second the later one goes second and is not lost", () => {
    const both = [rolloutObject(TWO_WAVES, "r-1"), rolloutObject({ ...TWO_WAVES, version: "2026.11.3" }, "r-2")];
    for (const rollout of both) rollout.spec.waves[0]!.bake = "0s";
    const forecast = foresee(example({ pops: [popObject("fra1"), popObject("ams1")], rollouts: both }));
    expect(forecast.rollouts.map(({ dates }) => dates.map(({ date }) => date))).toEqual([["2026-11-22"], ["2026-11-29"]]);
  });

  it.each([
    [
      "an older version",
      { version: "2026.10.1" },
      /^reaches no PoP: PoP ams1 runs 2026\.11\.1, and nothing goes to an older version .*; PoP fra1 runs/,
    ],
    [
      "a `from` that nobody runs",
      { from: "2025.x" },
      /^reaches no PoP: PoP ams1 runs 2026\.11\.1, and the rollout applies to 2025\.x; PoP fra1 runs/,
    ],
    [
      "an emergency before its Approval",
      { from: "2025.x", class: "Emergency", reason: "cve", startNotBefore: undefined },
      /^reaches no PoP: PoP ams1 runs 2026\.11\.1, and the rollout applies to 2025\.x; PoP fra1 runs/,
    ],
  ])("[F7] [V3] %s reaches nobody, and says of every PoP why", (_, spec, sentence) => {
    const forecast = foresee(
      example({ pops: [popObject("fra1"), popObject("ams1")], rollouts: [rolloutObject({ ...TWO_WAVES, ...spec })] }),
    );
    expect(only(forecast).message).toMatch(sentence);
    expect(only(forecast).leftOut.map(({ pop, reason }) => [pop, reason])).toEqual([
      ["ams1", "OtherBase"],
      ["fra1", "OtherBase"],
    ]);
    expect(said(forecast, "OtherBase")[0]).toMatch(/^Conflict: 2 PoPs are left out/);
    expect(forecast.fits).toBe(false);
  });

  it("[F7] [W6] a Sunday that is lost is named with what takes it, and when it would fit; one that is over too", () => {
    const frozen = fleetObject({
      freezes: [
        { name: "peak", from: "2026-11-22", to: "2026-11-23" },
        { name: "sale", from: "2026-11-29", to: "2026-11-29" },
      ],
    });
    const rollouts = [rolloutObject(TWO_WAVES)];
    expect(only(foresee(example({ pops: worldwide(4), rollouts, fleet: frozen, thorough: true }))).message).toMatch(
      /: Sunday 2026-11-22 is lost to freeze peak; Sunday 2026-11-29 is lost to freeze sale; it needs two more dates after its train \(the first 2026-12-06, the last 2026-12-13\) and would be done at 2026-12-1[23]T/,
    );
    // It departed a week ago, and nobody had approved: one Sunday is left, and it is frozen.
    const now = Date.UTC(2026, 10, 24);
    const at = "2026-11-13T12:00:00Z";
    const status = { seenAt: at, startDate: "2026-11-22", endDate: "2026-12-06" };
    const fleet = fleetObject({ freezes: [{ name: "sale", from: "2026-11-28", to: "2026-11-30" }] });
    const late = only(
      foresee(example({ now, pops: [popObject("fra1"), popObject("ams1")], rollouts: [{ ...rollouts[0]!, status }], fleet })),
    );
    expect(late.message).toContain("Sunday 2026-11-22 is lost to the past: its window is over; Sunday 2026-11-29 is lost to freeze sale");
  });
});
