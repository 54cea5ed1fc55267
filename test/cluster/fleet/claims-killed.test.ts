import { afterAll, beforeAll, expect, it } from "vitest";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, UPDATING_TAINT } from "../../../src/api/names.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import { FLEET } from "../../../src/api/resources.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { eventually, firstVersions, IMPATIENT, node, openFleet, QUICK, servedVersions } from "../rolls/pops.ts";
import type { OperatorProcess } from "../rolls/cluster-world.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { type ClaimPlace, ClaimWatch } from "./claim-watch.ts";
import { bothOut, mostOut, type OutFrom, readNodeHistory } from "./label-moves.ts";
import { release, rolloutOf } from "./releases.ts";
import { TunnelReports } from "./tunnel-reports.ts";

const POPS = ["kcl1", "kcl2", "kcl3", "kcl4", "kcl5", "kcl6"] as const;
const NODES = 2;
/** Each PoP shares a site with two others, as on a ring: of any three PoPs at least two are partners, unless they are every other one. */
const PAIRS = POPS.map((pop, index) => [pop, POPS[(index + 1) % POPS.length]!] as const);
/** What the Fleet allows: two PoPs at once, and each PoP one node. */
const BUDGET = { pops: 2, nodes: 2, nodesOfOnePoP: 1 };
/**
 * A claim of a node stands in the PoP's ledger first, and on the node a moment later. The leader dies at one of the two: of each PoP's first
 * node at the ledger, of its second at the node.
 */
const isMoment = (place: ClaimPlace, claim: string): boolean => place === "grant" || (place === "ledger") === claim.includes("-n1 ");
const MOMENTS = POPS.length * (1 + NODES);
const FIRST_SUNDAY = Date.parse("2026-11-22T00:10:00Z");
const LEASE_FLAGS = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"];

