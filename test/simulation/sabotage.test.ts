import { describe, expect, it } from "vitest";
import { NODE } from "../../src/control/kinds.ts";
import type { JsonPatchOperation, KubernetesObject } from "../../src/control/ports.ts";
import { asleep } from "./asleep.ts";
import type { Sabotage } from "./effect.ts";
import { CLAIM_PATH } from "./faulty-operator.ts";
import { HOUR, MINUTE, Scenario, SECOND } from "./scenario.ts";
import { Storm } from "./storm.ts";

/**
 * Small known-bad operators: what one rule of the protocol asks for is taken away at the ports, and the oracles must notice, in a storm
 * or, where storms seldom meet the moment, in the trace that brings it about. An oracle that catches none of these proves nothing.
 */

const withoutTest = (path: string) => (operations: readonly JsonPatchOperation[]) =>
  operations.filter((one) => one.op !== "test" || one.path !== path);

/** Objects as somebody changes them who knows no rules. */
// oxlint-disable-next-line typescript/no-explicit-any -- any field of any kind is changed here
type Loose = Record<string, any>;

const change = <T extends KubernetesObject>(object: T, edit: (draft: Loose) => void): T => {
  const draft = structuredClone(object) as Loose;
  edit(draft);
  return draft as T;
};

type Hunt = (sabotage: Sabotage) => Promise<void>;
interface Case {
  readonly sabotage: Sabotage;
  readonly hunt: Hunt;
  /** The invariant that must be named. */
  readonly caughtBy: RegExp;
}

const MOST_SEEDS = 20;

const storms: Hunt = async (sabotage) => {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) await Storm.run(seed, { sabotage });
};

/** A roll with nobody in its way. */
const plainRoll: Hunt = async (sabotage) => {
  const scenario = await Scenario.create();
  await scenario.want("2.0.0");
  scenario.operator({ name: "a", sabotage });
  await scenario.world.clock.advance(3 * MINUTE);
  scenario.invariants.check();
};

const pause = (scenario: Scenario) => scenario.edit("fra1", (spec) => ({ ...spec, paused: true }));

/** `a` sleeps with one effect, the PoP is paused, an honest `b` gives the node back, `a` wakes. */
const givenBackWhileAsleep =
  (name: string): Hunt =>
  async (sabotage) => {
    const { scenario } = await asleep(name, 40 * SECOND, { sabotage });
    await pause(scenario);
    scenario.operator({ name: "b" });
    await scenario.world.clock.advance(2 * MINUTE);
    scenario.invariants.check();
  };

/** The node in hand is changed by a person while it is updated. */
const touched =
  (operations: readonly JsonPatchOperation[]): Hunt =>
  async (sabotage) => {
    const { scenario, node } = await asleep("label-on", SECOND, { sabotage });
    await scenario.world.while(scenario.world.kubectl.patch(NODE, node, undefined, operations));
    await scenario.world.clock.advance(MINUTE);
    scenario.invariants.check();
  };

/** Lists of nodes that are answered from memory, except for the nodes' own claims and labels, or every patch would be refused. */
function oldLists(): Sabotage {
  const memory = new Map<string, KubernetesObject>();
  return {
    list: (kind, found) => {
      if (kind.kind !== "Node") return found;
      return found.map((node) => {
        if (!memory.has(node.metadata.uid)) memory.set(node.metadata.uid, node);
        return change(node, (draft) => (draft["spec"].unschedulable = (memory.get(node.metadata.uid) as Loose)["spec"].unschedulable));
      });
    },
  };
}

