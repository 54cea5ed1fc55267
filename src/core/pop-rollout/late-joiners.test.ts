import { describe, expect, it } from "vitest";
import { DAY, other, pop, pops, RolloutWorld, SUNDAY, HOUR } from "./pop-rollout.examples.ts";

/** All waves are over. */
function standing(count = 4, spec: Record<string, unknown> = {}): RolloutWorld {
  const world = new RolloutWorld(pops(count), spec).settle(SUNDAY);
  world.passes(...world.pops.map(({ name }) => name)).settle(SUNDAY + 7 * DAY);
  expect(world.status.standing).toBe(true);
  return world;
}

describe("[G4] a finished rollout stands", () => {
  it("who joins later follows to its version by its own window, outside the dates of the train", () => {
    const world = standing();
    world.pops = [...world.pops, pop("new", { version: undefined as never })];
    world.settle(SUNDAY + 30 * DAY);
    expect(world.of("new")).toMatchObject({ late: true, version: "2026.11.2", order: "Go", state: "Assigned" });
    expect([world.of("new")?.from, world.of("new")?.to, world.of("new")?.watchUntil]).toEqual([undefined, undefined, undefined]);
    world.passes("new").settle(SUNDAY + 31 * DAY);
    expect(world.status.numbers).toEqual({ pops: 5, passed: 5, open: 0, failed: 0, skipped: 0 });
  });

  it("at most one a week of four PoPs, and the others say until when they wait", () => {
    const world = standing();
    world.pops = [...world.pops, ...["a", "b", "c"].map((name) => pop(name, { version: undefined as never }))];
    world.settle(SUNDAY + 30 * DAY);
    expect(world.members("late.joiners")).toHaveLength(1);
    expect(world.status.holds).toMatchObject([{ rule: "G4", reason: "BudgetExhausted", until: new Date(SUNDAY + 37 * DAY).toISOString() }]);
    world.settle(SUNDAY + 37 * DAY - 1);
    expect(world.members("late.joiners")).toHaveLength(1);
    world.settle(SUNDAY + 37 * DAY);
    expect(world.members("late.joiners")).toHaveLength(2);
  });

  it("5 % of 60 PoPs are three a week", () => {
    const world = standing(50);
    world.pops = [...world.pops, ...pops(10).map((one) => ({ ...one, name: `n${one.name}`, uid: `n${one.uid}` }))];
    world.settle(SUNDAY + 30 * DAY);
    expect(world.members("late.joiners")).toHaveLength(3);
  });

  it("a PoP that a person pins no longer follows; one that failed here does not", () => {
    const world = new RolloutWorld([...pops(4), pop("pin", { pinned: "2026.10.1", version: "2026.10.1" })], {
      failureBudget: { pops: 1 },
    }).settle(SUNDAY);
    world.passes(...world.members("canary")).settle(SUNDAY + 2 * HOUR);
    const [bad, good] = world.members("rest");
    world
      .ends(bad!, "RolledBack")
      .passes(good!)
      .settle(SUNDAY + 3 * HOUR);
    expect([world.status.standing, world.state("pin")]).toEqual([true, "Skipped(PinnedByPerson)"]);
    const { pinned: _, ...free } = world.pop("pin");
    world.pops = world.pops.map((one) => (one.name === "pin" ? free : one));
    world.settle(SUNDAY + 30 * DAY);
    expect([world.of("pin")?.late, world.state("pin"), world.state(bad!)]).toEqual([true, "Assigned", "RolledBack"]);
    expect(world.status.assignments!.filter((one) => one.pop === "pin")).toHaveLength(1);
  });

  it("while a newer rollout is under way it takes who has a version; the older one keeps PoPs that have none", () => {
    const world = standing();
    world.others = [other("r-3", { createdAt: "2026-12-20T00:00:00Z", waves: [{ name: "canary", state: "Open", pops: ["p00"] }] })];
    world.pops = [...world.pops, pop("old"), pop("new", { version: undefined as never })];
    world.settle(SUNDAY + 30 * DAY);
    expect(world.members("late.joiners")).toEqual(["new"]);
  });

  it.each([
    ["paused", { paused: true }],
    ["stopped", { requests: { stop: { at: "2026-12-01T00:00:00Z" } } }],
  ])("nobody follows while it is %s", (_, spec) => {
    const world = standing()
      .edit(spec)
      .settle(SUNDAY + 20 * DAY);
    world.pops = [...world.pops, pop("new")];
    expect(world.settle(SUNDAY + 30 * DAY).of("new")).toBeUndefined();
  });
});