describeWithControlPlane("[T3] two operators, and the one that leads is killed at every claim of a release through six PoPs", () => {
  let world: RealWorld;
  let tunnels: TunnelReports;
  let watch: ClaimWatch;
  let since: number;
  /** Those that run, by identity. */
  const running = new Map<string, OperatorProcess>();
  const kills: Record<ClaimPlace, number> = { grant: 0, ledger: 0, node: 0 };
  /** Claims that were seen when their writer was dead already: killed for another one of the same moment. */
  const together: string[] = [];
  let started = 0;

  const start = async () => {
    const identity = `op${++started}`;
    running.set(identity, await world.startOperator([...LEASE_FLAGS, "--identity", identity, "--prometheus-url", tunnels.prometheus.url]));
  };
  const kill = (place: ClaimPlace, claim: string): void => {
    if (!isMoment(place, claim)) return;
    const leader = running.get(watch.leader);
    if (!leader) return void together.push(claim);
    leader.kill("SIGKILL");
    running.delete(watch.leader);
    kills[place] += 1;
    void start();
  };

  beforeAll(async () => {
    world = await RealWorld.start({ start: "2026-11-21T02:00:00Z", pops: Object.fromEntries(POPS.map((pop) => [pop, NODES])) });
    tunnels = await TunnelReports.start();
    await tunnels.dualSites(world, PAIRS);
    await openFleet(world, {
      maxConcurrentPoPs: BUDGET.pops,
      maxConcurrentPerRegion: BUDGET.pops,
      train: { everyWeeks: 2, anchor: "2026-11-22", length: "336h" },
    });
    await start();
    const strategy = { ...QUICK, drain: IMPATIENT.drain };
    await firstVersions(world, Object.fromEntries(POPS.map((pop) => [pop, { strategy }])));
    // From here on rollouts say what runs.
    for (const pop of POPS) await world.editPop(pop, ({ version: _, ...spec }) => spec);
    await tunnels.untilKnown(world, PAIRS);
    await start();
  });
  afterAll(async () => {
    await watch?.stop();
    await world?.stop();
    await tunnels?.stop();
  });

  it("[I8] the release ends as if nobody had been killed: on every node of every PoP, every grant returned, every claim ended", async () => {
    await release(world, "r2", { version: "2.0.0", waves: [{ name: "all", pops: { percent: 100 }, bake: "1s" }] });
    await eventually(
      () => rolloutOf(world, "r2"),
      ({ status }) => expect(status?.assignments?.map(({ order }) => order)).toEqual(POPS.map(() => "Go")),
    );
    since = Date.now();
    watch = await ClaimWatch.start(world, kill);
    await world.calendar.jumpTo(FIRST_SUNDAY);
    await eventually(
      () => rolloutOf(world, "r2"),
      ({ status }) => expect([status?.outcome, status?.numbers?.passed]).toEqual(["Completed", POPS.length]),
      250_000,
    );
    console.info(`killed at ${JSON.stringify(kills)}, ${together.length} claims of the same moments, ${(Date.now() - since) / 1_000} s`);

    expect((await rolloutOf(world, "r2")).status).toMatchObject({ standing: true, numbers: { pops: 6, passed: 6, failed: 0, skipped: 0 } });
    const fleet = await world.cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE);
    expect([fleet?.status?.disruptions, fleet?.status?.waiting]).toEqual([[], []]);
    for (const pop of POPS) {
      const { status } = await world.pop(pop);
      expect([pop, status?.run?.version, status?.run?.state, status?.grant?.state, status?.grant?.id]).toEqual([
        pop,
        "2.0.0",
        "Passed",
        "Returned",
        1,
      ]);
      expect(status?.history?.map(({ version, outcome }) => [version, outcome])).toEqual([["1.0.0", "Promoted"]]);
      expect(status?.nodes?.map(({ step, attempt }) => [step, attempt])).toEqual(Array.from({ length: NODES }, () => ["Done", 1]));
      const served = await servedVersions(world, pop);
      expect(Object.values(served)).toEqual(Array.from({ length: NODES }, () => "2.0.0"));
      for (const name of Object.keys(served)) {
        const { metadata, spec } = await node(world, name);
        expect(metadata.annotations?.[CLAIM_ANNOTATION]).toMatch(new RegExp(`^${RELEASED_PREFIX}`));
        expect(spec?.taints?.some((taint) => taint.key === UPDATING_TAINT) ?? false).toBe(false);
      }
    }
  }, 300_000);

  it("the leader was killed at claims of each place: at the Fleet's grant, in the PoP's ledger, on the node", () => {
    // One kill may stand for two claims of the same moment.
    expect(kills.grant + kills.ledger + kills.node + together.length).toBe(MOMENTS);
    expect(Math.min(kills.grant, kills.ledger, kills.node)).toBeGreaterThanOrEqual(POPS.length / 2);
  });

  it.each<OutFrom>(["claim", "label"])(
    "[I2] [F3] by the audit log, counted from each %s: never two PoPs of one site, never over the fleet's budget",
    (from) => {
      const { takenOut, unclaimed } = readNodeHistory(world.controlPlane.auditLog, since);
      const { pops, nodes, nodesOfOnePoP } = mostOut(takenOut, from);
      const over = { pops: pops > BUDGET.pops, nodes: nodes > BUDGET.nodes, nodesOfOnePoP: nodesOfOnePoP > BUDGET.nodesOfOnePoP };
      expect({ bothOut: bothOut(takenOut, PAIRS, from), over }).toEqual({
        bothOut: [],
        over: { pops: false, nodes: false, nodesOfOnePoP: false },
      });
      expect(takenOut.map((one) => one.node).toSorted()).toEqual(POPS.flatMap((pop) => [`${pop}-n1`, `${pop}-n2`]));
      expect(takenOut.every((one) => one.labelLeftAt !== undefined && one.labelBackAt !== undefined && one.endedAt < Infinity)).toBe(true);
      expect(unclaimed).toEqual([]);
    },
  );

  it("[F3] the budget was used, too: two PoPs had a grant at once, for who always waits breaks no limit", () => {
    // Whether two nodes were out in the same moment is the leaders' deaths' to say: each of them costs the other PoP its turn.
    expect(watch.mostGranted).toBe(BUDGET.pops);
  });
});
