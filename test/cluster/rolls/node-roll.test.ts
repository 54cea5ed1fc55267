import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { CLAIM_ANNOTATION, RELEASED_PREFIX, UPDATING_TAINT } from "../../../src/api/names.ts";
import { CONTROLLER_REVISION, DAEMON_SET, POD, POD_DISRUPTION_BUDGET } from "../../../src/control/kinds.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { isWrite } from "../../../tools/control-plane/audit-log.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import type { LineProcess } from "../virtual-nodes/child-process.ts";
import { isDryRun } from "./audit.ts";
import {
  eventually,
  firstVersions,
  holdOf,
  mostOut,
  node,
  openFleet,
  passed,
  podsOf,
  QUICK,
  rolledBack,
  servedVersions,
  setVersion,
  SHORT_DRAIN,
  startWatcher,
  SUNDAY,
} from "./pops.ts";
import { RealWorld } from "./real-world.ts";

const perNode = (deadline: string, retries = 1) => ({ perNode: { expected: "5s", deadline, soak: "1s", retries }, drain: SHORT_DRAIN });
/** For a test that acts when it sees the first node soak: the next one is not to be begun before it acted, however busy the machine is. */
const UNHURRIED = { strategy: { perNode: { ...QUICK.perNode, soak: "6s" } } } as const;