const CASES: Readonly<Record<string, Case>> = {
  "counts no dead or cordoned node": {
    sabotage: {
      list: (kind, found) =>
        kind.kind !== "Node"
          ? found
          : found.map((node) =>
              change(node, ({ spec, status }) => {
                spec.unschedulable = false;
                for (const condition of status?.conditions ?? []) if (condition.type === "Ready") condition.status = "True";
              }),
            ),
    },
    hunt: async (sabotage) => {
      const scenario = await Scenario.create();
      await scenario.patchNode("fra1-n2", { unschedulable: true });
      await scenario.want("2.0.0");
      scenario.operator({ name: "a", sabotage });
      await scenario.world.clock.advance(2 * MINUTE);
      scenario.invariants.check();
    },
    caughtBy: /I1:/,
  },
  "patches nodes without testing the claim": {
    sabotage: { patch: (kind, operations) => (kind.kind === "Node" ? withoutTest(CLAIM_PATH)(operations) : operations) },
    hunt: givenBackWhileAsleep("label-off"),
    caughtBy: /H6: label off .* under live sessions|I7:/,
  },
  "removes the claim instead of ending it": {
    sabotage: {
      patch: (kind, operations, effect) =>
        kind.kind === "Node" && effect === "release"
          ? operations.map((one) => (one.op === "add" && one.path === CLAIM_PATH ? { op: "remove", path: CLAIM_PATH } : one))
          : operations,
    },
    hunt: plainRoll,
    caughtBy: /G5a:/,
  },
  "writes its ledger whatever was written meanwhile": {
    sabotage: { ignoresConflicts: true },
    hunt: storms,
    caughtBy: /(I\d+|G\d+a?|R6b|H6|W5|L1|L2|P13)/,
  },
  "gives a node back without cancelling the drain": {
    sabotage: { drain: (body, verb) => (verb === "drain.cancel" ? undefined : body) },
    hunt: async (sabotage) => {
      const { scenario } = await asleep("drain.start", SECOND, { sabotage });
      await scenario.world.clock.advance(900);
      await pause(scenario);
      await scenario.world.clock.advance(MINUTE);
      scenario.invariants.check();
    },
    caughtBy: /R6b:|I1:|I17:/,
  },
  "sends drain.start to whichever container runs": {
    sabotage: {
      drain: (body, _verb, world, url) => {
        const plane = world.runtime.listener(new URL(url).hostname, 8080)?.instance.plane;
        const { sequence: _, ...rest } = body;
        return plane ? { ...rest, podUID: plane.identity.podUID, containerID: plane.identity.containerID } : body;
      },
    },
    hunt: async (sabotage) => {
      const { scenario, node } = await asleep("drain.start", 12 * SECOND, { sabotage });
      scenario.operator({ name: "b" });
      await scenario.until(
        () => scenario.pop()?.status?.nodes?.find((entry) => entry.name === node)?.step === "Done",
        HOUR,
        "the node done by b",
      );
      await scenario.world.clock.advance(MINUTE);
      scenario.invariants.check();
    },
    caughtBy: /I1:|R6b:/,
  },
  "counts cordons from the first list that it ever made": {
    sabotage: oldLists(),
    hunt: async (sabotage) => {
      const { scenario, node } = await asleep("claim", 8 * SECOND, { sabotage });
      const other = scenario.nodes().find((one) => one.metadata.name !== node)!.metadata.name;
      await scenario.patchNode(other, { unschedulable: true });
      await scenario.world.clock.advance(MINUTE);
      scenario.invariants.check();
    },
    caughtBy: /I1:/,
  },
  "lifts people's cordons when it releases a node": {
    sabotage: {
      patch: (kind, operations, effect) =>
        kind.kind === "Node" && effect === "release"
          ? [...operations, { op: "add", path: "/spec/unschedulable", value: false }]
          : operations,
    },
    hunt: touched([{ op: "add", path: "/spec/unschedulable", value: true }]),
    caughtBy: /I16:/,
  },
  "takes all taints off when it releases a node": {
    sabotage: {
      patch: (kind, operations, effect) =>
        kind.kind === "Node" && effect === "release"
          ? operations.map((one) => (one.path === "/spec/taints" && one.op === "replace" ? { op: "remove", path: one.path } : one))
          : operations,
    },
    hunt: touched([{ op: "add", path: "/spec/taints/-", value: { key: "example.com/gpu", effect: "PreferNoSchedule" } }]),
    caughtBy: /I16:/,
  },
  "starts without the Fleet's grant": {
    sabotage: {
      get: (kind, found) =>
        kind.kind !== "Fleet" || !found
          ? found
          : change(found, (fleet) => {
              // Every PoP reads its own grant into the ledger.
              fleet["status"] = {
                ...fleet["status"],
                disruptions: new Proxy([], { get: (list: Loose, key) => (key === "some" ? () => true : list[key as string]) }),
              };
            }),
    },
    hunt: async (sabotage) => {
      const scenario = await Scenario.create({ pops: ["fra1", "lon1"], nodes: 2 });
      for (const pop of ["fra1", "lon1"]) await scenario.want("2.0.0", pop);
      scenario.operator({ name: "a", sabotage });
      await scenario.world.clock.advance(3 * MINUTE);
      scenario.invariants.check();
    },
    caughtBy: /G14:/,
  },
};

describe("sabotage", () => {
  it.each(Object.entries(CASES))("an operator that %s is caught", { timeout: 120_000 }, async (_name, { sabotage, hunt, caughtBy }) => {
    const caught = await hunt(sabotage).then(
      () => "nobody noticed",
      (error: Error) => error.message,
    );
    expect(caught).toMatch(caughtBy);
  });

  it("an honest operator is not: the same hunts find nothing", { timeout: 120_000 }, async () => {
    await plainRoll({});
    await givenBackWhileAsleep("label-off")({});
    await touched([{ op: "add", path: "/spec/unschedulable", value: true }])({});
    await touched([{ op: "add", path: "/spec/taints/-", value: { key: "example.com/gpu", effect: "PreferNoSchedule" } }])({});
  });
});
