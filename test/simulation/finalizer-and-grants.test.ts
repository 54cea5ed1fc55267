import { describe, expect, it } from "vitest";
import type { ContainerInstance } from "../../src/simulation/nodes/container-runtime.ts";
import { asleep } from "./asleep.ts";
import { HOUR, isClaimed, MINUTE, Scenario, SECOND } from "./scenario.ts";
import { pause, remove, run, takePort } from "./traces.ts";

/**
 * The traces that the model of the claim protocol found in a literal reading of the rules, played with the real controllers: operator
 * `a` sleeps with one effect in hand, `b` believes to lead too and goes on, `a` wakes. Node n1 is whichever node is claimed first.
 * Here: the finalizer and the grants, which are written elsewhere than on the node. The others stand in late-effects.test.ts and old-views.test.ts.
 */

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
