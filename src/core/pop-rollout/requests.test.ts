import { describe, expect, it } from "vitest";
import { HOUR, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

const WAVES = [
  { name: "canary", pops: { count: 1 } },
  { name: "rest", pops: { percent: 100 } },
];
const AT = "2026-11-22T03:00:00Z";

function inRest(spec: Record<string, unknown> = {}): {
  readonly world: RolloutWorld;
  readonly canary: string;
  readonly rest: readonly string[];
} {
  const world = new RolloutWorld(pops(5), { waves: WAVES, ...spec }).settle(SUNDAY);
  const [canary] = world.members("canary");
  world.passes(canary!).settle(SUNDAY + 2 * HOUR);
  return { world, canary: canary!, rest: world.members("rest") };
}

describe("a person's word", () => {
  it("stop: who has not begun is held, who is in mid-run is asked to stop, who has the version keeps it; once for each `at`", () => {
    const { world, canary, rest } = inRest();
    world.rolls(rest[0]!).settle(SUNDAY + 3 * HOUR);
    world.edit({ requests: { stop: { at: AT } } }).settle();
    expect([world.of(rest[0]!)?.order, world.of(rest[1]!)?.order, world.of(canary)?.order]).toEqual(["Stop", "Hold", "Go"]);
    expect([world.of(rest[0]!)?.orderedAt, world.status.handled]).toEqual([world.status.stopped!.at, { stop: AT }]);
    world.ends(rest[0]!, "Stopped").settle(SUNDAY + 4 * HOUR);
    expect([world.state(rest[0]!), world.status.outcome, world.condition("Progressing")]).toEqual([
      "Stopped(Stopped)",
      "Stopped",
      "False Stopped",
    ]);
    const { writes } = world;
    world.settle(SUNDAY + 5 * HOUR);
    expect(world.writes).toBe(writes);
  });

  it("retry goes on where it stopped, with the frozen waves; who was stopped or failed is tried again, once", () => {
    const { world, rest } = inRest({ onFailure: "Halt" });
    world.ends(rest[0]!, "RolledBack").settle(SUNDAY + 3 * HOUR);
    expect(world.status.halted).toBeDefined();
    const { waves } = world.status;
    world.edit({ requests: { retry: { at: AT } } }).settle(SUNDAY + 4 * HOUR);
    expect([world.status.halted, world.status.outcome, world.status.waves]).toEqual([undefined, undefined, waves]);
    expect(world.of(rest[0]!)).toMatchObject({ state: "Assigned", order: "Go", retryAt: AT, since: "2026-11-22T04:00:00.000Z" });
    expect(world.of(rest[1]!)).toMatchObject({ state: "Assigned", order: "Go" });
    expect(world.of(rest[1]!)?.retryAt).toBeUndefined();
    world.passes(...rest).settle(SUNDAY + 5 * HOUR);
    expect(world.status.outcome).toBe("Completed");
  });

  it("takeBack: everybody who has it takes it back, whoever goes on is held, and it ends RolledBack", () => {
    const { world, canary, rest } = inRest();
    world
      .rolls(rest[0]!)
      .edit({ requests: { takeBack: { at: AT } } })
      .settle(SUNDAY + 3 * HOUR);
    expect([canary, ...rest].map((name) => world.of(name)?.order)).toEqual(["TakeBack", "TakeBack", "Hold", "Hold", "Hold"]);
    world
      .goesBack(canary)
      .goesBack(rest[0]!)
      .settle(SUNDAY + 4 * HOUR);
    expect(world.status.outcome).toBeUndefined();
    world
      .ends(canary, "RolledBack")
      .ends(rest[0]!, "RolledBack")
      .settle(SUNDAY + 5 * HOUR);
    expect(world.status.outcome).toBe("RolledBack");
  });

  it("a retry waits until what goes back has gone back, or that would be the next failure", () => {
    const { world, canary, rest } = inRest();
    world.ends(rest[0]!, "RolledBack").settle(SUNDAY + 3 * HOUR);
    world
      .goesBack(canary)
      .edit({ requests: { retry: { at: AT } } })
      .settle(SUNDAY + 4 * HOUR);
    expect([world.status.handled, world.status.holds!.map(({ message }) => message).join()]).toEqual([
      undefined,
      expect.stringContaining(`spec.requests.retry of ${AT} is carried out when ${canary} has gone back`),
    ]);
    world.ends(canary, "RolledBack").settle(SUNDAY + 5 * HOUR);
    expect([world.status.handled, world.status.halted, world.state(canary), world.state(rest[0]!)]).toEqual([
      { retry: AT },
      undefined,
      "Assigned",
      "Assigned",
    ]);
  });

  it("two at once are carried out in the order in which they were asked", () => {
    const { world } = inRest();
    world.edit({ requests: { stop: { at: AT }, retry: { at: "2026-11-22T03:30:00Z" } } }).settle(SUNDAY + 4 * HOUR);
    expect([world.status.stopped, world.status.handled]).toEqual([undefined, { stop: AT, retry: "2026-11-22T03:30:00Z" }]);
  });

  it("a request for which there is nothing to do is said to be ignored, and recorded", () => {
    const { world } = inRest();
    world.edit({ requests: { retry: { at: AT } } }).settle(SUNDAY + 4 * HOUR);
    expect([world.events.at(-1), world.status.handled]).toEqual(["RequestIgnored", { retry: AT }]);
  });

  it("[G13] paused: nothing opens, who has not begun or is in mid-run is held; [G15] acknowledged 10 s after", () => {
    const world = new RolloutWorld(pops(5)).settle(SUNDAY);
    const [first, second] = world.members("canary");
    world
      .rolls(first!)
      .edit({ paused: true })
      .settle(SUNDAY + 2 * HOUR);
    expect([world.of(first!)?.order, world.of(second!)?.order, world.condition("Paused")]).toEqual([
      "Hold",
      "Hold",
      "False PauseRequested",
    ]);
    expect(world.decide().wakeAt).toBe(SUNDAY + 2 * HOUR + 10_000);
    world.settle(SUNDAY + 2 * HOUR + 9_999);
    expect(world.condition("Paused")).toBe("False PauseRequested");
    world.settle(SUNDAY + 2 * HOUR + 10_000);
    expect([world.condition("Paused"), world.condition("Progressing")]).toEqual(["True PausedByPerson", "False Paused"]);
    world.passes(first!, second!).settle(SUNDAY + 3 * HOUR);
    expect([world.wave("canary")?.state, world.wave("rest")?.state]).toEqual(["Passed", "Pending"]);
    world.edit({ paused: false }).settle(SUNDAY + 3.5 * HOUR);
    expect([world.wave("rest")?.state, world.condition("Paused"), world.status.pausedAt]).toEqual(["Open", "False NotPaused", undefined]);
  });

  it("[G13] while the Fleet is paused, or there is none, no wave opens", () => {
    const world = new RolloutWorld(pops(5));
    world.fleet = { paused: true };
    world.settle(SUNDAY);
    expect([world.status.assignments ?? [], world.status.holds![0]!.reason]).toEqual([[], "FleetPaused"]);
    world.fleet = undefined;
    world.settle(SUNDAY + HOUR);
    expect([world.status.assignments ?? [], world.status.holds![0]!.reason]).toEqual([[], "FleetMissing"]);
  });
});
