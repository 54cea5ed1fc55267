import { describe, expect, it } from "vitest";
import { foresee } from "./foresee.ts";
import { example, popObject, rolloutObject, worldwide } from "./foresight.examples.ts";
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

describe("[F7] a look that ends before the rollouts do", () => {
  const looked = (until?: number) =>
    foresee(example({ pops: worldwide(6), rollouts: [rolloutObject(TWO_WAVES)], ...(until === undefined ? {} : { until }) }));

  it("[F7] says so instead of that it does not fit, under another digest than the whole", () => {
    const whole = looked();
    const short = looked(Date.UTC(2026, 10, 22));
    expect([whole.complete, whole.fits, short.complete, short.fits]).toEqual([true, true, false, false]);
    expect(only(short).message).toMatch(
      /^looked until 2026-11-22T00:00:00Z; the rest is not known: .* PoPs are not done; a later --until says/,
    );
    expect(short.conflicts.filter(({ severity }) => severity === "Conflict")).toEqual([]);
    expect(short.digest).not.toBe(whole.digest);
    expect(looked(Date.UTC(2026, 10, 22)).digest).toBe(short.digest);
    expect(looked(Date.UTC(2026, 10, 23)).digest).not.toBe(short.digest);
    // One that went far enough is the whole, wherever it ended.
    expect(looked(Date.UTC(2026, 11, 10)).digest).toBe(whole.digest);
  });

  it("[F7] [F6] another rollout that is under way when the look ends is a note: it is over some time", () => {
    const both = [rolloutObject(TWO_WAVES, "r-1"), rolloutObject({ ...TWO_WAVES, version: "2026.11.3" }, "r-2")];
    const pops = [popObject("fra1"), popObject("ams1")];
    const short = foresee(example({ pops, rollouts: both, until: Date.UTC(2026, 10, 22, 1) }));
    expect([short.complete, short.fits]).toEqual([false, false]);
    expect(said(short, "Waiting")[0]).toMatch(/^Note: PoPRollout r-1 \(2026\.11\.2\) is under way/);
  });

  it("[F7] what a person has to correct is told however short the look is", () => {
    const pops = [popObject("fra1"), popObject("nyc1", { window: "pop-sonday" })];
    const short = foresee(example({ pops, rollouts: [rolloutObject(TWO_WAVES)], until: Date.UTC(2026, 10, 22) }));
    expect(short.fits).toBe(false);
    expect(said(short, "Invalid").join()).toContain("MaintenanceWindow pop-sonday does not exist");
  });

  it("[F7] one PoP of five with a zone that is none: it is told, and of the other four that they are not known", () => {
    const pops = [...worldwide(4), popObject("sin1", { timeZone: "Asia/Sngapore" })];
    const short = foresee(example({ pops, rollouts: [rolloutObject(TWO_WAVES)], until: Date.UTC(2026, 10, 14) }));
    expect([short.complete, short.fits]).toEqual([false, false]);
    expect(only(short).message).toMatch(
      /^does not fit: PoP sin1: spec\.timeZone: "Asia\/Sngapore" is no known time zone; .*; looked until 2026-11-14T00:00:00Z; the rest is not known: nothing begins by then, 4 PoPs are not done; a later --until/,
    );
    expect(short.conflicts.filter(({ severity }) => severity === "Conflict").map(({ kind, who }) => [kind, who])).toEqual([
      ["Invalid", ["sin1"]],
    ]);
  });

  it("[F7] one of which nothing but a bad PoP is left is known, wherever the look ends", () => {
    const pops = [popObject("sin1", { timeZone: "Asia/Sngapore" })];
    const short = foresee(example({ pops, rollouts: [rolloutObject(TWO_WAVES)], until: Date.UTC(2026, 10, 14) }));
    expect([short.complete, short.fits]).toEqual([true, false]);
  });

  it("[F7] where nobody says how far, the look goes to the end of the train, also when that departs in two months", () => {
    const rollouts = [rolloutObject({ ...TWO_WAVES, startNotBefore: "2027-01-17", waves: [TWO_WAVES.waves[1]] })];
    const plan = foresee(example({ pops: [popObject("fra1")], rollouts }));
    expect([plan.complete, plan.fits, only(plan).finishAt]).toEqual([true, true, "2027-01-17T00:36:00Z"]);
    expect(plan.until > "2027-01-31").toBe(true);
  });
});
