import { describe, expect, it } from "vitest";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import { fleetDraft, popDraft, sundayWindow, World } from "../../src/simulation/world.ts";

const HOUR = 3_600_000;

async function popWithFirstVersion(start = "2026-11-21T22:00:00Z") {
  const world = await World.create({ start });
  await world.bootNodes("fra1", 4);
  await world.apply(FLEET, fleetDraft());
  await world.apply(MAINTENANCE_WINDOW, sundayWindow());
  await world.apply(POP_CLUSTER, popDraft("fra1"));
  world.startOperator();
  await world.until("fra1", (status) => status.run?.state === "Passed", HOUR, "the first version");
  return world;
}

describe("a roll", () => {
  it("[P16] a first version is nothing but joining: four nodes, no window, no grant", async () => {
    const world = await popWithFirstVersion();
    const pop = await world.pop("fra1");
    expect(pop.status?.nodes?.map((node) => node.step)).toEqual(["Done", "Done", "Done", "Done"]);
    expect(pop.status?.grant).toBeUndefined();
  });

  it("[P3] a version waits for Sunday 01:00 Europe/Berlin and goes through node by node", async () => {
    const world = await popWithFirstVersion();
    await world.editPop("fra1", (spec) => ({ ...spec, version: "2.0.0" }));
    const waiting = await world.until(
      "fra1",
      (status) => (status.holds?.length ?? 0) > 0 && status.revisions?.wanted !== status.run?.revision,
      HOUR,
      "a hold",
    );
    expect(waiting.status?.holds?.[0]).toMatchObject({ reason: "OutsideWindow", until: "2026-11-22T00:00:00.000Z" });
    const done = await world.until(
      "fra1",
      (status) => status.run?.version === "2.0.0" && status.run.state === "Baking",
      4 * HOUR,
      "2.0.0 on all nodes",
    );
    expect(Date.parse(done.status!.run!.startedAt)).toBeGreaterThanOrEqual(Date.parse("2026-11-22T00:00:00Z"));
  });

  it("[P6] a version that cannot be pulled is taken back, and its verdict stands", async () => {
    const world = await popWithFirstVersion("2026-11-22T00:10:00Z");
    await world.editPop("fra1", (spec) => ({ ...spec, version: "2.0.0-no-pull" }));
    const back = await world.until(
      "fra1",
      (status) => status.history?.some((entry) => entry.outcome === "RolledBack") ?? false,
      2 * HOUR,
      "the rollback",
    );
    expect(back.status?.history?.at(-1)).toMatchObject({ version: "2.0.0-no-pull", outcome: "RolledBack" });
    expect(back.status?.history?.at(-1)?.evidence).toContain("ErrImagePull");
  });
});
