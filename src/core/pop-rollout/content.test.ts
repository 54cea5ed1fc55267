import { describe, expect, it } from "vitest";
import { HOUR, pop, pops, RolloutWorld, SUNDAY, DAY } from "./pop-rollout.examples.ts";
import type { RolloutPop } from "./observation.ts";

const CONTENT = {
  version: undefined,
  startNotBefore: undefined,
  content: { version: "sig.418" },
  waves: [
    { name: "canary", pops: { count: 1 }, bake: "10m" },
    { name: "rest", pops: { percent: 100 }, bake: "10m" },
  ],
};
const MINUTE = 60_000;
const WEDNESDAY = SUNDAY + 3 * DAY;
const has = (world: RolloutWorld, content: RolloutPop["content"], ...names: string[]) => {
  for (const name of names) world.change(name, { content: content! });
  return world;
};
const LOADED = { current: "sig.418", state: "Loaded" as const, failed: [] };

describe("[P15] content", () => {
  it("needs no window, notice or dates: the canary is assigned at once, on a Wednesday", () => {
    const world = new RolloutWorld(pops(8), CONTENT).settle(WEDNESDAY);
    const [canary] = world.members("canary");
    expect(world.of(canary!)).toMatchObject({ version: "sig.418", order: "Go", state: "Assigned" });
    expect([world.of(canary!)?.from, world.of(canary!)?.bake, world.of(canary!)?.watchUntil]).toEqual([undefined, undefined, undefined]);
  });

  it("a wave bakes for minutes after its last PoP has loaded it, and the next one follows", () => {
    const world = new RolloutWorld(pops(8), CONTENT).settle(WEDNESDAY);
    const [canary] = world.members("canary");
    has(world, { current: "sig.417", target: "sig.418", state: "Loading", failed: [] }, canary!).settle(WEDNESDAY + MINUTE);
    expect(world.state(canary!)).toBe("Rolling");
    has(world, LOADED, canary!).settle(WEDNESDAY + 2 * MINUTE);
    expect([world.state(canary!), world.wave("canary")?.state, world.decide().wakeAt]).toEqual(["Passed", "Open", WEDNESDAY + 12 * MINUTE]);
    world.settle(WEDNESDAY + 12 * MINUTE - 1);
    expect(world.wave("rest")?.state).toBe("Pending");
    world.settle(WEDNESDAY + 12 * MINUTE);
    expect([world.wave("canary")?.state, world.members("rest").length]).toEqual(["Passed", 7]);
    has(world, LOADED, ...world.members("rest")).settle(WEDNESDAY + HOUR);
    world.settle(WEDNESDAY + HOUR + 10 * MINUTE);
    expect([world.status.outcome, world.status.standing]).toEqual(["Completed", true]);
  });

  it("a failure on the canary halts it, and everybody goes back to the previous content", () => {
    const world = new RolloutWorld(pops(8), CONTENT).settle(WEDNESDAY);
    const [canary] = world.members("canary");
    const failed = [{ version: "sig.418", at: new Date(WEDNESDAY + MINUTE).toISOString(), evidence: "crash loop in the matcher" }];
    has(world, { current: "sig.417", target: "sig.418", state: "RollingBack", failed }, canary!).settle(WEDNESDAY + MINUTE);
    expect([world.state(canary!), world.status.halted]).toEqual(["RollingBack", undefined]);
    has(world, { current: "sig.417", state: "Loaded", failed }, canary!).settle(WEDNESDAY + 2 * MINUTE);
    expect([world.state(canary!), world.status.takenBack !== undefined, world.members("rest")]).toEqual(["RolledBack", true, []]);
    expect(world.status.outcome).toBe("RolledBack");
  });

  it("PoPs that load no content, and those whose content a person pinned, are skipped and take no place", () => {
    const odd = [pop("bare", { loadsContent: false }), pop("pin", { pinnedContent: "sig.400" })];
    const world = new RolloutWorld([...pops(3), ...odd], CONTENT).settle(WEDNESDAY);
    has(world, LOADED, ...world.members("canary")).settle(WEDNESDAY + MINUTE);
    world.settle(WEDNESDAY + HOUR);
    expect([world.state("bare"), world.state("pin")]).toEqual(["Skipped(OtherBase)", "Skipped(PinnedByPerson)"]);
    expect(world.status.numbers).toMatchObject({ pops: 5, skipped: 2 });
  });

  it("PoPs that have it already have passed", () => {
    const world = has(new RolloutWorld(pops(3), { ...CONTENT, waves: [{ name: "all", pops: { percent: 100 } }] }), LOADED, "p01").settle(
      WEDNESDAY,
    );
    expect(world.state("p01")).toBe("Passed(AlreadyThere)");
  });
});
