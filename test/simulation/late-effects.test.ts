import { describe, expect, it } from "vitest";
import { asleep } from "./asleep.ts";
import { HOUR, isClaimed, MINUTE, SECOND } from "./scenario.ts";
import { answers, claimOf, goesThrough, pause, remove, run, step, takeBack } from "./traces.ts";

/**
 * The traces that the model of the claim protocol found in a literal reading of the rules, played with the real controllers: operator
 * `a` sleeps with one effect in hand, `b` believes to lead too and goes on, `a` wakes. Node n1 is whichever node is claimed first.
 * Here: effects that come late. The others stand in old-views.test.ts and finalizer-and-grants.test.ts.
 */

describe("[H1] a late claim", () => {
  it("on a node that is finished is refused with 422: its claim has ended, and the value does not come back", async () => {
    const { scenario, node, effect } = await asleep("claim", 60 * SECOND);
    scenario.operator({ name: "b" });
    await goesThrough(scenario);
    await scenario.world.clock.advance(2 * MINUTE);
    expect(claimOf(scenario, node)).toBe(`released:${effect.detail}`);
    expect(answers(scenario, "a", node)).toEqual([422]);
    scenario.invariants.check();
  });

  it("on a node that was given back before the claim reached it is refused: the give-back ends the claim on the node too", async () => {
    const { scenario, node, effect } = await asleep("claim", 60 * SECOND);
    await pause(scenario, true);
    scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    expect(claimOf(scenario, node)).toBe(`released:${effect.detail}`);
    await scenario.world.clock.advance(2 * MINUTE);
    expect(answers(scenario, "a", node)).toEqual([422]);
    expect(scenario.serving(node)).toBe(true);
    await pause(scenario, false);
    await goesThrough(scenario);
  });

  it("after the PoPCluster is gone is refused: nothing bears a claim for ever, nothing is drained", async () => {
    const { scenario, node } = await asleep("claim", 60 * SECOND);
    scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Claimed", MINUTE, "the claim");
    await remove(scenario);
    await scenario.until(() => scenario.pop() === undefined, MINUTE, "the PoPCluster's end");
    await scenario.world.clock.advance(2 * MINUTE);
    expect(answers(scenario, "a", node)).toEqual([422]);
    expect(scenario.nodes().map(isClaimed)).toEqual([false, false, false]);
    scenario.invariants.check();
  });
});

describe("[H2] a late drain.start", () => {
  it("meets the new container of a node that is done, which answers 409 and goes on serving", async () => {
    const { scenario, node } = await asleep("drain.start", 12 * SECOND);
    scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Done", MINUTE, "the node done by b");
    await goesThrough(scenario);
    await scenario.world.clock.advance(MINUTE);
    expect(scenario.serving(node)).toBe(true);
    scenario.invariants.check();
  });

  it("meets the same pod after a reboot, another container with no memory of the token, and is refused", async () => {
    const { scenario, node } = await asleep("drain.start", 40 * SECOND);
    await pause(scenario, true);
    scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    await scenario.world.while(scenario.world.nodes.reboot(node));
    await scenario.world.clock.advance(60 * SECOND);
    expect(scenario.serving(node)).toBe(true);
    scenario.invariants.check();
    await pause(scenario, false);
    await goesThrough(scenario);
  });

  it("that was cancelled before it was ever heard is refused by the same container", async () => {
    const { scenario, node } = await asleep("drain.start", 30 * SECOND);
    await pause(scenario, true);
    scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    await scenario.world.clock.advance(MINUTE);
    expect(scenario.serving(node)).toBe(true);
    scenario.invariants.check();
    await pause(scenario, false);
    await goesThrough(scenario);
  });
});

describe("[H5] a verdict while a node is in hand", () => {
  it("fences first: a late label on of the failed revision is refused, and the node goes to the version before", async () => {
    const { scenario, node } = await asleep("label-on", 30 * SECOND, { nth: 2 });
    scenario.operator({ name: "b" });
    await takeBack(scenario);
    await scenario.until(() => run(scenario)?.kind === "Rollback", MINUTE, "the verdict");
    await scenario.world.clock.advance(MINUTE);
    expect(answers(scenario, "a", node).at(-1)).toBe(422);
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback");
    expect(scenario.pop()?.status?.history?.at(-1)).toMatchObject({ version: "2.0.0", outcome: "RolledBack" });
    await goesThrough(scenario);
  });

  it("a crash between fence and verdict loses neither: the verdict comes, or the node is claimed anew", async () => {
    const { scenario, a, node } = await asleep("label-on", 5 * SECOND, { nth: 2 });
    a.crash();
    const b = scenario.operator({
      name: "b",
      mishap: (effect) => (effect.name === "claim" && effect.target === node ? { crash: "after" } : undefined),
    });
    await takeBack(scenario);
    await scenario.until(() => !b.alive, HOUR, "b dead between fence and verdict");
    scenario.operator({ name: "c" });
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback");
    await goesThrough(scenario);
  });

  it("a node that only drains is given back under its old token, and stays on the version before", async () => {
    const { scenario, node } = await asleep("drain.start", 30 * SECOND, { nth: 2 });
    // Before b is there: it would need only a few milliseconds from the drain to label off.
    await takeBack(scenario);
    scenario.operator({ name: "b" });
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback");
    expect(scenario.restarts()[node]).toBe(0);
    await goesThrough(scenario);
  });
});

describe("[H6] a give-back", () => {
  it("ends the claim before it cancels the drain: a late label off is refused and cuts no session", async () => {
    const { scenario, node } = await asleep("label-off", 40 * SECOND);
    await pause(scenario, true);
    const b = scenario.operator({ name: "b" });
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    expect(b.effects.filter((effect) => effect.target === node).map((effect) => effect.name)).toEqual(["release", "drain.cancel"]);
    await scenario.world.clock.advance(MINUTE);
    expect(answers(scenario, "a", node)).toEqual([200, 422]);
    expect(scenario.restarts()[node]).toBe(0);
    scenario.invariants.check();
    await pause(scenario, false);
    await goesThrough(scenario);
  });

  it("an operator that was away for longer than the drain's lease does not take the label off under sessions that came back", async () => {
    const { scenario, a, node } = await asleep("status", 0, { nth: 1 });
    a.mishap = (effect) => (effect.name === "drain.start" ? { crash: "after" } : undefined);
    await scenario.until(() => !a.alive, HOUR, "the crash in mid-drain");
    await scenario.world.clock.advance(90 * SECOND);
    expect(scenario.nodes().filter((one) => scenario.draining(one.metadata.name))).toEqual([]);
    scenario.operator({ name: "b" });
    await goesThrough(scenario);
    expect(node).toBe("fra1");
  });
});
