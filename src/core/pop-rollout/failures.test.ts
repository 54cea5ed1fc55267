import { describe, expect, it } from "vitest";
import { HOUR, pop, pops, RolloutWorld, SUNDAY } from "./pop-rollout.examples.ts";

const WAVES = [
  { name: "canary", pops: { count: 1 } },
  { name: "rest", pops: { percent: 100 } },
];

/** The canary has passed, the rest is assigned. */
function inRest(spec: Record<string, unknown>): {
  readonly world: RolloutWorld;
  readonly canary: string;
  readonly rest: readonly string[];
} {
  const world = new RolloutWorld(pops(6), { waves: WAVES, ...spec }).settle(SUNDAY);
  const [canary] = world.members("canary");
  world.passes(canary!).settle(SUNDAY + 2 * HOUR);
  return { world, canary: canary!, rest: world.members("rest") };
}

describe("[F4] failures", () => {
  it("[F1] the first wave's budget is 0, whatever the rollout's is", () => {
    const world = new RolloutWorld(pops(6), { failureBudget: { pops: 3 } }).settle(SUNDAY);
    const [first, second] = world.members("canary");
    world
      .passes(first!)
      .rolls(second!)
      .settle(SUNDAY + 2 * HOUR);
    world.goesBack(second!).settle(SUNDAY + 3 * HOUR);
    expect([world.state(second!), world.status.halted]).toEqual(["RollingBack", undefined]);
    world.ends(second!, "RolledBack").settle(SUNDAY + 4 * HOUR);
    expect(world.status.halted?.because).toContain(
      `it failed on PoP ${second} of the first wave canary, whose failure budget is 0 (5xx over 5 %)`,
    );
    expect(world.wave("rest")?.state).toBe("Pending");
  });

  it("[W5] what the end of a window took back, without a verdict, is no failure: the PoP goes on in its next window", () => {
    const world = new RolloutWorld(pops(6)).settle(SUNDAY);
    const [first] = world.members("canary");
    world.rolls(first!).settle(SUNDAY + 2 * HOUR);
    const history = [
      {
        version: "2026.11.2",
        startedAt: "2026-11-22T01:00:00Z",
        endedAt: "2026-11-22T05:10:00Z",
        outcome: "RolledBack",
        evidence: "the window closed",
      },
    ] as const;
    world.pops = world.pops.map((one) => (one.name === first ? { ...pop(one.name), history } : one));
    world.settle(SUNDAY + 6 * HOUR);
    expect([world.state(first!), world.status.halted]).toEqual(["Assigned", undefined]);
  });

  it("failures within the budget halt nothing, and the wave is done when the others have passed", () => {
    const { world, rest } = inRest({ failureBudget: { pops: 1 } });
    const [bad, ...good] = rest;
    world
      .ends(bad!, "RolledBack")
      .passes(...good)
      .settle(SUNDAY + 3 * HOUR);
    expect([world.status.halted, world.status.outcome, world.status.numbers]).toEqual([
      undefined,
      "Completed",
      { pops: 6, passed: 5, open: 0, failed: 1, skipped: 0 },
    ]);
  });

  it("Halt: who has not begun and who is in mid-run is held, who has the version keeps it, a rollback finishes", () => {
    const { world, canary, rest } = inRest({ onFailure: "Halt" });
    const [bad, mid, back, ...waiting] = rest;
    world.rolls(mid!).settle(SUNDAY + 3 * HOUR);
    world
      .goesBack(back!)
      .ends(bad!, "RolledBack")
      .settle(SUNDAY + 4 * HOUR);
    expect(world.status.halted?.because).toContain(`it failed on 1 PoP (${bad}), the failure budget is 0`);
    expect([world.of(mid!)?.order, world.of(waiting[0]!)?.order, world.of(canary)?.order, world.of(back!)?.order]).toEqual([
      "Hold",
      "Hold",
      "Go",
      "Go",
    ]);
    expect(world.of(mid!)?.because).toBe(world.status.halted!.because);
    expect([world.condition("Progressing"), world.status.outcome]).toEqual(["True RollingBack", undefined]);
    world
      .ends(back!, "RolledBack")
      .ends(mid!, "Stopped")
      .settle(SUNDAY + 5 * HOUR);
    expect([world.condition("Progressing"), world.status.outcome]).toEqual(["False Halted", "Halted"]);
  });

  it("RollBackWave: the members of the failing wave that have the version take it back, once; other waves keep it", () => {
    const { world, canary, rest } = inRest({ onFailure: "RollBackWave" });
    const [bad, mid, passed, waiting] = rest;
    world
      .passes(passed!)
      .rolls(mid!)
      .settle(SUNDAY + 3 * HOUR);
    world.ends(bad!, "RolledBack").settle(SUNDAY + 4 * HOUR);
    const at = world.status.halted!.at;
    expect([world.of(mid!), world.of(passed!)]).toMatchObject([
      { order: "TakeBack", orderedAt: at },
      { order: "TakeBack", orderedAt: at },
    ]);
    expect([world.of(canary)?.order, world.of(waiting!)?.order]).toEqual(["Go", "Hold"]);
    world
      .goesBack(mid!)
      .goesBack(passed!)
      .settle(SUNDAY + 5 * HOUR);
    world
      .ends(mid!, "RolledBack")
      .ends(passed!, "RolledBack")
      .settle(SUNDAY + 6 * HOUR);
    expect([world.status.halted!.at, world.status.outcome, world.of(canary)?.order]).toEqual([at, "Halted", "Go"]);
  });

  it("RollBackAll, which is what an unwritten onFailure means: everybody takes it back", () => {
    const { world, canary, rest } = inRest({});
    world.ends(rest[0]!, "RolledBack").settle(SUNDAY + 4 * HOUR);
    expect([world.of(canary)?.order, world.of(rest[1]!)?.order, world.condition("Progressing")]).toEqual([
      "TakeBack",
      "Hold",
      "True RollingBack",
    ]);
    world.goesBack(canary).settle(SUNDAY + 5 * HOUR);
    world.ends(canary, "RolledBack").settle(SUNDAY + 6 * HOUR);
    expect([world.status.outcome, world.condition("Progressing"), world.condition("Succeeded")]).toEqual([
      "RolledBack",
      "False RolledBack",
      "False Failed",
    ]);
  });

  it("a PoP that could not go back halts whatever the budget is", () => {
    const { world, rest } = inRest({ failureBudget: { pops: 5 } });
    world.ends(rest[0]!, "RollbackFailed").settle(SUNDAY + 4 * HOUR);
    expect(world.status.halted?.because).toContain(`PoP ${rest[0]} could not go back`);
  });

  it("[F1] a wave of which nobody passed shows nothing: it halts, though the failures are within the budget", () => {
    const { world, rest } = inRest({ failureBudget: { pops: 5 } });
    for (const name of rest) world.ends(name, "RolledBack");
    world.settle(SUNDAY + 4 * HOUR);
    expect(world.status.halted?.because).toContain("no PoP of wave rest passed");
  });

  it("[P8] a failure in the watch, after the wave is over, halts too, and a rollout that stood does not stand any more", () => {
    const { world, canary, rest } = inRest({ onFailure: "Halt" });
    world.passes(...rest).settle(SUNDAY + 4 * HOUR);
    expect(world.status.standing).toBe(true);
    world.goesBack(canary).settle(SUNDAY + 5 * HOUR);
    world.ends(canary, "RolledBack").settle(SUNDAY + 6 * HOUR);
    expect([world.status.standing, world.status.outcome, world.wave("rest")?.state]).toEqual([undefined, "Halted", "Passed"]);
  });

  it("[P16] a first version that breaks has nothing to go back to: it counts as a failure that cannot go back", () => {
    const world = new RolloutWorld(pops(4, { version: undefined as never })).settle(SUNDAY);
    const [first] = world.members("canary");
    const run = {
      kind: "Join" as const,
      version: "2026.11.2",
      state: "Rolling" as const,
      startedAt: "2026-11-22T01:00:00Z",
      cause: "ErrImagePull",
    };
    world.change(first!, { run }).settle(SUNDAY + 2 * HOUR);
    expect([world.state(first!), world.status.halted !== undefined]).toEqual(["RollbackFailed(FirstVersion)", true]);
  });

  it("[G12] what a PoP reports as evidence is capped and stripped", () => {
    const { world, rest } = inRest({});
    world.ends(rest[0]!, "RolledBack");
    const [entry] = world.pop(rest[0]!).history;
    world.change(rest[0]!, { history: [{ ...entry!, evidence: `bad\u001b[31m${"x".repeat(5000)}` }] }).settle(SUNDAY + 4 * HOUR);
    expect(world.of(rest[0]!)!.message).toMatch(/^bad \[31mx+…$/);
    expect(world.of(rest[0]!)!.message!.length).toBe(512);
  });
});