describeWithControlPlane("[T3] rules of the node roll", () => {
  let world: RealWorld;
  let watcher: LineProcess;

  beforeAll(async () => {
    world = await RealWorld.start({
      start: "2026-11-20T00:10:00Z",
      pops: { half1: 4, dead1: 3, block1: 3, flap1: 2, digest1: 3, crash1: 2, lost1: 3, gone1: 2, next1: 3, stop1: 2 },
    });
    await openFleet(world);
    await world.startOperator();
    await firstVersions(world, {
      half1: { strategy: { maxUnavailable: "50%" } },
      dead1: {},
      block1: {},
      flap1: { strategy: { drain: SHORT_DRAIN } },
      digest1: UNHURRIED,
      crash1: {},
      lost1: { strategy: perNode("25s") },
      gone1: {},
      next1: UNHURRIED,
      stop1: UNHURRIED,
    });
    // From Friday to Sunday the first versions are watched and promoted: what dies afterwards speaks for or against nobody.
    await world.calendar.jumpTo(Date.parse(SUNDAY));
    const pops = ["half1", "dead1", "block1", "flap1", "digest1", "crash1", "lost1", "gone1", "next1", "stop1"];
    await Promise.all(
      pops.map((name) =>
        world.until(name, "the promotion", (status) => status.run === undefined && status.revisions?.promoted !== undefined),
      ),
    );
    watcher = await startWatcher(world, pops);
  });
  afterAll(async () => {
    await watcher?.end();
    await world?.stop();
  });

  const entries = async (pop: string) => (await world.pop(pop)).status?.nodes ?? [];
  const inStep =
    (step: string) =>
    ({ nodes = [] }: PopClusterStatus) =>
      nodes.some((entry) => entry.step === step);
  const ourTaint = async (name: string) => (await node(world, name)).spec?.taints?.find((taint) => taint.key === UPDATING_TAINT);

  describe.concurrent("each on a PoP of its own, all at once", () => {
    it("[P1] half of four nodes may be out: two are in hand at once, never three", async () => {
      await setVersion(world, "half1", "2.0.0");
      await world.until("half1", "2.0.0 on all nodes", passed("2.0.0"));
      expect(await servedVersions(world, "half1")).toEqual({
        "half1-n1": "2.0.0",
        "half1-n2": "2.0.0",
        "half1-n3": "2.0.0",
        "half1-n4": "2.0.0",
      });
      // The watcher's own view is judged when all rolls are over.
    });

    it("[P2] a dead node fills the budget and is named; with notReadyBefore: Exclude it is left out and the others go", async () => {
      await world.nodes.tell("freeze dead1-n2");
      await eventually(
        async () => (await node(world, "dead1-n2")).status?.conditions?.find(({ type }) => type === "Ready")?.status,
        (found) => expect(found).not.toBe("True"),
      );
      await setVersion(world, "dead1", "2.0.0");
      const held = await world.until(
        "dead1",
        "the dead node to be named",
        (status) => holdOf(status, "BudgetExhausted")?.message.includes("dead1-n2") ?? false,
      );
      expect(held.status?.nodes?.every((entry) => entry.step === "Pending")).toBe(true);
      await world.editPop("dead1", (spec) => ({ ...spec, version: "2.0.1", strategy: { ...spec.strategy, notReadyBefore: "Exclude" } }));
      const done = await world.until("dead1", "2.0.1 on the two others", passed("2.0.1"));
      expect(done.status?.nodes?.find((entry) => entry.name === "dead1-n2")).toMatchObject({ step: "Skipped", skipped: "NotReadyBefore" });
      expect(await servedVersions(world, "dead1")).toEqual({ "dead1-n1": "2.0.1", "dead1-n2": undefined, "dead1-n3": "2.0.1" });
    });

    it("[P3] a PodDisruptionBudget blocks the label, not the drain, and is named; [P3b] paused meanwhile, the node is given back", async () => {
      const before = await podsOf(world, "block1");
      await world.apply(POD_DISRUPTION_BUDGET, {
        metadata: { name: "block1", namespace: DATA_PLANE_NAMESPACE },
        spec: { minAvailable: 3, selector: { matchLabels: { "rollward.dev/pop": "block1" } } },
      });
      await eventually(
        async () =>
          (
            (await world.cluster.get(POD_DISRUPTION_BUDGET, "block1", DATA_PLANE_NAMESPACE)) as
              | { status?: { currentHealthy?: number } }
              | undefined
          )?.status?.currentHealthy,
        (found) => expect(found).toBe(3),
      );
      await setVersion(world, "block1", "2.0.0");
      const blocked = await world.until("block1", "the PDB to be named", (status) => holdOf(status, "DrainBlocked") !== undefined);
      expect(holdOf(blocked.status, "DrainBlocked")?.message).toContain("block1");
      const claimed = blocked.status!.nodes!.find((entry) => entry.step === "Claimed")!;
      expect(await ourTaint(claimed.name)).toMatchObject({ value: claimed.token, effect: "NoSchedule" });
      expect((await node(world, claimed.name)).spec?.unschedulable).toBeFalsy();
      await world.editPop("block1", (spec) => ({ ...spec, paused: true }));
      await world.until(
        "block1",
        "the node to be given back",
        (status) => status.nodes?.find((entry) => entry.name === claimed.name)?.step === "Pending",
      );
      const back = await node(world, claimed.name);
      expect(back.metadata.annotations?.[CLAIM_ANNOTATION]).toBe(`${RELEASED_PREFIX}${claimed.token}`);
      expect(await ourTaint(claimed.name)).toBeUndefined();
      expect(await servedVersions(world, "block1")).toEqual({ "block1-n1": "1.0.0", "block1-n2": "1.0.0", "block1-n3": "1.0.0" });
      expect([...(await podsOf(world, "block1")).values()].map((pod) => pod.metadata.uid).toSorted()).toEqual(
        [...before.values()].map((pod) => pod.metadata.uid).toSorted(),
      );
      await world.cluster.delete(POD_DISRUPTION_BUDGET, "block1", DATA_PLANE_NAMESPACE);
      await world.editPop("block1", (spec) => ({ ...spec, paused: false }));
      const done = await world.until("block1", "2.0.0 on all nodes", passed("2.0.0"));
      expect(done.status?.nodes?.find((entry) => entry.name === claimed.name)?.attempt).toBe(2);
    });

    it("[P4] a pod that comes and goes does not restart the deadline of 20 s", async () => {
      await world.editPop("flap1", (spec) => ({
        ...spec,
        version: "2.0.0-never-ready",
        strategy: { ...spec.strategy, perNode: perNode("20s", 0).perNode },
      }));
      const updating = await world.until("flap1", "a node on the new version", (status) =>
        (status.nodes ?? []).some((entry) => entry.step === "Updating"),
      );
      const entry = updating.status!.nodes!.find((one) => one.step === "Updating")!;
      const since = Date.parse(entry.since);
      const uids = new Set<string>();
      let newest = 0;
      await eventually(
        async () => {
          const pod = (await podsOf(world, "flap1")).get(entry.name);
          const isNew = pod !== undefined && !uids.has(pod.metadata.uid) && pod.spec.containers[0]!.image.endsWith("never-ready");
          if (!isNew) return uids.size;
          uids.add(pod.metadata.uid);
          newest = world.calendar.now() - since;
          // One that came in the second half stays: a deadline of its own would end ten seconds after the first one's, at the soonest.
          if (newest < 10_000) await world.cluster.delete(POD, pod.metadata.name, DATA_PLANE_NAMESPACE, { gracePeriodSeconds: 0 });
          return uids.size;
        },
        (found) => expect([found >= 3, newest >= 10_000]).toEqual([true, true]),
      );
      const judged = await world.until(
        "flap1",
        "the verdict",
        (status) => status.run?.kind === "Rollback" || rolledBack("2.0.0-never-ready")(status),
      );
      const failed = judged.status!.revisions!.failed!.at(-1)!;
      expect(failed.evidence).toContain("after 20s");
      expect(Date.parse(failed.at) - since).toBeGreaterThanOrEqual(20_000);
      expect(Date.parse(failed.at) - since).toBeLessThan(30_000);
      await world.until("flap1", "the rollback", rolledBack("2.0.0-never-ready"));
    });

    it("[P5] another image under the same tag than on the first node is ImageChanged; [P7] the nodes of the failed revision go back, the third is not touched", async () => {
      const before = await podsOf(world, "digest1");
      await setVersion(world, "digest1", "2.5.0");
      const first = await world.until("digest1", "the first node", inStep("Soaking"));
      await world.nodes.tell(`digest registry.example/pop:2.5.0 sha256:${"0".repeat(64)}`);
      const back = await world.until("digest1", "the rollback", rolledBack("2.5.0"));
      expect(back.status?.history?.at(-1)?.evidence).toContain("ImageChanged");
      expect(await servedVersions(world, "digest1")).toEqual({ "digest1-n1": "1.0.0", "digest1-n2": "1.0.0", "digest1-n3": "1.0.0" });
      const touched = back.status!.nodes!.filter((entry) => entry.attempt > 0).map((entry) => entry.name);
      expect(touched).toHaveLength(2);
      expect(touched).toContain(first.status!.nodes!.find((entry) => entry.step === "Soaking")!.name);
      const untouched = back.status!.nodes!.find((entry) => !touched.includes(entry.name))!.name;
      expect((await podsOf(world, "digest1")).get(untouched)?.metadata.uid).toBe(before.get(untouched)?.metadata.uid);
    });

    it("[P6] a crash loop fails a node within seconds after one retry, which deletes the new pod once; the revision is not tried again", async () => {
      const since = Date.now();
      await setVersion(world, "crash1", "2.0.0-crash-loop");
      await world.until("crash1", "the rollback", rolledBack("2.0.0-crash-loop"));
      expect(Date.now() - since).toBeLessThan(45_000);
      const deletes = world.controlPlane
        .auditEntries()
        .filter(
          (entry) =>
            entry.verb === "delete" &&
            entry.objectRef?.resource === "pods" &&
            entry.userAgent.startsWith("rollward/") &&
            entry.objectRef.name?.startsWith("crash1-"),
        );
      expect(deletes.map((entry) => entry.responseStatus?.code)).toEqual([200]);
      const held = await world.until("crash1", "the hold", (status) => holdOf(status, "FailedBefore") !== undefined);
      expect(held.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({ status: "False", reason: "VersionFailed" });
    });

    it("[P6] a node that dies on the new version while a neighbour on it is healthy is no evidence: the roll holds, and goes on when it is back", async () => {
      await setVersion(world, "lost1", "2.0.0-slow");
      const second = await world.until("lost1", "the second node on the new version", (status) => {
        const nodes = status.nodes ?? [];
        return nodes.some((entry) => entry.step === "Done" && entry.attempt > 0) && nodes.some((entry) => entry.step === "Updating");
      });
      const lost = second.status!.nodes!.find((entry) => entry.step === "Updating")!.name;
      await eventually(
        async () => (await podsOf(world, "lost1")).get(lost)?.spec.containers[0]?.image ?? "",
        (found) => expect(found).toContain("2.0.0-slow"),
      );
      await world.nodes.tell(`freeze ${lost}`);
      const held = await world.until(
        "lost1",
        "the hold",
        (status) => status.holds?.some((hold) => hold.reason === "HealthUnknown" && hold.message.includes(lost)) ?? false,
      );
      expect(held.status?.run).toMatchObject({ kind: "Roll", state: "Rolling" });
      await world.nodes.tell(`thaw ${lost}`);
      await world.until("lost1", "2.0.0-slow on all nodes", passed("2.0.0-slow"), 90_000);
      expect(await servedVersions(world, "lost1")).toEqual({ "lost1-n1": "2.0.0", "lost1-n2": "2.0.0", "lost1-n3": "2.0.0" });
    });

    it("[P7] with record and DaemonSet of the way back gone it is RollbackFailed(TargetGone), before any node is touched", async () => {
      const old = (await world.pop("gone1")).status!.revisions!.current!;
      await setVersion(world, "gone1", "2.0.0");
      await world.until("gone1", "2.0.0 on all nodes", passed("2.0.0"));
      const pods = await podsOf(world, "gone1");
      const records = await world.cluster.list(CONTROLLER_REVISION, {
        namespace: FLEET_NAMESPACE,
        labelSelector: "rollward.dev/pop=gone1",
      });
      await world.cluster.delete(
        CONTROLLER_REVISION,
        records.find((record) => record.metadata.name.endsWith(old))!.metadata.name,
        FLEET_NAMESPACE,
      );
      const sets = await world.cluster.list(DAEMON_SET, { namespace: DATA_PLANE_NAMESPACE, labelSelector: "rollward.dev/pop=gone1" });
      await world.cluster.delete(DAEMON_SET, sets.find((set) => set.metadata.name.endsWith(old))!.metadata.name, DATA_PLANE_NAMESPACE);
      await world.editPop("gone1", (spec) => ({ ...spec, requests: { takeBack: { at: "2026-11-22T00:20:00Z" } } }));
      const failed = await world.until("gone1", "the verdict", (status) => status.history?.at(-1)?.outcome === "RollbackFailed");
      expect(failed.status?.history?.at(-1)?.evidence).toContain("TargetGone");
      expect([...(await podsOf(world, "gone1")).values()].map((pod) => pod.metadata.uid).toSorted()).toEqual(
        [...pods.values()].map((pod) => pod.metadata.uid).toSorted(),
      );
    });

    it("[P12] a newer version in mid-roll: nobody starts the superseded one any more, its nodes stay until the newer comes, which would go back to 1.0.0", async () => {
      const first = (await world.pop("next1")).status!.revisions!.current!;
      await setVersion(world, "next1", "2.0.0");
      await world.until("next1", "the first node on 2.0.0", inStep("Soaking"));
      await setVersion(world, "next1", "3.0.0");
      const next = await world.until("next1", "the run to 3.0.0", (status) => status.run?.version === "3.0.0");
      expect(next.status?.history?.at(-1)).toMatchObject({ version: "2.0.0", outcome: "Superseded" });
      expect(next.status?.run?.back).toBe(first);
      await world.until("next1", "3.0.0 on all nodes", passed("3.0.0"), 120_000);
      const images = world.controlPlane
        .auditEntries()
        .filter(
          (entry) =>
            entry.verb === "create" &&
            entry.objectRef?.resource === "pods" &&
            entry.objectRef.subresource === "binding" &&
            entry.objectRef.name?.startsWith("next1-"),
        );
      // 3 first pods, at most 2 of the superseded version (the node in hand when it was superseded), 3 of the newer one.
      expect(images.length).toBeLessThanOrEqual(8);
      expect(await servedVersions(world, "next1")).toEqual({ "next1-n1": "3.0.0", "next1-n2": "3.0.0", "next1-n3": "3.0.0" });
    });

    it("[P12] stopped by a person the PoP stays mixed and watched; take-back moves back what had gone", async () => {
      await setVersion(world, "stop1", "2.0.0");
      await world.until("stop1", "the first node on 2.0.0", inStep("Soaking"));
      await world.editPop("stop1", (spec) => ({ ...spec, requests: { stop: { at: "2026-11-22T00:21:00Z" } } }));
      const stopped = await world.until(
        "stop1",
        "the stop",
        (status) =>
          status.run?.ending === "Stopped" && !inStep("Soaking")(status) && !inStep("Claimed")(status) && !inStep("Updating")(status),
      );
      expect(stopped.status?.handled?.stop).toBe("2026-11-22T00:21:00Z");
      expect(
        Object.values(await servedVersions(world, "stop1"))
          .map(String)
          .toSorted((a, b) => a.localeCompare(b)),
      ).toEqual(["1.0.0", "2.0.0"]);
      await world.editPop("stop1", (spec) => ({ ...spec, requests: { ...spec.requests, takeBack: { at: "2026-11-22T00:22:00Z" } } }));
      await world.until("stop1", "the way back", rolledBack("2.0.0"));
      expect(await servedVersions(world, "stop1")).toEqual({ "stop1-n1": "1.0.0", "stop1-n2": "1.0.0" });
    });
  });

  it("[P1] an independent watcher, asking each node every 200 ms, never saw more out than the budgets allowed", async () => {
    const most = await mostOut(watcher);
    // dead1 had a node that died, and with it left out of the budget one more was updated; lost1's node in hand was the one that died.
    expect(most).toEqual({ half1: 2, dead1: 2, block1: 1, flap1: 1, digest1: 1, crash1: 1, lost1: 1, gone1: 1, next1: 1, stop1: 1 });
  });

  it("[P3a] no data-plane pod was ever evicted: every eviction was a dry run", async () => {
    const evictions = world.controlPlane.auditEntries().filter((entry) => entry.objectRef?.subresource === "eviction" && isWrite(entry));
    expect(evictions.length).toBeGreaterThan(0);
    expect(evictions.filter((entry) => !isDryRun(entry)).map((entry) => entry.objectRef?.name)).toEqual([]);
    expect((await entries("half1")).length).toBe(4);
  });
});
