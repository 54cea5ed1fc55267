import { expect, it } from "vitest";
import { popClusterSpec, popClusterStatus, type PopCluster } from "../../api/pop-cluster.ts";
import { type Fleet, fleetSpec, fleetStatus } from "../../api/fleet.ts";
import { explainPop, popSummary } from "./pop.ts";

const at = "2026-11-22T00:10:00Z";
const pop = (status: unknown, spec: object = {}, metadata: object = {}): PopCluster => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "PoPCluster",
  metadata: { name: "fra1", namespace: "fleet", uid: "u", resourceVersion: "1", ...metadata },
  spec: popClusterSpec.parse({
    timeZone: "Europe/Berlin",
    nodeSelector: {},
    windowRef: { name: "sunday" },
    template: { spec: { containers: [{ name: "c", image: "i" }] } },
    ...spec,
  }),
  ...(status === undefined ? {} : { status: popClusterStatus.parse(status) }),
});
const run = (more: object = {}) => ({
  id: 3,
  kind: "Roll",
  revision: "r2",
  version: "2.0",
  back: "r1",
  startedAt: at,
  state: "Rolling",
  frozen: { members: [], order: [] },
  ...more,
});
const node = (name: string, step: string, more: object = {}) => ({
  name,
  uid: name,
  step,
  revision: step === "Done" ? "r2" : "r1",
  since: at,
  ...more,
});
const section = (of: PopCluster, title: string) => explainPop(of).sections.find((one) => one.title === title)?.lines;

it("[G2] every hold stands in order with its rule and its own earliest time, in the PoP's zone and in UTC", () => {
  const holds = [
    { rule: "W4", reason: "OutsideWindow", message: "sunday is closed", until: "2026-11-29T00:00:00Z" },
    { rule: "G14", reason: "RegionBusy", message: "ams1 of eu-central holds the grant" },
  ];
  expect(section(pop({ run: run(), holds }), "Why not yet")).toEqual([
    "1. OutsideWindow (rule W4): sunday is closed; not before Sunday 2026-11-29 01:00 Europe/Berlin (2026-11-29T00:00:00Z)",
    "2. RegionBusy (rule G14): ams1 of eu-central holds the grant; no time is known",
  ]);
});

it("says how far a roll is, what it goes back to, and which nodes are in hand", () => {
  const rolling = pop({
    run: run(),
    nodes: [
      node("n1", "Done"),
      node("n2", "Claimed", { attempt: 2, sessions: 40 }),
      node("n3", "Pending"),
      node("n4", "Skipped", { skipped: "Gone" }),
    ],
  });
  expect(explainPop(rolling).summary).toBe("PoPCluster fra1 is rolling: 1 of 3 nodes run 2.0");
  expect(section(rolling, "Run")).toEqual([
    "Roll to 2.0 (revision r2), Rolling since it began Sunday 2026-11-22 01:10 Europe/Berlin (2026-11-22T00:10:00Z); 1 of 3 nodes run it and serve.",
    "If it fails, the PoP goes back to revision r1.",
  ]);
  expect(section(rolling, "Nodes")).toEqual([
    "n2: Claimed since Sunday 2026-11-22 01:10 Europe/Berlin (2026-11-22T00:10:00Z), attempt 2, held 40 sessions",
    "n4: Skipped since Sunday 2026-11-22 01:10 Europe/Berlin (2026-11-22T00:10:00Z), Gone",
  ]);
  expect(section(rolling, "Why not yet")).toEqual(["Nothing holds it: the next step is being made."]);
});

it("says why it rolls back, and that the failed revision is not tried again", () => {
  const back = pop({
    run: run({
      kind: "Rollback",
      state: "RollingBack",
      revision: "r1",
      version: "1.0",
      cause: "ready on n1: answered 503, 2 times in a row",
    }),
    revisions: { failed: [{ revision: "r2", version: "2.0", at, evidence: "ready on n1: answered 503" }] },
  });
  expect(section(back, "Run")).toContain("Why: ready on n1: answered 503, 2 times in a row");
  expect(section(back, "Failed revisions")?.[0]).toMatch(
    /^2.0 \(revision r2\) failed Sunday .*: ready on n1: answered 503. It is not tried again/,
  );
});

it("what people asked for is said with whether it was carried out", () => {
  const asked = pop(
    { handled: { stop: "2026-11-22T01:10:00+01:00", retry: "2026-11-21T00:00:00Z" } },
    { paused: true, requests: { stop: { at: "2026-11-22T01:10:00+01:00" }, retry: { at, revision: "r2" } } },
  );
  expect(section(asked, "Asked by people")).toEqual([
    "spec.paused is true: nothing new starts until it is false.",
    `stop, asked for at 2026-11-22T01:10:00+01:00: carried out.`,
    `retry of revision r2, asked for at ${at}: not carried out yet.`,
  ]);
});

