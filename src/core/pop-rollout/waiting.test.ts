import { describe, expect, it } from "vitest";
import { maintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { approval, FRIDAY, HOUR, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

const FREEZE = { name: "november", from: "2026-11-22", to: "2026-11-23", timeZone: "UTC", reason: "elections" };
const MARS = { name: "mars", from: "2026-11-22", to: "2026-11-23", timeZone: "Mars/Base" };

/** An emergency that an Approval let begin: its first wave is open and nobody has started. */
function emergency(freezes: object[]) {
  const world = new RolloutWorld(pops(3), { class: "Emergency", startNotBefore: undefined });
  world.settle(SUNDAY);
  world.approvals = [approval("now", world.status.digest!, { actions: ["Emergency"] })];
  world.settle(SUNDAY);
  world.fleet = { freezes: freezes as never };
  return world.settle(SUNDAY);
}

describe("[G2] an open wave", () => {
  it("of an emergency says which freeze holds it and until when, in one write; without one it is being made", () => {
    const world = emergency([FREEZE]);
    expect(world.status.holds).toEqual([
      {
        rule: "W6",
        reason: "Frozen",
        message: expect.stringContaining("wave canary waits for 2 PoPs, of which") as string,
        until: "2026-11-24T00:00:00.000Z",
      },
    ]);
    expect(world.status.holds![0]!.message).toContain("freeze november (elections) holds; it ends Tuesday 2026-11-24 00:00 UTC");
    expect(world.decide().wakeAt).toBe(Date.UTC(2026, 10, 24));
    const { writes } = world;
    for (let hour = 1; hour < 40; hour += 1) world.settle(SUNDAY + hour * HOUR);
    expect(world.writes).toBe(writes);
    expect(emergency([]).status.holds).toEqual([]);
  });

  it("of an emergency says that the Fleet's freezes cannot be read, and what to write", () => {
    const [hold] = emergency([MARS]).status.holds!;
    expect([hold!.reason, hold!.until]).toEqual(["WindowInvalid", undefined]);
    expect(hold!.message).toContain("the Fleet's spec.freezes[0].timeZone:");
    expect(hold!.message).toContain("nothing rolls forward until that is corrected");
  });

  it("of a release names the freeze that is in force beside the first window after it", () => {
    const world = new RolloutWorld(pops(3)).settle(SUNDAY);
    world.fleet = { freezes: [FREEZE] };
    const [hold] = world.settle(SUNDAY).status.holds!;
    expect(hold).toMatchObject({ reason: "OutsideWindow", until: "2026-11-29T01:00:00.000Z" });
    expect(hold!.message).toContain("at 2026-11-29T01:00:00.000Z; freeze november (elections) holds; it ends Tuesday 2026-11-24");
  });

  it("of a release with freezes that cannot be read says that, and not that a window is missing", () => {
    const world = new RolloutWorld(pops(3)).settle(SUNDAY);
    world.fleet = { freezes: [MARS] };
    expect(world.settle(SUNDAY).status.holds![0]!.message).toContain("the Fleet's spec.freezes[0].timeZone:");
  });

  it("waits for a bake until the last of its PoPs has baked, where every ledger says when", () => {
    const world = new RolloutWorld(pops(3)).settle(SUNDAY);
    const [first, second] = world.members("canary");
    const baking = (name: string, bakesUntil?: string) =>
      world.change(name, {
        run: { ...world.rolls(name, "Baking").pop(name).run!, ...(bakesUntil === undefined ? {} : { bakesUntil }) },
      });
    baking(first!, "2026-11-22T05:00:00.000Z");
    baking(second!, "2026-11-22T05:20:00.000Z");
    world.settle(SUNDAY + 2 * HOUR);
    expect(world.status.holds).toMatchObject([{ reason: "Baking", until: "2026-11-22T05:20:00.000Z" }]);
    baking(first!);
    expect(world.settle(SUNDAY + 2 * HOUR).status.holds![0]!.until).toBeUndefined();
  });
});

describe("[W4] [W10] a wave of which no PoP has a usable window says why", () => {
  const holdOf = (world: RolloutWorld) => world.settle(FRIDAY).status.holds![0]!.message;

  it("its window is shorter than one node", () => {
    const world = new RolloutWorld(pops(3));
    world.window = maintenanceWindowSpec.parse({ schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "5m" }] }, notice: "0s" });
    expect(holdOf(world)).toContain("MaintenanceWindow pop-sunday is at most 5m long and holds no node: expected 8m");
  });

  it("its window does not exist, or the Fleet's freezes cannot be read", () => {
    expect(holdOf(new RolloutWorld(pops(3, { windowRef: "nope" })))).toContain("; MaintenanceWindow nope does not exist");
    const world = new RolloutWorld(pops(3));
    world.fleet = { freezes: [MARS] };
    expect(holdOf(world)).toContain("the Fleet's spec.freezes[0].timeZone:");
  });
});
