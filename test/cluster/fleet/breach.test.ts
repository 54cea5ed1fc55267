import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fleet, WaitingForGrant } from "../../../src/api/fleet.ts";
import { FLEET } from "../../../src/api/resources.ts";
import { DRAIN, FLEET_NAMESPACE, type PopOptions } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import {
  eventually,
  firstVersions,
  openFleet,
  passed,
  QUICK,
  rolledBack,
  servedVersions,
  setVersion,
  SHORT_DRAIN,
  SUNDAY,
} from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import { SessionLoadProcess } from "../rolls/session-record.ts";
import { bothOut, readNodeHistory, type TakenOut } from "./label-moves.ts";
import { TunnelReports } from "./tunnel-reports.ts";

const DRAINING = ["brc1", "brc2"] as const;
const CHANGED = ["brc3", "brc4"] as const;
const POPS = [...DRAINING, ...CHANGED];

const READY = { name: "ready", http: { port: 8080, path: "/healthz" }, failures: 2, interval: "1s", timeout: "1s" };

/** The line of the PoP, as its Prometheus tells of it: what turns bad on a version that had passed. */
const watched = (pop: string): PopOptions => ({
  health: {
    pop: [
      { name: "line", prometheus: { query: `line_bad{pop="${pop}"}`, passIf: "== 0" }, successes: 2, failures: 2, interval: "1s" },
      { name: "reconnect", reconnect: { histogram: "pop_session_reconnect_seconds" } },
    ],
  },
  strategy: { ...QUICK, drain: SHORT_DRAIN },
});

describeWithControlPlane("[T3] a PoP breaches while the other PoP of its sites is in mid-roll", () => {
  let world: RealWorld;
  let tunnels: TunnelReports;
  let load: SessionLoadProcess;
  let since: number;

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: Object.fromEntries(POPS.map((pop) => [pop, 2])) });
    tunnels = await TunnelReports.start();
    for (const pop of [DRAINING[0], CHANGED[0]]) tunnels.line(pop, "good");
    await tunnels.dualSites(world, [DRAINING, CHANGED]);
    await openFleet(world);
    await world.startOperator(["--prometheus-url", tunnels.prometheus.url]);
    await firstVersions(world, {
      [DRAINING[0]]: watched(DRAINING[0]),
      // It keeps its sessions until the time of the drain is over: for so long its node only drains.
      [DRAINING[1]]: { version: "1.0.0-ignores-drain", strategy: { ...QUICK, drain: { ...DRAIN, lease: "10s", timeout: "20s" } } },
      [CHANGED[0]]: watched(CHANGED[0]),
      // Its node is on the new version for longer than a busy machine needs to see that the line of the other is bad.
      [CHANGED[1]]: { health: { node: [{ ...READY, successes: 10 }] }, strategy: { ...QUICK, drain: SHORT_DRAIN } },
    });
    await tunnels.untilKnown(world, [DRAINING, CHANGED]);
    load = await SessionLoadProcess.start(world, DRAINING[1], 20);
    since = Date.now();
  });
  afterAll(async () => {
    await load?.end();
    await world?.stop();
    await tunnels?.stop();
  });

  /** 2.0.0 has passed on the first, and a node of the second stands at the step; then the line of the first turns bad. */
  async function breachAt(step: "Claimed" | "Updating", [first, second]: readonly [string, string], version: string): Promise<string> {
    await setVersion(world, first, "2.0.0");
    await world.until(first, "2.0.0 on all nodes", passed("2.0.0"));
    await setVersion(world, second, version);
    const standing = await world.until(second, step, ({ nodes }) => (nodes ?? []).some((entry) => entry.step === step));
    tunnels.line(first, "bad");
    return standing.status!.nodes!.find((entry) => entry.step === step)!.name;
  }
  async function back(first: string): Promise<void> {
    await world.until(first, "the rollback", rolledBack("2.0.0"), 90_000);
    expect(Object.values(await servedVersions(world, first))).toEqual(["1.0.0", "1.0.0"]);
  }
  /** The line is bad until the version was accused: the version before has to stand on it again. */
  async function accused(first: string): Promise<void> {
    const { status } = await world.until(first, "the verdict", ({ revisions }) => (revisions?.failed ?? []).length > 0);
    expect(status?.revisions?.failed?.[0]?.evidence).toContain("line: ");
    tunnels.line(first, "good");
  }
  const waitingOf = async (pop: string): Promise<WaitingForGrant | undefined> =>
    (await world.cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE))?.status?.waiting?.find((entry) => entry.pop === pop);
  const entryOf = async (pop: string, node: string) => (await world.pop(pop)).status?.nodes?.find(({ name }) => name === node);

  /** What the audit log says of a pair since its PoPs had their first versions, oldest first; never were both out. */
  function historyOf(pair: readonly [string, string]): readonly TakenOut[] {
    const { takenOut, unclaimed } = readNodeHistory(world.controlPlane.auditLog, since);
    const mine = takenOut.filter(({ pop }) => pair.includes(pop));
    expect(unclaimed).toEqual([]);
    expect(bothOut(mine, [pair], "claim")).toEqual([]);
    expect(mine.filter(({ endedAt }) => endedAt === Infinity)).toEqual([]);
    return mine;
  }

  describe.concurrent("at two pairs", () => {
    it("[F10] [G13] the node of its partner that only drains is given back, then it goes back, then the partner goes on", async () => {
      const [first, second] = DRAINING;
      const node = await breachAt("Claimed", DRAINING, "2.0.0");
      await eventually(
        () => entryOf(second, node),
        (entry) =>
          expect(entry).toMatchObject({
            step: "Pending",
            message: expect.stringMatching(
              /^given back: PoP brc1, with which it shares 1 site that has two tunnels, has to roll back and waits/,
            ),
          }),
        30_000,
      );
      await accused(first);
      await back(first);
      await world.until(second, "2.0.0 on all nodes", passed("2.0.0"), 120_000);

      const history = historyOf(DRAINING);
      expect(history.map(({ pop }) => pop)).toEqual([first, first, second, first, first, second, second]);
      // Its label never moved while it was given back.
      expect(history.map(({ labelLeftAt }) => labelLeftAt !== undefined)).toEqual([true, true, false, true, true, true, true]);
      expect(history[2]!.node).toBe(node);
    });

    it("[F10] [G13] the node of its partner whose label has left is finished first, then it goes back, then the partner goes on", async () => {
      const [first, second] = CHANGED;
      const node = await breachAt("Updating", CHANGED, "2.0.0-slow");
      await eventually(
        () => waitingOf(first),
        (waiting) => expect(waiting).toMatchObject({ kind: "Rollback", reason: "PartnerDisrupted", partners: [second] }),
        30_000,
      );
      expect(await entryOf(second, node)).toMatchObject({ step: "Updating", attempt: 1 });
      await accused(first);
      await back(first);
      await world.until(second, "2.0.0-slow on all nodes", passed("2.0.0-slow"), 120_000);

      const history = historyOf(CHANGED);
      expect(history.map(({ pop }) => pop)).toEqual([first, first, second, first, first, second]);
      expect(history[2]!.node).toBe(node);
      expect(history.every(({ labelLeftAt, labelBackAt }) => labelLeftAt !== undefined && labelBackAt !== undefined)).toBe(true);
      expect((await world.pop(second)).status?.nodes?.map(({ step, attempt }) => [step, attempt])).toEqual([
        ["Done", 1],
        ["Done", 1],
      ]);
    });
  });
});
