import { beforeEach, describe, expect, it } from "vitest";
import type { PopCluster, PopClusterStatus } from "../../../api/pop-cluster.ts";
import type { PopRollout, PopRolloutStatus } from "../../../api/pop-rollout.ts";
import { POP_CLUSTER, POP_ROLLOUT } from "../../../api/resources.ts";
import { World } from "../../../simulation/world.ts";
import { BASE, FLEET_POPS, FLEET_TEMPOS, fleetPopDraft, nameOf, releaseDraft } from "./cast.ts";
import { FleetRhythm } from "./rhythm.ts";

const START = "2026-11-21T12:00:00.000Z";
const LATER = "2026-11-21T14:00:00.000Z";
const hold = (reason: string, until?: string, rule = "W4") => ({ rule, reason, message: "", ...(until === undefined ? {} : { until }) });

describe("the rhythm of a fleet that rollouts move", () => {
  let world: World;
  let rhythm: FleetRhythm;
  const [akl, wlg] = FLEET_POPS;

  beforeEach(async () => {
    world = await World.create({ start: START });
    for (const pop of [akl!, wlg!]) await world.apply(POP_CLUSTER, fleetPopDraft(pop, BASE, FLEET_TEMPOS.embedded, "http://prometheus"));
    await world.apply(POP_ROLLOUT, releaseDraft("2026.11.2", FLEET_TEMPOS.embedded));
    rhythm = new FleetRhythm(world.kubectl, world.clock);
    await world.while(rhythm.whenSynced());
    for (const pop of [akl!, wlg!]) await stands(pop.name, {});
    await course({});
  });

  async function stands(name: string, status: object): Promise<void> {
    const pop = await world.pop(name);
    const next = { observedGeneration: 1, ...status } as PopClusterStatus;
    await world.while(world.kubectl.updateStatus<PopCluster>(POP_CLUSTER, { ...pop, status: next }));
  }

  async function course(status: object): Promise<void> {
    const rollout = (await world.while(world.kubectl.get<PopRollout>(POP_ROLLOUT, nameOf("2026.11.2"), "fleet")))!;
    const next = { observedGeneration: 1, ...status } as PopRolloutStatus;
    await world.while(world.kubectl.updateStatus<PopRollout>(POP_ROLLOUT, { ...rollout, status: next }));
  }

  const rolling = (state: string) => ({
    run: { id: 2, kind: "Roll", state, revision: "b", version: "2026.11.2", startedAt: START, frozen: { members: [], order: [] } },
  });
  const quiet = (milliseconds = 5_000) => world.clock.advance(milliseconds);

  it("runs at 1× for a while after each change and after each jump, because somebody may be about to act on it", async () => {
    await quiet();
    expect(rhythm.isBusy()).toBe(false);
    await stands("akl1", { holds: [hold("OutsideWindow", LATER)] });
    expect(rhythm.isBusy()).toBe(true);
    await quiet();
    expect(rhythm.isBusy()).toBe(false);
    rhythm.moved();
    expect(rhythm.isBusy()).toBe(true);
  });

  it("does not stop for windows that come and go in status while nobody waits for them", async () => {
    await quiet();
    await stands("akl1", { next: [{ start: LATER, end: LATER, localStart: LATER }] });
    expect(rhythm.isBusy()).toBe(false);
  });

  it("stops at each window that a PoP or a wave waits for, and at the last bake of a wave only where another follows", async () => {
    const bakes = ["2026-11-21T12:09:00.000Z", "2026-11-21T12:10:00.000Z"];
    await stands("akl1", { holds: [hold("Baking", bakes[0], "P8")] });
    await stands("wlg1", { holds: [hold("Baking", bakes[1], "P8")] });
    await course({ holds: [hold("OutsideWindow", LATER, "F1")], waves: [{ name: "early", state: "Pending" }] });
    expect(rhythm.events()).toEqual([Date.parse(LATER), Date.parse(bakes[1]!)]);
    await course({ holds: [hold("OutsideWindow", LATER, "F1")], waves: [{ name: "rest", state: "Open" }] });
    expect(rhythm.events()).toEqual([Date.parse(LATER)]);
  });

  it("stays at 1× while a node is in hand, however long nobody says anything", async () => {
    await stands("akl1", {
      ...rolling("Rolling"),
      nodes: [{ name: "akl1-n1", uid: "u", step: "Updating", since: START }],
    });
    await quiet(60_000);
    expect(rhythm.isBusy()).toBe(true);
  });

  it("stays at 1× while a PoP waits for others, and goes on when none of them moves any more", async () => {
    await stands("akl1", { ...rolling("Preflight"), holds: [hold("RegionBusy", undefined, "G14")] });
    await quiet();
    expect(rhythm.isBusy()).toBe(true);
    await quiet(20_000);
    expect(rhythm.isBusy()).toBe(false);
  });

  it("[P15] is at 1× while content is loaded, and runs while it bakes on the first node", async () => {
    const content = { state: "Loading", target: "sig.418" };
    await stands("akl1", { content, holds: [hold("HealthUnknown", LATER, "P15")] });
    await quiet();
    expect(rhythm.isBusy()).toBe(true);
    await stands("akl1", { content, holds: [hold("Baking", LATER, "P15")] });
    await quiet();
    expect(rhythm.isBusy()).toBe(false);
  });
});
