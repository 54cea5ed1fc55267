import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, UPDATING_TAINT } from "../../../src/api/names.ts";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { LEASE } from "../../../src/control/kinds.ts";
import { seededRandom } from "../../../src/simulation/clock.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import type { LineProcess } from "../virtual-nodes/child-process.ts";
import { isNodePatch, operationsOf, operatorWrites, succeeded } from "./audit.ts";
import { firstVersions, mostOut, node, openFleet, QUICK, servedVersions, setVersion, startWatcher, SUNDAY } from "./pops.ts";
import type { OperatorProcess } from "./cluster-world.ts";
import { RealWorld } from "./real-world.ts";

/** `ROLLWARD_MOMENTS` and `ROLLWARD_SEED` play more of them, or the same ones again. */
const MOMENTS = Number(process.env["ROLLWARD_MOMENTS"] ?? 50);
const SEED = Number(process.env["ROLLWARD_SEED"] ?? Math.floor(Math.random() * 1_000_000));
const LEASE_FLAGS = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"];
const POPS = ["kil1", "kil2", "kil3", "kil4"];
const NODES = 3;

/** What a person sets one after the other, for as long as the operator is disturbed; and how each ends undisturbed. */
const isBad = (round: number): boolean => round % 2 === 1;
const versionOf = (round: number): string =>
  `${round + 2}.0.0${isBad(round) ? ["-no-pull", "-crash-loop", "-bad-health"][((round - 1) / 2) % 3] : ""}`;

