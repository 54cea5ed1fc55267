import { expect, it } from "vitest";
import { fitsWhenApproved } from "./approved-by.ts";
import { foresee } from "./foresee.ts";
import { example, popObject, rolloutObject } from "./foresight.examples.ts";
import type { FleetForecast } from "./types.ts";

const MINUTE = 60_000;
const only = ({ rollouts }: FleetForecast) => rollouts[0]!;

it("[F8] a yes at the latest minute that is told fits, and one a minute later does not", () => {
  // One PoP of three nodes: 27 minutes of work, the last start of its last node 04:52 on the second Sunday.
  const stages: never[] = [];
  const waves = [
    { name: "canary", pops: { count: 1 }, bake: "4h" },
    { name: "rest", pops: { percent: 100 }, bake: "1h", approval: "Required" },
  ];
  const input = example({
    pops: [popObject("fra1", { nodes: 3 }), popObject("ams1", { nodes: 3 })],
    rollouts: [rolloutObject({ stages, waves })],
    thorough: true,
  });
  const plan = only(foresee(input));
  const [needed] = plan.approvals;
  expect(plan.waves[1]!.opens! < needed!.by!).toBe(true);
  const wave = { rollout: plan.name, uid: plan.uid, wave: "rest", from: Date.parse(needed!.from), endDate: plan.endDate };
  const by = Date.parse(needed!.by!);
  const over = Date.UTC(2026, 11, 7, 12);
  expect([fitsWhenApproved(input, wave, by, over), fitsWhenApproved(input, wave, by + MINUTE, over)]).toEqual([true, false]);
  // The second Sunday, 01:00 to 05:00 in Berlin, is the last one; its three nodes have to be taken up by 04:52.
  expect(needed!.by).toMatch(/^2026-11-29T03:3\d:/);
  // Whoever does not look thoroughly says nothing rather than something that is not so.
  expect(only(foresee({ ...input, thorough: false })).approvals[0]!.by).toBeUndefined();
});
