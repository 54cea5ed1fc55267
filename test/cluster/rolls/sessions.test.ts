import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DAEMON_SET } from "../../../src/control/kinds.ts";
import { POP_CLUSTER } from "../../../src/api/resources.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { legacyDaemonSet } from "./legacy.ts";
import {
  eventually,
  firstVersions,
  holdOf,
  openFleet,
  passed,
  podsOf,
  QUICK,
  rolledBack,
  servedVersions,
  setVersion,
  SUNDAY,
} from "./pops.ts";
import { RealWorld } from "./real-world.ts";
import { breaksBySession, drainsOf, heldByNode, mostBroken, outsideDrains, SessionLoadProcess } from "./session-record.ts";

const FRIDAY = "2026-11-20T00:10:00Z";

describeWithControlPlane("[T3] sessions, held over TCP by a separate process", () => {
  let world: RealWorld;
  const loads = new Map<string, SessionLoadProcess>();
  const breaks = (pop: string) => loads.get(pop)!.breaks;
  const uids = async (pop: string) => [...(await podsOf(world, pop)).values()].map((pod) => pod.metadata.uid).toSorted();

  beforeAll(async () => {
    world = await RealWorld.start({ start: FRIDAY, pops: { big1: 4, nine1: 2, late1: 2, away1: 2, old1: 3, else1: 1 } });
    await openFleet(world);
    await world.startOperator();
    await firstVersions(world, { big1: {}, else1: {} });
    loads.set("big1", await SessionLoadProcess.start(world, "big1", 200));
  });
  afterAll(async () => {
    await Promise.all([...loads.values()].map((load) => load.end()));
    await world?.stop();
  });

  it("[P16] first installs beside 200 held sessions, an adoption, a deletion and a re-creation disturb no session", async () => {
    await world.apply(DAEMON_SET, legacyDaemonSet("old1"));
    await eventually(
      async () => Object.values(await servedVersions(world, "old1")),
      (found) => expect(found).toEqual(["0.9.0", "0.9.0", "0.9.0"]),
    );
    loads.set("old1", await SessionLoadProcess.start(world, "old1", 90));
    await firstVersions(world, { nine1: { version: "1.0.0-hands-back-9s" }, late1: { version: "1.0.0-hands-back-11s" }, away1: {} });
    for (const pop of ["nine1", "late1", "away1"]) loads.set(pop, await SessionLoadProcess.start(world, pop, 80));
    const legacy = (await world.cluster.list(DAEMON_SET, { namespace: "rollward-data-plane" })).find(
      (set) => set.metadata.name === "legacy-old1",
    )!;
    const pods = (
      await world.cluster.list(
        { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true },
        { namespace: "rollward-data-plane", labelSelector: "app=legacy-old1" },
      )
    )
      .map((pod) => pod.metadata.uid)
      .toSorted();
    const applied = await world.applyPop("old1", {
      version: "1.0.0",
      strategy: QUICK,
      spec: { adopt: { daemonSet: { name: "legacy-old1" } } },
    });
    const adopted = await world.until(
      "old1",
      "the adoption",
      (status) => holdOf(status, "OutsideWindow") !== undefined && status.revisions?.current === "none",
    );
    expect(adopted.status?.nodes?.map((entry) => [entry.step, entry.revision])).toEqual([
      ["Done", "none"],
      ["Done", "none"],
      ["Done", "none"],
    ]);
    await world.cluster.delete(POP_CLUSTER, "old1", FLEET_NAMESPACE);
    await eventually(
      () => world.cluster.get(POP_CLUSTER, "old1", FLEET_NAMESPACE),
      (found) => expect(found).toBeUndefined(),
    );
    await world.applyPop("old1", { version: "1.0.0", strategy: QUICK, spec: { adopt: { daemonSet: { name: "legacy-old1" } } } });
    const again = await world.until(
      "old1",
      "the second adoption",
      (status, pop) =>
        pop.metadata.uid !== applied.metadata.uid && holdOf(status, "OutsideWindow") !== undefined && status.revisions?.current === "none",
    );
    expect(again.status?.nodes).toHaveLength(3);
    const big = await uids("big1");
    await world.cluster.delete(POP_CLUSTER, "big1", FLEET_NAMESPACE);
    await eventually(
      () => world.cluster.get(POP_CLUSTER, "big1", FLEET_NAMESPACE),
      (found) => expect(found).toBeUndefined(),
    );
    await world.applyPop("big1", { strategy: QUICK });
    await world.until(
      "big1",
      "the adoption by name",
      (status) =>
        status.revisions?.current !== undefined &&
        (status.nodes ?? []).every((entry) => entry.step === "Done") &&
        status.nodes?.length === 4,
    );
    expect(await uids("big1")).toEqual(big);
    expect(
      (
        await world.cluster.list(
          { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true },
          { namespace: "rollward-data-plane", labelSelector: "app=legacy-old1" },
        )
      )
        .map((pod) => pod.metadata.uid)
        .toSorted(),
    ).toEqual(pods);
    expect((await world.cluster.get(DAEMON_SET, "legacy-old1", "rollward-data-plane"))?.metadata.uid).toBe(legacy.metadata.uid);
    expect([...loads.keys()].map((pop) => [pop, breaks(pop).length])).toEqual([
      ["big1", 0],
      ["old1", 0],
      ["nine1", 0],
      ["late1", 0],
      ["away1", 0],
    ]);
    await world.calendar.jumpTo(Date.parse(SUNDAY));
  });

  describe.concurrent("in Sunday's window", () => {
    it("[P11] 200 sessions over a roll of four nodes: each break falls into a drain of the node that held it, at most twice, back here within 10 s", async () => {
      const since = Date.now();
      await setVersion(world, "big1", "2.0.0");
      const done = await world.until("big1", "2.0.0 on all nodes", passed("2.0.0"), 120_000);
      const broken = breaks("big1");
      const drains = drainsOf(world, "big1", since);
      expect(drains.map(({ node }) => node).toSorted()).toEqual(["big1-n1", "big1-n2", "big1-n3", "big1-n4"]);
      expect(broken.length).toBeGreaterThanOrEqual(200);
      expect(outsideDrains(broken, drains)).toEqual([]);
      for (const [id, of] of breaksBySession(broken)) {
        expect(of.length, id).toBeLessThanOrEqual(2);
        // While the first node was out there was no updated node to go to.
        if (of.length === 2) expect(of[0]!.node, id).toBe(drains[0]!.node);
      }
      expect(broken.filter(({ outage, backPop }) => outage === undefined || outage > 10_000 || backPop !== "big1")).toEqual([]);
      const most = mostBroken(broken);
      expect(most.count).toBeLessThanOrEqual(heldByNode(done.status)[most.node]!);
      const longest = Math.max(...broken.map(({ outage }) => outage ?? 0));
      console.info(
        `200 sessions, 4 nodes: ${broken.length} breaks, longest outage ${Math.round(longest)} ms, at most ${most.count} broken at once`,
      );
      expect(done.status?.nodes?.every((entry) => entry.reconnectSeconds === undefined || entry.reconnectSeconds <= 10)).toBe(true);
    });

    it("[P11] a node whose sessions are back after 9 s passes", async () => {
      await setVersion(world, "nine1", "2.0.0");
      await world.until("nine1", "2.0.0 on all nodes", passed("2.0.0"), 120_000);
      expect(Math.max(...breaks("nine1").map(({ outage }) => outage ?? 0))).toBeGreaterThan(8_500);
    });

    it("[P11] a node whose sessions are back only after 11 s rolls the version back", async () => {
      await setVersion(world, "late1", "2.0.0");
      const back = await world.until("late1", "the rollback", rolledBack("2.0.0"), 120_000);
      expect(back.status?.history?.at(-1)?.evidence).toMatch(/reconnect: 0 of 40 sessions of late1-n[12] returned within 10 s/);
    });

    it("[P11] a version that sends a tenth of the sessions to another PoP rolls back", async () => {
      await setVersion(world, "away1", "2.0.0-turns-away");
      const back = await world.until("away1", "the rollback", rolledBack("2.0.0-turns-away"), 120_000);
      expect(back.status?.history?.at(-1)?.evidence).toMatch(
        /reconnect: \d+ of \d+ sessions of away1-n[12] returned within 10 s .* not seen again/,
      );
      expect(breaks("away1").some(({ backPop }) => backPop !== undefined && backPop !== "away1")).toBe(true);
    });

    it("[P16] the adopted data plane goes to 1.0.0 node by node; each break falls into a drain", async () => {
      await world.until("old1", "1.0.0 on all nodes", passed("1.0.0"), 120_000);
      expect(await servedVersions(world, "old1")).toEqual({ "old1-n1": "1.0.0", "old1-n2": "1.0.0", "old1-n3": "1.0.0" });
      const broken = breaks("old1");
      expect(broken.length).toBeGreaterThanOrEqual(90);
      expect(broken.filter(({ outage, backPop }) => outage === undefined || outage > 10_000 || backPop !== "old1")).toEqual([]);
    });
  });
});
