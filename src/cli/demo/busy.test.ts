import { describe, expect, it } from "vitest";
import type { PopCluster, PopClusterStatus } from "../../api/pop-cluster.ts";
import { isBusy, nextStarts } from "./busy.ts";

const NOW = Date.parse("2026-11-29T00:00:00Z");
const LATER = "2026-11-29T01:00:00Z";

const popWith = (status: object, generation = 1): PopCluster =>
  ({
    metadata: { name: "ber1", generation },
    spec: {},
    status: { observedGeneration: 1, ...status } as PopClusterStatus,
  }) as unknown as PopCluster;
const hold = (reason: string, until?: string) => ({ rule: "W4", reason, message: "", ...(until === undefined ? {} : { until }) });
const rolling = { run: { kind: "Roll", state: "Rolling", revision: "b" }, revisions: { wanted: "b", current: "a" } };

describe("the pace of the demo's calendar", () => {
  it.each(["Claimed", "Updating", "Soaking"])("is 1× while a node is %s, whatever else holds", (step) => {
    expect(isBusy(popWith({ ...rolling, nodes: [{ step }], holds: [hold("OutsideWindow", LATER)] }), NOW)).toBe(true);
  });

  it("is 1× while a roll waits for something that no calendar ends, such as a dead node", () => {
    expect(isBusy(popWith({ ...rolling, nodes: [{ step: "Pending" }], holds: [hold("BudgetExhausted")] }), NOW)).toBe(true);
  });

  it("is 1× from a change of the spec until the operator has seen it, and until the version has begun", () => {
    expect(isBusy(popWith({}, 2), NOW)).toBe(true);
    expect(isBusy(popWith({ revisions: { wanted: "b", current: "a" } }), NOW)).toBe(true);
  });

  it("may be fast while a version waits for its window, bakes, is watched, or has failed", () => {
    for (const reason of ["OutsideWindow", "LastStartPassed"])
      expect(isBusy(popWith({ ...rolling, holds: [hold(reason, LATER)] }), NOW)).toBe(false);
    const baking = { ...rolling.run, state: "Baking" };
    expect(isBusy(popWith({ ...rolling, run: baking, holds: [hold("Baking", LATER)] }), NOW)).toBe(false);
    expect(isBusy(popWith({ ...rolling, run: { ...baking, state: "Passed" } }), NOW)).toBe(false);
    expect(isBusy(popWith({ revisions: { wanted: "b", current: "a" }, holds: [hold("FailedBefore")] }), NOW)).toBe(false);
  });

  it("is 1× again when the instant that was waited for has come", () => {
    expect(isBusy(popWith({ ...rolling, holds: [hold("OutsideWindow", LATER)] }), Date.parse(LATER))).toBe(true);
  });

  it("stops before each instant at which a waiting version may start, and not at the end of a bake", () => {
    const pops = [popWith({ holds: [hold("Baking", LATER)] }), popWith({ holds: [hold("RegionBusy"), hold("OutsideWindow", LATER)] })];
    expect(nextStarts(pops, NOW)).toEqual([Date.parse(LATER)]);
    expect(nextStarts(pops, Date.parse(LATER))).toEqual([]);
  });
});
