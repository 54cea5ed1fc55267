import { describe, expect, it } from "vitest";
import { popClusterSpec, popClusterStatus, type PopCluster } from "../../api/pop-cluster.ts";
import { explainNode } from "./node.ts";
import { twoSundays } from "./report/report.examples.ts";
import { explainWave } from "./wave.ts";

const at = "2026-11-22T00:10:00Z";
const window = { rule: "W4", reason: "OutsideWindow", message: "sunday is closed", until: "2026-11-29T00:00:00Z" };
const soaks = { rule: "P3", reason: "Soaking", message: "node n2 runs 2.0 and soaks", until: "2026-11-22T00:20:00Z" };
const node = (name: string, step: string, more: object = {}) => ({
  name,
  uid: `uid-${name}`,
  step,
  since: at,
  revision: step === "Pending" ? "r1" : "r2",
  ...more,
});

function pop(status: object): PopCluster {
  return {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "PoPCluster",
    metadata: { name: "fra1", namespace: "fleet", uid: "u", resourceVersion: "1" },
    spec: popClusterSpec.parse({
      timeZone: "Europe/Berlin",
      nodeSelector: {},
      windowRef: { name: "sunday" },
      template: { spec: { containers: [{ name: "c", image: "i" }] } },
    }),
    status: popClusterStatus.parse({
      version: "1.0",
      revisions: { wanted: "r2", current: "r1" },
      run: {
        id: 3,
        kind: "Roll",
        revision: "r2",
        version: "2.0",
        back: "r1",
        startedAt: at,
        state: "Rolling",
        frozen: { members: [], order: ["n1", "n2", "n3", "n12"].map((name) => `uid-${name}`) },
      },
      nodes: [node("n1", "Done"), node("n12", "Pending"), node("n2", "Soaking"), node("n3", "Pending")],
      holds: [soaks, window],
      next: [{ start: "2026-11-29T00:00:00Z", end: "2026-11-29T02:00:00Z", localStart: "2026-11-29T01:00+01:00[Europe/Berlin]" }],
      ...status,
    }),
  };
}
const section = (of: ReturnType<typeof explainNode>, title: string) => of?.sections.find((one) => one.title === title)?.lines;

describe("explain a node", () => {
  it("[G2] one whose turn is to come: every hold of the PoP in order with its time, who comes before it, the next window", () => {
    const found = explainNode(pop({}), "n12");
    expect(found?.summary).toBe("Node n12 of PoPCluster fra1 runs 1.0, revision r1; its turn is to come");
    expect(section(found, "Why not yet")).toEqual([
      "1. Soaking (rule P3): node n2 runs 2.0 and soaks; not before Sunday 2026-11-22 01:20 Europe/Berlin (2026-11-22T00:20:00Z)",
      "2. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-11-29 01:00 Europe/Berlin (2026-11-29T00:00:00Z)",
    ]);
    expect(section(found, "What comes")).toEqual([
      "It goes to 2.0: claimed, drained, relabelled, verified, soaked.",
      "Before it: n2, n3.",
      "A window of the PoP opens 2026-11-29T01:00+01:00[Europe/Berlin] (2026-11-29T00:00:00Z).",
    ]);
  });

  it("one in hand is held by what names it, n12 is not n1; one that is done by nothing", () => {
    expect(section(explainNode(pop({}), "n2"), "Why not yet")).toHaveLength(1);
    expect(section(explainNode(pop({}), "n1"), "Why not yet")).toEqual(["Nothing is waiting: it runs what it should."]);
    const blocked = { rule: "P3", reason: "DrainBlocked", message: "node n12: a budget refuses", until: at };
    const nodes = [node("n1", "Claimed"), node("n12", "Claimed")];
    expect(section(explainNode(pop({ holds: [blocked], nodes }), "n1"), "Why not yet")).toEqual([
      "Nothing holds it: the next step is being made.",
    ]);
    expect(section(explainNode(pop({ holds: [blocked], nodes }), "n12"), "Why not yet")?.[0]).toContain("DrainBlocked");
  });

  it("before the run begins a node on the old revision waits for what its PoP waits for", () => {
    const before = pop({ run: undefined, holds: [window], nodes: [node("n1", "Done", { revision: "r1" })] });
    expect(section(explainNode(before, "n1"), "Why not yet")?.[0]).toContain("OutsideWindow");
  });

  it("[G2] one that is done with a run that is watched waits for what its PoP waits for, where a newer version is assigned", () => {
    const run = { ...pop({}).status!.run!, state: "Passed" };
    const frozen = { rule: "W6", reason: "Frozen", message: "freeze november holds", until: "2026-11-24T00:00:00Z" };
    const newer = pop({ run, version: "2.0", revisions: { wanted: "r3", current: "r2" }, holds: [frozen], nodes: [node("n1", "Done")] });
    expect(section(explainNode(newer, "n1"), "Why not yet")?.[0]).toContain("Frozen (rule W6): freeze november holds; not before");
    expect(section(explainNode(newer, "n1"), "What comes")?.[0]).toBe("It goes to the wanted revision with the next run of its PoP.");
    const baking = pop({ run: { ...run, state: "Baking" }, revisions: { wanted: "r3", current: "r1" }, nodes: [node("n1", "Done")] });
    expect(section(explainNode(baking, "n1"), "Why not yet")).toHaveLength(2);
  });

  it("one that failed says what a person does; one that nobody knows is none", () => {
    const failed = explainNode(pop({ nodes: [node("n1", "Failed", { message: "ErrImagePull" })], holds: [] }), "n1");
    expect(section(failed, "What comes")).toEqual(["Nothing by itself: repair the node, then ask for it with rollward retry."]);
    expect(section(failed, "Now")?.[0]).toContain("ErrImagePull");
    expect(explainNode(pop({}), "n9")).toBeUndefined();
  });
});

