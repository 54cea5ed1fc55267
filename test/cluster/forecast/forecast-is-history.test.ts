import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { POP_ROLLOUT } from "../../../src/api/resources.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { eventually } from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import type { SessionLoadProcess } from "../rolls/session-record.ts";
import { beyond } from "./difference.ts";
import { Pacing, type Sight } from "./pacing.ts";
import type { WarmUp } from "./warm-up.ts";
import { fill, Kept, release, rollward, settle, slowDown, type Place } from "./release.ts";

const PLACES: Places = {
  akl1: { region: "oceania", timeZone: "Pacific/Auckland", nodes: 2 },
  sin1: { region: "asia", timeZone: "Asia/Singapore", nodes: 1 },
  dxb1: { region: "gulf", timeZone: "Asia/Dubai", nodes: 1 },
  // One region, one zone, one at a time: they ask in the same second, and a hash says who goes first (rule G7).
  ber1: { region: "eu-central", timeZone: "Europe/Berlin", nodes: 1 },
  fra1: { region: "eu-central", timeZone: "Europe/Berlin", nodes: 2 },
  muc1: { region: "eu-central", timeZone: "Europe/Berlin", nodes: 1 },
  vie1: { region: "eu-central", timeZone: "Europe/Vienna", nodes: 1 },
  nyc1: { region: "us-east", timeZone: "America/New_York", nodes: 1 },
  lax1: { region: "us-west", timeZone: "America/Los_Angeles", nodes: 3 },
};
interface Places {
  readonly [name: string]: Place;
}

/**
 * One operator tick, in seconds of the calendar. The operator polls nothing; the slowest rhythm of its own is a minute of the calendar
 * (sites are read and the forecast is looked at again once a minute), and that is what "the same" can mean to it. The calendar runs at 1×
 * while a node, a grant or a write is under way, so that real seconds are calendar seconds there, and is set forward only over time in
 * which nothing moves. What this machine takes for restarts and writes is therefore in the difference, second by second, and not hidden.
 */
const TICK = 60;

const QUARTER = 15 * 60_000;
/** As status tells an end: whole quarters of an hour (rule G11). */
const toQuarter = (at: number): number => Math.ceil(at / QUARTER) * QUARTER;

const doneOf = (pops: Sight["pops"], name: string, version: string): number => {
  const { run, nodes = [] } = pops.find(({ metadata }) => metadata.name === name)?.status ?? {};
  return run?.version === version ? nodes.filter(({ step, revision }) => step === "Done" && revision === run.revision).length : 0;
};

