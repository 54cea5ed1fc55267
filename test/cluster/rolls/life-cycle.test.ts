import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CLAIM_ANNOTATION, FINALIZER, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../../src/api/names.ts";
import { POP_CLUSTER } from "../../../src/api/resources.ts";
import { DAEMON_SET } from "../../../src/control/kinds.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { legacyDaemonSet } from "./legacy.ts";
import { eventually, firstVersions, holdOf, node, openFleet, passed, podsOf, QUICK, servedVersions, setVersion, SUNDAY } from "./pops.ts";
import { RealWorld } from "./real-world.ts";

describeWithControlPlane("[T3] PoPs and nodes that come and go", () => {
  let world: RealWorld;

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: { end1: 3, born1: 2, adopt1: 2, third1: 2 } });
    await openFleet(world);
    await world.startOperator();
    await firstVersions(world, { end1: {}, born1: {}, third1: {} });
  });
  afterAll(() => world?.stop());

  const gone = (pop: string) =>
    eventually(
      () => world.cluster.get(POP_CLUSTER, pop, FLEET_NAMESPACE),
      (found) => expect(found).toBeUndefined(),
    );
  const uids = async (pop: string) => [...(await podsOf(world, pop)).values()].map((pod) => pod.metadata.uid).toSorted();

  describe.concurrent("each on a PoP of its own", () => {
    it("[P13] deleted in mid-roll the PoPCluster goes after its node in hand, the data plane serves on; re-created it adopts what runs", async () => {
      await setVersion(world, "end1", "2.0.0-slow");
      const rolling = await world.until("end1", "a node between two versions", (status) =>
        (status.nodes ?? []).some((entry) => entry.step === "Updating"),
      );
      expect(rolling.metadata.finalizers).toContain(FINALIZER);
      const inHand = rolling.status!.nodes!.find((entry) => entry.step === "Updating")!.name;
      await world.cluster.delete(POP_CLUSTER, "end1", FLEET_NAMESPACE);
      await gone("end1");
      for (const { name } of world.addresses("end1")) {
        const { metadata, spec } = await node(world, name);
        expect(metadata.annotations?.[CLAIM_ANNOTATION] ?? RELEASED_PREFIX).toMatch(new RegExp(`^${RELEASED_PREFIX}`));
        expect(spec?.taints?.some((taint) => taint.key === UPDATING_TAINT) ?? false).toBe(false);
      }
      const served = await servedVersions(world, "end1");
      expect(Object.values(served).every((version) => version !== undefined)).toBe(true);
      expect(
        Object.entries(served)
          .filter(([name]) => name !== inHand)
          .map(([, version]) => version),
      ).toEqual(["1.0.0", "1.0.0"]);
      const before = await uids("end1");
      await world.applyPop("end1", { version: "1.0.0", strategy: QUICK });
      const adopted = await world.until("end1", "the adoption", (status) => status.nodes?.length === 3);
      expect(adopted.status?.revisions?.current).toBeDefined();
      expect(await uids("end1")).toEqual(before);
      // The node that had gone ahead is brought to the PoP's version, in the window that is open.
      await world.until("end1", "1.0.0 everywhere", (status) => status.run === undefined || status.run.state === "Passed");
      await eventually(
        () => servedVersions(world, "end1"),
        (found) => expect(found).toEqual({ "end1-n1": "1.0.0", "end1-n2": "1.0.0", "end1-n3": "1.0.0" }),
      );
    });

    it("[P16] a node that is new, and one re-created under its name, join at once with the PoP's version, without claim or drain", async () => {
      await world.nodes.tell("recreate born1-n2");
      await world.nodes.tell("add born1 3");
      const joined = await world.until("born1", "both to join", (status) => {
        const names = (status.nodes ?? []).filter((entry) => entry.step === "Done").map((entry) => entry.name);
        return (
          names.includes("born1-n2") &&
          names.includes("born1-n3") &&
          status.nodes!.every((entry) => entry.step === "Done" || entry.skipped === "Gone")
        );
      });
      expect(await servedVersions(world, "born1")).toEqual({ "born1-n1": "1.0.0", "born1-n2": "1.0.0", "born1-n3": "1.0.0" });
      for (const name of ["born1-n2", "born1-n3"]) {
        expect((await node(world, name)).metadata.annotations?.[CLAIM_ANNOTATION], name).toBeUndefined();
        expect((await node(world, name)).metadata.labels?.[REVISION_LABEL]).toBe(
          `born1-${joined.status!.run?.revision ?? joined.status!.revisions!.current}`,
        );
      }
    });

    it("[P16] another DaemonSet on the host port: AdoptionUnclear without adopt, nothing starts; with adopt it is rolled node by node", async () => {
      await world.apply(DAEMON_SET, legacyDaemonSet("adopt1"));
      await eventually(
        async () => Object.values(await servedVersions(world, "adopt1")),
        (found) => expect(found).toEqual(["0.9.0", "0.9.0"]),
      );
      await world.applyPop("adopt1", { version: "1.0.0", strategy: QUICK });
      const unclear = await world.until("adopt1", "the question", (status) => holdOf(status, "AdoptionUnclear") !== undefined);
      expect(holdOf(unclear.status, "AdoptionUnclear")?.message).toContain("spec.adopt.daemonSet.name: legacy-adopt1");
      expect(unclear.status?.conditions?.find(({ type }) => type === "Accepted")).toMatchObject({
        status: "False",
        reason: "AdoptionUnclear",
      });
      expect(await servedVersions(world, "adopt1")).toEqual({ "adopt1-n1": "0.9.0", "adopt1-n2": "0.9.0" });
      await world.editPop("adopt1", (spec) => ({ ...spec, adopt: { daemonSet: { name: "legacy-adopt1" } } }));
      const done = await world.until("adopt1", "1.0.0 on both nodes", passed("1.0.0"), 90_000);
      expect(done.status?.run?.back).toBe("none");
      expect(await servedVersions(world, "adopt1")).toEqual({ "adopt1-n1": "1.0.0", "adopt1-n2": "1.0.0" });
      const legacy = (await world.cluster.get(DAEMON_SET, "legacy-adopt1", "rollward-data-plane")) as
        | { spec?: { updateStrategy?: { type?: string } } }
        | undefined;
      expect(legacy?.spec?.updateStrategy?.type).toBe("OnDelete");
    });

    it("[P16] a node found on another revision is brought to the PoP's, as a run of one node; its neighbour is not touched", async () => {
      const old = (await node(world, "third1-n1")).metadata.labels?.[REVISION_LABEL];
      await setVersion(world, "third1", "2.0.0");
      await world.until("third1", "2.0.0 on both", passed("2.0.0"));
      const neighbour = (await podsOf(world, "third1")).get("third1-n2")!.metadata.uid;
      const wanted = (await node(world, "third1-n1")).metadata.labels?.[REVISION_LABEL];
      const path = `/metadata/labels/${REVISION_LABEL.replace("/", "~1")}`;
      await world.cluster.patch({ apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false }, "third1-n1", undefined, [
        { op: "replace", path, value: old },
      ]);
      await eventually(
        async () => (await servedVersions(world, "third1"))["third1-n1"],
        (found) => expect(found).toBe("1.0.0"),
      );
      await eventually(
        async () => (await node(world, "third1-n1")).metadata.labels?.[REVISION_LABEL],
        (found) => expect(found).toBe(wanted),
        60_000,
      );
      await eventually(
        async () => (await servedVersions(world, "third1"))["third1-n1"],
        (found) => expect(found).toBe("2.0.0"),
      );
      expect((await podsOf(world, "third1")).get("third1-n2")!.metadata.uid).toBe(neighbour);
    });
  });
});
