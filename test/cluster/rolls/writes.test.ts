import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { isNodePatch, isStatusWrite, operationsOf, operatorWrites, patchesByNode, succeeded, told } from "./audit.ts";
import { cordon, eventually, firstVersions, holdOf, node, openFleet, passed, setVersion, stepOf, SUNDAY } from "./pops.ts";
import { RealWorld } from "./real-world.ts";

const SETTLED_MILLISECONDS = 60_000;

describeWithControlPlane("[T3] what the operator writes", () => {
  let world: RealWorld;

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: { ams1: 4, mad1: 3, mil1: 4 } });
    await openFleet(world);
    await world.startOperator();
    await firstVersions(world, { ams1: {}, mad1: {}, mil1: { strategy: { maxUnavailable: 3 } } });
  });
  afterAll(() => world?.stop());

  it("[P14] a node costs 4 patches of the Node and at most 8 API writes in all, by the server's audit log", async () => {
    const since = Date.now();
    await setVersion(world, "ams1", "2.0.0");
    await world.until("ams1", "2.0.0 on all nodes", passed("2.0.0"));
    const writes = operatorWrites(world, since).filter(({ objectRef }) => objectRef?.name?.startsWith("ams1"));
    const patches = writes.filter(isNodePatch);
    expect(patchesByNode(writes), told(writes).join("\n")).toEqual({ "ams1-n1": 4, "ams1-n2": 4, "ams1-n3": 4, "ams1-n4": 4 });
    expect(patches.every(succeeded)).toBe(true);
    // From one node's claim to the next one's: the four patches, and what stands in status about it.
    const claims = writes.flatMap((entry, index) =>
      isNodePatch(entry) && writes.slice(0, index).every((other) => other.objectRef?.name !== entry.objectRef?.name || !isNodePatch(other))
        ? [index]
        : [],
    );
    expect(claims).toHaveLength(4);
    for (const [index, first] of claims.slice(0, -1).entries()) {
      const spell = writes.slice(first, claims[index + 1]);
      expect(spell.length, told(spell).join("\n")).toBeLessThanOrEqual(8);
      expect(spell.every((entry) => isNodePatch(entry) || isStatusWrite(entry))).toBe(true);
    }
  });

  it("[P3b] with maxUnavailable 1 a person's cordon holds the roll, which names it; the cordon is not lifted, and when it is, the roll goes on", async () => {
    await cordon(world, "mad1-n2");
    await setVersion(world, "mad1", "2.0.0");
    const held = await world.until(
      "mad1",
      "the cordon to be named",
      (status) => status.run?.state === "Rolling" && holdOf(status, "BudgetExhausted") !== undefined,
    );
    expect(holdOf(held.status, "BudgetExhausted")?.message).toMatch(/mad1-n2 (is |\()cordoned by a person/);
    expect((await node(world, "mad1-n2")).spec?.unschedulable).toBe(true);
    await cordon(world, "mad1-n2", false);
    await world.until("mad1", "2.0.0 on all nodes", passed("2.0.0"));
    expect((await node(world, "mad1-n2")).spec?.unschedulable).toBeFalsy();
  });

  it("[P3b] a person's cordon before, during and after the roll of a node stays; one lifted later brings its node to the PoP's version", async () => {
    await cordon(world, "mil1-n1");
    await setVersion(world, "mil1", "2.0.0");
    const rolling = await world.until("mil1", "a node in hand", (status) =>
      (status.nodes ?? []).some((entry) => ["Claimed", "Updating"].includes(entry.step)),
    );
    const inHand = rolling.status!.nodes!.find((entry) => ["Claimed", "Updating"].includes(entry.step))!.name;
    expect(inHand).not.toBe("mil1-n1");
    await cordon(world, inHand);
    const done = await world.until("mil1", "2.0.0 on all nodes but the one cordoned before", passed("2.0.0"));
    expect(done.status?.nodes?.find((entry) => entry.name === "mil1-n1")).toMatchObject({ step: "Skipped", skipped: "CordonedByPerson" });
    expect(stepOf(done.status, inHand)).toBe("Done");
    const after = done.status!.nodes!.find((entry) => entry.name !== "mil1-n1" && entry.name !== inHand)!.name;
    await cordon(world, after);
    await cordon(world, "mil1-n1", false);
    const label = () =>
      node(world, "mil1-n1").then(({ metadata }) => metadata.labels?.["rollward.dev.node-restriction.kubernetes.io/revision"]);
    const wanted = (await node(world, after)).metadata.labels?.["rollward.dev.node-restriction.kubernetes.io/revision"];
    await eventually(label, (found) => expect(found).toBe(wanted), 60_000);
    expect((await node(world, inHand)).spec?.unschedulable).toBe(true);
    expect((await node(world, after)).spec?.unschedulable).toBe(true);
    const written = operatorWrites(world).filter(isNodePatch).flatMap(operationsOf);
    expect(written.length).toBeGreaterThan(0);
    expect(written.filter(({ path }) => path.startsWith("/spec/unschedulable"))).toEqual([]);
  });

  it("[G11] settled for 60 s the operator writes nothing, the Lease apart", async () => {
    for (const name of ["ams1", "mad1", "mil1"])
      await world.until(name, "rest", (status) => status.run === undefined || status.run.state === "Passed");
    await eventually(
      () => operatorWrites(world, Date.now() - 3_000).length,
      (found) => expect(found).toBe(0),
      30_000,
    );
    const since = Date.now();
    await sleep(SETTLED_MILLISECONDS);
    expect(told(operatorWrites(world, since))).toEqual([]);
    expect(
      world.controlPlane
        .auditEntries()
        .some(
          (entry) =>
            entry.objectRef?.resource === "leases" &&
            entry.userAgent.startsWith("rollward/") &&
            Date.parse(entry.requestReceivedTimestamp) >= since,
        ),
    ).toBe(true);
  });
});