describeWithControlPlane(`[T3] ${MOMENTS} seeded moments (ROLLWARD_SEED=${SEED}) at which the operator is killed or stopped`, () => {
  const random = seededRandom(SEED);
  let world: RealWorld;
  let watcher: LineProcess;
  /** Those that run, by identity. */
  const running = new Map<string, OperatorProcess>();
  const rounds = new Map(POPS.map((pop) => [pop, 0]));
  let disturbed = true;

  const start = async (identity: string) => void running.set(identity, await world.startOperator([...LEASE_FLAGS, "--identity", identity]));
  const holder = async (): Promise<string> =>
    ((await world.cluster.get(LEASE, "rollward", "fleet")) as { spec?: { holderIdentity?: string } } | undefined)?.spec?.holderIdentity ??
    "";

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: Object.fromEntries(POPS.map((pop) => [pop, NODES])) });
    await openFleet(world);
    await start("a");
    await firstVersions(world, Object.fromEntries(POPS.map((pop) => [pop, { strategy: { ...QUICK, watch: "24h" } }])));
    watcher = await startWatcher(world, POPS);
  });
  afterAll(async () => {
    await watcher?.end();
    await world?.stop();
  });

  const settled = (round: number) => {
    const version = versionOf(round);
    return ({ run, history = [] }: PopClusterStatus): boolean =>
      isBad(round) ? run === undefined && history.at(-1)?.version === version : run?.version === version && run.state === "Passed";
  };

  /** One person for each PoP: sets the next version when the last one has ended, until the disturbance is over and a good one stands. */
  async function roll(pop: string): Promise<void> {
    for (let round = 0; disturbed || isBad(round - 1); round++) {
      await setVersion(world, pop, versionOf(round));
      await world.until(pop, `the end of ${versionOf(round)}`, settled(round), 170_000);
      rounds.set(pop, round + 1);
    }
  }

  /** Kills or stops one operator at a seeded moment; half of the moments with a second operator beside it. */
  async function disturb(moment: number): Promise<string> {
    await sleep(200 + random() * 1_800);
    const leader = await holder();
    const identity = running.has(leader) && random() < 0.8 ? leader : [...running.keys()][Math.floor(random() * running.size)]!;
    const operator = running.get(identity)!;
    if (random() < 0.5) {
      operator.kill("SIGKILL");
      running.delete(identity);
      await start(`${identity.slice(0, 1)}${moment}`);
      return "SIGKILL";
    }
    operator.kill("SIGSTOP");
    // Shorter than the lease, or long enough for the other one to take over.
    await sleep(random() < 0.5 ? 500 + random() * 1_000 : 3_500 + random() * 1_000);
    operator.kill("SIGCONT");
    return "SIGSTOP";
  }

  it("[I8] every roll and rollback ends as if nobody had been disturbed", async () => {
    const done: Record<string, number> = { SIGKILL: 0, SIGSTOP: 0 };
    const rolls = Promise.all(POPS.map(roll));
    rolls.catch(() => undefined);
    for (let moment = 0; moment < MOMENTS; moment++) {
      if (moment === Math.floor(MOMENTS / 2)) await start("b");
      const what = await disturb(moment);
      done[what] = (done[what] ?? 0) + 1;
    }
    disturbed = false;
    await rolls;
    console.info(`seed ${SEED}: ${JSON.stringify(done)}, rolls and rollbacks ended: ${JSON.stringify(Object.fromEntries(rounds))}`);
    for (const pop of POPS) {
      const played = Array.from({ length: rounds.get(pop)! }, (_, round) => round);
      const { status } = await world.pop(pop);
      const last = versionOf(played.at(-1)!);
      // Undisturbed, each version ends in the history as it must, and the last good one stands on every node.
      const expected = [
        ["1.0.0", "Promoted"],
        ...played.slice(0, -1).map((round) => [versionOf(round), isBad(round) ? "RolledBack" : "Promoted"]),
      ];
      expect(
        status?.history?.map((entry) => [entry.version, entry.outcome]),
        pop,
      ).toEqual(expected.slice(-20));
      expect(status?.grant?.state).toBe("Returned");
      expect(await servedVersions(world, pop)).toEqual(
        Object.fromEntries(Array.from({ length: NODES }, (_, index) => [`${pop}-n${index + 1}`, last])),
      );
      for (let index = 1; index <= NODES; index++) {
        const { metadata, spec } = await node(world, `${pop}-n${index}`);
        expect(metadata.annotations?.[CLAIM_ANNOTATION]).toMatch(new RegExp(`^${RELEASED_PREFIX}`));
        expect(spec?.taints?.some((taint) => taint.key === UPDATING_TAINT) ?? false).toBe(false);
      }
    }
  }, 400_000);

  it("[I1] the independent watcher, asking the nodes every 200 ms, never saw more than one node of a PoP out", async () => {
    expect(await mostOut(watcher)).toEqual(Object.fromEntries(POPS.map((pop) => [pop, 1])));
  });

  it("[I9] no step took effect twice: no two accepted patches of a node were the same", () => {
    const patches = operatorWrites(world).filter((entry) => isNodePatch(entry) && succeeded(entry));
    expect(patches.length).toBeGreaterThan(POPS.length * NODES * 4);
    const seen = patches.map((entry) => `${entry.objectRef?.name} ${JSON.stringify(entry.requestObject)}`);
    expect(seen.filter((one, index) => seen.indexOf(one) !== index)).toEqual([]);
  });

  it("[I10] every patch that took effect is refused when a deposed leader sends it late, and changes nothing", async () => {
    const patches = operatorWrites(world).filter(
      (entry) => isNodePatch(entry) && succeeded(entry) && operationsOf(entry)[0]?.op === "test",
    );
    const last = patches.slice(-60);
    expect(last.length).toBeGreaterThan(0);
    const before = await Promise.all(POPS.map((pop) => node(world, `${pop}-n1`)));
    for (const entry of last) {
      const late = world.cluster.patch(
        { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false },
        entry.objectRef!.name!,
        undefined,
        operationsOf(entry) as never,
      );
      await expect(late, JSON.stringify(entry.requestObject)).rejects.toMatchObject({
        code: expect.toSatisfy((code: number) => code === 409 || code === 422) as number,
      });
    }
    const after = await Promise.all(POPS.map((pop) => node(world, `${pop}-n1`)));
    const facts = (nodes: typeof before) =>
      nodes.map(({ metadata, spec }) => [metadata.labels, metadata.annotations?.[CLAIM_ANNOTATION], spec?.taints]);
    expect(facts(after)).toEqual(facts(before));
  });
});
