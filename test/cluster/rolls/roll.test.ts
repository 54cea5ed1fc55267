import { afterAll, beforeAll, expect, it } from "vitest";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { RealWorld } from "./real-world.ts";

const QUICK = { strategy: { bake: "5s", perNode: { expected: "40s", deadline: "60s", soak: "1s", retries: 1 } } };

describeWithControlPlane("[T3] a PoP on a real control plane", () => {
  let world: RealWorld;

  beforeAll(async () => {
    world = await RealWorld.start({ start: "2026-11-22T00:10:00Z", pops: { fra1: 4 } });
    await world.startOperator();
    await world.applyPop("fra1", QUICK);
  });
  afterAll(() => world?.stop());

  it("[P16] a first version joins its four nodes without window, grant or finalizer", async () => {
    const pop = await world.until("fra1", "the first version", (status) => status.run?.state === "Passed");
    expect(pop.status?.nodes?.map((node) => node.step)).toEqual(["Done", "Done", "Done", "Done"]);
    expect(pop.status?.grant).toBeUndefined();
  });

  it("[P3] a good version rolls through node by node", async () => {
    await world.editPop("fra1", (spec) => ({ ...spec, version: "2.0.0" }));
    const pop = await world.until(
      "fra1",
      "2.0.0 on all nodes",
      (status) => status.run?.version === "2.0.0" && status.run.state === "Passed",
    );
    expect(pop.status?.history?.map((entry) => [entry.version, entry.outcome])).toEqual([["1.0.0", "Promoted"]]);
  });

  it("[P6] a version that cannot be pulled is taken back", async () => {
    await world.editPop("fra1", (spec) => ({ ...spec, version: "3.0.0-no-pull" }));
    const pop = await world.until("fra1", "the rollback", (status) => status.history?.at(-1)?.outcome === "RolledBack");
    expect(pop.status?.history?.at(-1)?.evidence).toContain("ErrImagePull");
  });
});
