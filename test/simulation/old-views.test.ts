import { describe, expect, it } from "vitest";
import { REVISION_LABEL } from "../../src/api/names.ts";
import { asleep } from "./asleep.ts";
import { HOUR, MINUTE, Scenario, SECOND } from "./scenario.ts";
import { goesThrough, run, step, takeBack } from "./traces.ts";

/**
 * The traces that the model of the claim protocol found in a literal reading of the rules, played with the real controllers: operator
 * `a` sleeps with one effect in hand, `b` believes to lead too and goes on, `a` wakes. Node n1 is whichever node is claimed first.
 * Here: decisions on what is no longer so. The others stand in late-effects.test.ts and finalizer-and-grants.test.ts.
 */

describe("[H3] an old view of the nodes", () => {
  it("moves no ledger: an operator whose caches are 2 minutes behind ends a rollback only when no node bears the failed revision", async () => {
    const scenario = await Scenario.create();
    const late = scenario.operator({ name: "a", lagMilliseconds: 2 * MINUTE });
    const b = scenario.operator({ name: "b" });
    await scenario.want("2.0.0-bad-health");
    await scenario.until(() => run(scenario)?.kind === "Rollback", HOUR, "the verdict");
    b.crash();
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback by a alone");
    expect(late.alive).toBe(true);
    expect(new Set(scenario.nodes().map((node) => node.metadata.labels?.[REVISION_LABEL])).size).toBe(1);
    await goesThrough(scenario);
  });

  it("of a node that is back for long does not skip it as gone", async () => {
    const scenario = await Scenario.create();
    await scenario.want("2.0.0");
    scenario.operator({ name: "a", lagMilliseconds: 90 * SECOND });
    await scenario.world.while(scenario.world.nodes.recreate("fra1-n2"));
    scenario.operator({ name: "b" });
    await goesThrough(scenario);
    expect(
      scenario.pop()?.status?.nodes?.filter((entry) => entry.step === "Skipped" && scenario.node(entry.name)?.metadata.uid === entry.uid),
    ).toEqual([]);
  });
});

describe("[H4] the budget", () => {
  const others = (scenario: Scenario, node: string) =>
    scenario
      .nodes()
      .map((one) => one.metadata.name)
      .filter((name) => name !== node);

  it("is looked at again between claim and first drain.start: a node cordoned meanwhile gives the claim back", async () => {
    const { scenario, a, node } = await asleep("claim", 8 * SECOND);
    await scenario.patchNode(others(scenario, node)[0]!, { unschedulable: true });
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    expect(a.effects.filter((effect) => effect.name === "drain.start")).toEqual([]);
    scenario.invariants.check();
    await scenario.patchNode(others(scenario, node)[0]!, { unschedulable: false });
    await goesThrough(scenario);
  });

  it("is looked at again right before label off: a node that died during the drain gives the drained node back", async () => {
    const { scenario, a, node } = await asleep("drain.start", 6 * SECOND);
    const other = others(scenario, node)[0]!;
    await scenario.world.while(scenario.world.nodes.kill(other));
    await scenario.until(() => step(scenario, node) === "Pending", MINUTE, "the give-back");
    expect(a.effects.filter((effect) => effect.name === "label-off")).toEqual([]);
    expect(scenario.serving(node)).toBe(true);
    scenario.invariants.check();
    await scenario.world.while(scenario.world.nodes.reboot(other));
    await goesThrough(scenario);
  });

  it("counts a node without label as out although its old pod may still answer: a rollback waits for it", async () => {
    const { scenario, node: second } = await asleep("label-on", 20 * SECOND, { nth: 2 });
    const first = scenario.pop()!.status!.nodes!.find((entry) => entry.step === "Done" && entry.token !== undefined)!.name;
    scenario.operator({ name: "b" });
    await takeBack(scenario);
    await scenario.until(() => scenario.draining(first), HOUR, "the rollback of the first node");
    expect(scenario.serving(second)).toBe(true);
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback");
    await goesThrough(scenario);
  });

  it("an effect whose list of nodes is older than 10 s is not sent", async () => {
    const { scenario, a, node } = await asleep("status", 0);
    // The process stands still between its list and its effect: every call of it takes 11 s.
    a.hub.fault = ({ verb, kind }) => (verb === "list" && kind === "DaemonSet" ? { delayMilliseconds: 11 * SECOND } : undefined);
    await scenario.world.clock.advance(5 * MINUTE);
    expect(a.effects.filter((effect) => ["claim", "drain.start", "label-off"].includes(effect.name))).toEqual([]);
    expect(node).toBeDefined();
    a.hub.fault = undefined;
    await goesThrough(scenario);
  });
});

describe("[H9] a replaced node", () => {
  it("counts as out until another serves in its stead: the roll waits, and goes on when the new node has joined", async () => {
    const { scenario, node } = await asleep("claim", 2 * SECOND);
    const [other] = scenario
      .nodes()
      .map((one) => one.metadata.name)
      .filter((name) => name !== node);
    await scenario.world.while(scenario.world.nodes.remove(other!));
    await scenario.world.clock.advance(2 * MINUTE);
    expect(scenario.nodes().every((one) => scenario.serving(one.metadata.name))).toBe(true);
    expect(scenario.pop()?.status?.holds?.map((hold) => hold.reason)).toContain("BudgetExhausted");
    await scenario.world.while(scenario.world.nodes.start([{ name: other!, pop: "fra1" }]));
    await goesThrough(scenario);
  });

  it("counts in a rollback too: a node that was lost in the roll is still missing when the version is taken back", async () => {
    const { scenario } = await asleep("status", 0);
    await scenario.until(
      () => scenario.pop()?.status?.nodes?.some((entry) => entry.step === "Done" && entry.token !== undefined) ?? false,
      HOUR,
      "one node done",
    );
    const pending = scenario.pop()!.status!.nodes!.find((entry) => entry.step === "Pending")!.name;
    await scenario.world.while(scenario.world.nodes.remove(pending));
    await scenario.world.clock.advance(MINUTE);
    await takeBack(scenario);
    await scenario.world.clock.advance(3 * MINUTE);
    scenario.invariants.check();
    await scenario.world.while(scenario.world.nodes.start([{ name: pending, pop: "fra1" }]));
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RolledBack", HOUR, "the rollback");
    await goesThrough(scenario);
  });
});

describe("[G5a] what an operator sees is no snapshot", () => {
  it("[storm 2] a ledger read before a node was finished and pods read after it do not drain the new container", async () => {
    const { scenario, node } = await asleep("label-off", 3 * SECOND);
    // b looks twice, 2 s each. The second time it reads the ledger (Updating) while the label is on; its list of pods comes when a has put the new container on the node.
    const b = scenario.operator({ name: "b" });
    b.hub.fault = ({ verb, kind }) => (verb === "list" && kind === "Pod" ? { delayMilliseconds: 2 * SECOND } : undefined);
    await goesThrough(scenario);
    expect(step(scenario, node)).toBe("Done");
  });

  it("[storm 40] a clock with parts of milliseconds writes whole ones into the ledger: its status is never refused", async () => {
    const scenario = await Scenario.create();
    await scenario.world.clock.advance(0.25);
    scenario.operator({ name: "a", latencyMilliseconds: 0.7 });
    await scenario.want("2.0.0");
    await goesThrough(scenario);
    await scenario.world.while(scenario.world.nodes.reboot("fra1-n1"));
    await scenario.world.clock.advance(MINUTE);
    expect(scenario.world.store.audit.filter((entry) => entry.kind === "PoPCluster" && entry.code === 422)).toEqual([]);
  });
});