describe("explain a wave", () => {
  const { rollout, pops } = twoSundays({ evidence: "5xx" });

  it("[G2] an open one: the holds of the rollout, each PoP of it, and what that PoP itself waits for, in its own zone", () => {
    const found = explainWave(rollout, "rest", pops);
    expect(found?.summary).toBe("Wave rest of PoPRollout r-2026-11-2 (2 of 2) is open, 1 of its PoPs is not over");
    expect(section(found, "Why not yet")).toEqual([
      "1. OutsideWindow (rule F1): PoP lhr1 waits for its window; not before 2026-12-06T01:00:00Z",
    ]);
    expect(section(found, "PoPs")).toEqual([
      "lhr1 (rest): Rolling since 2026-11-29T02:00:00Z",
      "lhr1 1. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-12-06 01:00 Europe/London (2026-12-06T01:00:00Z)",
      "ams1 (rest): RolledBack since 2026-11-29T02:00:00Z, 5xx",
      "akl1 (rest): Skipped since 2026-11-29T00:30:00Z, PinnedByPerson, a person pinned 2026.10.9",
    ]);
  });

  it("one that is over waits for nothing; one to come waits for those before it and for its Approval", () => {
    expect(section(explainWave(rollout, "canary", pops), "Why not yet")).toEqual(["Nothing is waiting."]);
    const digest = `sha256:${"b".repeat(64)}`;
    const early = {
      ...rollout,
      status: {
        ...rollout.status,
        waves: [
          { name: "canary", state: "Open" as const },
          { name: "rest", state: "Pending" as const, digest },
        ],
      },
    };
    const found = explainWave(early, "rest", pops);
    expect(found?.summary).toContain("is to come");
    expect(section(found, "What comes")).toEqual([
      "It opens after wave canary.",
      `It needs an Approval that names digest ${digest}.`,
      "It is the last wave.",
      "The windows before 2026-12-06 may be used, a date of each PoP's own calendar.",
    ]);
  });

  it("what holds a later wave does not hold this one; a wave that nobody wrote is none", () => {
    const holds = [{ rule: "F8", reason: "AwaitingApproval", message: "wave rest waits for an Approval" }];
    const waves = [{ name: "canary", state: "Open" as const, pops: ["fra1"] }];
    const found = explainWave(
      { ...rollout, status: { ...rollout.status, waves: [...waves, { name: "rest", state: "Pending" }], holds } },
      "canary",
      pops,
    );
    expect(section(found, "Why not yet")).toEqual(["Nothing holds it: the next step is being made."]);
    expect(explainWave(rollout, "general", pops)).toBeUndefined();
  });
});
