import { describe, expect, it } from "vitest";
import { REVISION_LABEL } from "../../src/api/names.ts";
import { POP_CLUSTER } from "../../src/api/resources.ts";
import { BEHAVIOURS } from "../../src/simulation/nodes/behaviour.ts";
import type { ContainerInstance } from "../../src/simulation/nodes/container-runtime.ts";
import { FLEET_NAMESPACE } from "../../src/simulation/world.ts";
import { asleep } from "./asleep.ts";
import { HOUR, isClaimed, MINUTE, Scenario, SECOND } from "./scenario.ts";

/**
 * The traces that the model of the claim protocol found in a literal reading of the rules, played with the real controllers: operator
 * `a` sleeps with one effect in hand, `b` believes to lead too and goes on, `a` wakes. Node n1 is whichever node is claimed first.
 */

/** What the API server answered to the patches of one node by one operator, in order. */
const answers = (scenario: Scenario, user: string, node: string): number[] =>
  scenario.world.store.audit
    .filter((entry) => entry.user === user && entry.verb === "patch" && entry.kind === "Node" && entry.name === node)
    .map((entry) => entry.code);

const claimOf = (scenario: Scenario, node: string) => scenario.node(node)?.metadata.annotations?.["rollward.dev/claim"];
const step = (scenario: Scenario, node: string) => scenario.pop()?.status?.nodes?.find((entry) => entry.name === node)?.step;
const run = (scenario: Scenario) => scenario.pop()?.status?.run;

async function goesThrough(scenario: Scenario, limit = 2 * HOUR): Promise<void> {
  await scenario.until(() => scenario.isFinal(), limit, "the final state");
  scenario.invariants.check();
}

async function remove(scenario: Scenario, pop = "fra1"): Promise<void> {
  await scenario.world.while(scenario.world.kubectl.delete(POP_CLUSTER, pop, FLEET_NAMESPACE));
}

const pause = (scenario: Scenario, paused: boolean) => scenario.edit("fra1", (spec) => ({ ...spec, paused }));
const takeBack = (scenario: Scenario) =>
  scenario.edit("fra1", (spec) => ({ ...spec, requests: { takeBack: { at: "2026-11-22T00:02:00Z" } } }));

/** A process that is none of ours listens on the health port of the node. */
function takePort(scenario: Scenario, node: string): Promise<ContainerInstance> {
  const address = scenario.node(node)!.status!.addresses!.find((one) => one.type === "InternalIP")!.address;
  const identity = { node, pop: "fra1", podUID: "somebody", containerID: "else", version: "0" };
  return scenario.world.runtime.start({
    identity,
    behaviour: BEHAVIOURS.get("bad-health")!,
    container: { name: "other", image: "other:1", ports: [{ containerPort: 8080 }] },
    address,
  });
}

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
    scenario.operator({ name: "b" });
    await takeBack(scenario);
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

describe("[H7] the finalizer", () => {
  it("comes before grant and claim: a PoPCluster deleted before it is on goes at once, and nothing was claimed", async () => {
    const { scenario, a } = await asleep("finalizer", 20 * SECOND);
    scenario.operator({ name: "b", mishap: (effect) => (effect.name === "finalizer" ? { delayMilliseconds: 30 * SECOND } : undefined) });
    await scenario.world.clock.advance(SECOND);
    await remove(scenario);
    expect(scenario.pop()).toBeUndefined();
    await scenario.world.clock.advance(2 * MINUTE);
    expect(a.effects.filter((effect) => effect.name === "claim")).toEqual([]);
    expect(scenario.nodes().map(isClaimed)).toEqual([false, false, false]);
    scenario.invariants.check();
  });

  it.each(["status", "claim", "drain.start", "label-off", "label-on", "release"])(
    "holds the PoPCluster until nothing is claimed when it is deleted while a sleeps with %s",
    async (name) => {
      const { scenario } = await asleep(name, 30 * SECOND, { nth: name === "status" ? 9 : 1 });
      scenario.operator({ name: "b" });
      await remove(scenario);
      await scenario.until(() => scenario.pop() === undefined, 10 * MINUTE, "the PoPCluster's end");
      expect(scenario.nodes().filter((node) => !scenario.serving(node.metadata.name))).toEqual([]);
      await scenario.world.clock.advance(2 * MINUTE);
      expect(scenario.nodes().filter((node) => isClaimed(node) || !scenario.serving(node.metadata.name))).toEqual([]);
      scenario.invariants.check();
    },
  );
});

describe("[H8] grants", () => {
  const twoPops = () => Scenario.create({ pops: ["fra1", "lon1"], nodes: 2 });
  const both = (scenario: Scenario) => scenario.isFinal("fra1") && scenario.isFinal("lon1");

  it("an id is never used twice, however often the PoP asks and returns while the Fleet's view is 40 s old", async () => {
    const scenario = await twoPops();
    scenario.operator({ name: "a", lagMilliseconds: 40 * SECOND });
    scenario.operator({ name: "b" });
    await scenario.want("2.0.0", "fra1");
    await scenario.want("2.0.0", "lon1");
    for (let time = 0; time < 5; time++) {
      await pause(scenario, time % 2 === 0);
      await scenario.world.clock.advance(15 * SECOND);
    }
    await pause(scenario, false);
    await scenario.until(() => both(scenario), 2 * HOUR, "both PoPs");
    scenario.invariants.check();
  });

  it("a grant given late, to an id that was returned meanwhile, is struck, and the PoP gets its later one", async () => {
    const scenario = await twoPops();
    // Only b writes the Fleet, and it sleeps with the grant.
    let slept = 0;
    scenario.operator({
      name: "a",
      mishap: (effect) => (effect.name === "grants" && slept++ === 0 ? { delayMilliseconds: 30 * SECOND } : undefined),
    });
    await scenario.want("2.0.0", "fra1");
    await scenario.until(() => scenario.pop()?.status?.grant?.state === "Asked", HOUR, "asked");
    await pause(scenario, true);
    await scenario.until(() => scenario.pop()?.status?.grant?.state === "Returned", MINUTE, "returned");
    await pause(scenario, false);
    await scenario.want("2.0.0", "lon1");
    await scenario.until(() => both(scenario), 2 * HOUR, "both PoPs");
    expect(scenario.pop()?.status?.grant).toMatchObject({ id: 2, state: "Returned" });
    scenario.invariants.check();
  });

  it("a PoP whose rollback failed keeps its region's place until its node serves: the next PoP waits", async () => {
    const scenario = await twoPops();
    const a = scenario.operator({ name: "a" });
    await scenario.want("2.0.0-bad-health", "fra1");
    // Somebody else's process holds the port when the node goes back, so that the version before does not come up there either.
    let taken = "";
    let foreign: ContainerInstance | undefined;
    a.mishap = (effect) => {
      if (effect.name === "label-on" && run(scenario)?.kind === "Rollback" && taken === "") {
        taken = effect.target;
        void takePort(scenario, taken).then((instance) => (foreign = instance));
      }
      return undefined;
    };
    await scenario.until(() => scenario.pop()?.status?.history?.at(-1)?.outcome === "RollbackFailed", 2 * HOUR, "the failed rollback");
    await scenario.want("2.0.0", "lon1");
    await scenario.world.clock.advance(10 * MINUTE);
    expect(scenario.pop("lon1")?.status?.holds?.map((hold) => hold.reason)).toContain("RegionBusy");
    await foreign!.kill();
    await scenario.until(() => scenario.isFinal("lon1"), HOUR, "lon1 after the node serves");
    scenario.invariants.check();
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