it("[F8] says why this version: the rollout, its wave, the Approval that opened it and its dates; or the person who pinned it", () => {
  const assigned = {
    rollout: "r-2026-11-2",
    uid: "u",
    wave: "canary",
    version: "2026.11.2",
    class: "Regular",
    approval: "canary-ok",
    from: "2026-11-22",
    to: "2026-12-06",
    order: "Hold",
    because: "halted: ams1 failed",
  };
  expect(section(pop({ assigned }), "Why this version")).toEqual([
    "2026.11.2: PoPRollout r-2026-11-2 assigns it in wave canary, opened by Approval canary-ok; it may start in windows that open from 2026-11-22 before 2026-12-06. It orders Hold: halted: ams1 failed.",
  ]);
  expect(section(pop({ assigned }, { version: "2026.11.1" }), "Why this version")).toEqual([
    "2026.11.1: a person pinned it by spec.version, and rollouts pass this PoP by.",
  ]);
  const content = { rollout: "sig", uid: "u", wave: "all", version: "sig.419", class: "Emergency", order: "Go" };
  expect(section(pop({ assignedContent: content }), "Why this version")).toEqual([
    "sig.419: PoPRollout sig assigns it in wave all; an emergency, which waits for no window.",
  ]);
});

it("a status older than the spec is said to be so, and a PoP without status too", () => {
  expect(section(pop({ observedGeneration: 2 }, {}, { generation: 3 }), "Attention")?.[0]).toContain("(generation 3, it saw 2)");
  expect(explainPop(pop(undefined)).summary).toBe("PoPCluster fra1 has no status yet: no operator has looked at it");
});

it.each([
  [{}, "runs no version yet"],
  [{ version: "1.0" }, "runs 1.0"],
  [
    { run: run({ state: "Preflight" }), holds: [{ rule: "G14", reason: "RegionBusy", message: "" }] },
    "is about to go to 2.0; it waits: RegionBusy",
  ],
  [{ run: run({ state: "Passed" }) }, "runs 2.0, which passed and is watched"],
])("%j: %s", (status, words) => {
  expect(popSummary(popClusterStatus.parse(status))).toBe(words);
});

it("[G12] what others wrote into a status cannot paint the terminal", () => {
  expect(JSON.stringify(explainPop(pop({ holds: [{ rule: "X", reason: "Paused", message: "a\u001b[2Jb\nc" }] })))).toMatch(/a \[2Jb c/);
});

it("[G14] a PoP that waits for its grant says what the Fleet says of it, and names those who are disrupted now, eight at most", () => {
  const disruptions = Array.from({ length: 10 }, (_, index) => ({ pop: `p${index}`, uid: `u${index}`, id: 1, kind: "Roll", since: at }));
  const asked = { pop: "fra1", uid: "u", id: 4, kind: "Roll", since: at, rule: "G14", reason: "RegionBusy", message: "eu-central is full" };
  const fleetWith = (status: object): Fleet => ({
    apiVersion: "rollward.dev/v1alpha1",
    kind: "Fleet",
    metadata: { name: "fleet", namespace: "fleet", uid: "f", resourceVersion: "1" },
    spec: fleetSpec.parse({}),
    status: fleetStatus.parse(status),
  });
  const atFleet = (status: object) =>
    explainPop(pop({}), fleetWith(status)).sections.find(({ title }) => title === "At the Fleet")?.lines ?? [];
  expect(atFleet({ disruptions, waiting: [asked] })).toEqual([
    "Roll, grant 4, asked for Sunday 2026-11-22 01:10 Europe/Berlin (2026-11-22T00:10:00Z): RegionBusy (rule G14): eu-central is full",
    "Disrupted now: p0, p1, p2, p3, p4, p5, p6, p7 and 2 more.",
  ]);
  expect(atFleet({ waiting: [asked] }).at(-1)).toBe("Nobody is disrupted now.");
  expect(atFleet({ disruptions })).toEqual([]);
});

it("[P3] a template without ${version} is told, for every version would run the same images; one that has it is not", () => {
  const template = (image: string) => ({ template: { spec: { containers: [{ name: "c", image }] } } });
  expect(section(pop({}, template("data-plane:1")), "Attention")).toEqual([
    "No image of spec.template has ${version} in it (data-plane:1), so every version runs the same images; write it where the version goes, for example registry.example/data-plane:${version}.",
  ]);
  expect(section(pop({}, template("data-plane:${version}")), "Attention")).toBeUndefined();
});