describeWithControlPlane("[T3] [F7] forecast = history, by an independent hand", () => {
  let world: RealWorld;
  let pacing: Pacing;
  let warmUp: WarmUp | undefined;
  let loads: readonly SessionLoadProcess[] = [];
  const journal = () => join(world.folder, "paces.jsonl");

  beforeAll(async () => {
    world = await RealWorld.start({
      start: "2026-11-21T02:00:00Z",
      pops: Object.fromEntries(Object.entries(PLACES).map(([name, { nodes }]) => [name, nodes])),
      auditStatusesOf: ["fleets", "popclusters", "poprollouts"],
    });
    pacing = new Pacing(world, journal());
    await world.startOperator();
    await settle(world, PLACES, "2026.11.1");
    loads = await fill(world, PLACES);
  }, 180_000);
  afterAll(async () => {
    await Promise.all([warmUp?.end(), ...loads.map((load) => load.end())]);
    await world?.stop();
  });

  const read = async (name: string): Promise<PopRollout> => (await world.cluster.get<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE))!;
  const isOver = (name: string) => (sight: Sight) =>
    sight.rollouts.find(({ metadata }) => metadata.name === name)?.status?.outcome !== undefined;
  const waitsForApproval = (name: string) => (sight: Sight) =>
    sight.rollouts.find(({ metadata }) => metadata.name === name)?.status?.holds?.some(({ reason }) => reason === "AwaitingApproval") ===
    true;

  it("the shipped release over two Sundays: every grant, first node, last node, bake and wave within one operator tick", async () => {
    const name = "r-2026-11-2";
    const kept = new Kept("as-expected");
    const begun = performance.now();
    await release(world, name, {
      waves: [
        { name: "canary", pick: "EarliestWindow", pops: { count: 2 }, bake: "4h" },
        { name: "small", pick: "EarliestWindow", pops: { percent: 50 }, bake: "24h" },
        { name: "rest", pops: { percent: 100 }, bake: "24h", approval: "Required" },
      ] as never,
    });
    const plan = await kept.plan(world);
    console.info(`the plan, before the first window, is ${plan.digest}`);
    const [first] = plan.rollouts[0]!.pops.map(({ start }) => start!).toSorted();
    expect(plan.from < first! && new Date(pacing.now).toISOString() < first!, `${plan.from} is before ${first}`).toBe(true);
    await pacing.passUntil(waitsForApproval(name), "the wait for an Approval");
    await rollward(world, "approve", `popro/${name}`, "--reason", "a quiet week", "--for", "2000h");
    await pacing.passUntil(isOver(name), "the end of the release");
    expect((await read(name)).status?.outcome).toBe("Completed");

    const history = await kept.history(world, journal(), name, "2026.11.2");
    const { table, mismatches, ...difference } = kept.compare(kept.readPlan(), history);
    console.info(`${table}\nkept in ${kept.folder}; ${Math.round((performance.now() - begun) / 1000)} s`);
    expect(mismatches).toEqual([]);
    expect(beyond({ ...difference, mismatches }, TICK), table).toEqual([]);
  }, 300_000);

  it("one PoP's nodes take three times their expected: it alone differs, and the forecast in status has converged by its next node", async () => {
    const name = "r-2026-12-1";
    const slow = "lax1";
    const kept = new Kept("one-slow");
    await Promise.all(loads.map((load) => load.end()));
    loads = await fill(world, PLACES);
    warmUp = await slowDown(world, slow, "2026.12.1");
    pacing.warmAt = (node) => warmUp?.warmAt(node);
    await release(world, name, {
      version: "2026.12.1",
      startNotBefore: "2026-12-06",
      waves: [
        { name: "canary", pick: "EarliestWindow", pops: { count: 1 }, bake: "4h" },
        { name: "rest", pops: { percent: 100 }, bake: "1h" },
      ] as never,
    });
    const plan = await kept.plan(world);
    const endOf = ({ rollouts }: typeof plan) => Date.parse(rollouts[0]!.pops.find(({ pop }) => pop === slow)!.end!);
    const finishAt = async () => Date.parse((await read(name)).status!.forecast!.finishAt!);
    expect(await finishAt(), "it is the last PoP: its end is that of the rollout, told to the quarter of an hour").toBe(
      toQuarter(endOf(plan)),
    );

    const nodesDone = ({ pops }: Sight) => doneOf(pops, slow, "2026.12.1");
    const before = await pacing.passUntil((sight) => nodesDone(sight) === 1, `the first node of ${slow}`);
    // The next node is in its drain. The calendar goes on by a minute and a half, which is when the operator looks ahead again.
    await pacing.jumpTo(pacing.now + 90_000);
    await eventually(finishAt, (at) => expect(at).toBeGreaterThan(toQuarter(endOf(plan)) + QUARTER), 90_000);
    const converged = await finishAt();
    const again = await kept.plan(world, "plan-after-first-node.json");
    const now = await pacing.passUntil(() => true, "");
    expect(nodesDone(before), "before its second node is done").toBe(1);
    expect(nodesDone(now), "before its second node is done").toBe(1);

    await pacing.passUntil(isOver(name), "the end of the release");
    expect((await read(name)).status?.outcome).toBe("Completed");
    const history = await kept.history(world, journal(), name, "2026.12.1");
    const { table, mismatches, ...difference } = kept.compare(kept.readPlan(), history);
    console.info(`${table}\nkept in ${kept.folder}`);
    expect(mismatches).toEqual([]);
    // The comparison fails for it, and for what ends with it.
    expect(beyond({ ...difference, mismatches }, TICK), table).toEqual(["wave rest", slow, "rollout"]);
    const end = Date.parse(history.pops.find(({ pop }) => pop === slow)!.rolled!);
    expect(end - endOf(plan), "by three nodes that each took twelve minutes more").toBeGreaterThan(3 * 12 * 60_000 - TICK * 1_000);
    expect(converged, `${table}\nthe forecast in status after its first node`).toBe(toQuarter(end));
    expect(Math.abs(endOf(again) - end), "rollward plan after its first node").toBeLessThanOrEqual(TICK * 1_000);
  }, 300_000);
});
