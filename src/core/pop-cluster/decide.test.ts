import { describe, expect, it } from "vitest";
import { member, observation, OPEN, podOn, popSpec, revisionIn, TUESDAY } from "../../../test/builders/observation.ts";
import type { PopClusterStatus, PopRun } from "../../api/pop-cluster.ts";
import { decide } from "./decide.ts";
import { DISRUPTIVE } from "./action.ts";
import { candidatesOf } from "./claim.ts";
import { limitOf, outCount, viewOf } from "./view.ts";

const ONE = revisionIn("1.0.0");
const TWO = revisionIn("2.0.0");

/** The status that a decision leads to, once it has been decided again until it says nothing new. */
function settled(changes: Parameters<typeof observation>[0], now: number) {
  let seen = observation(changes);
  for (let pass = 0; pass < 10; pass++) {
    const decision = decide(seen, now);
    if (decision.status === undefined) return { seen, decision };
    seen = { ...seen, pop: { ...seen.pop, status: decision.status } };
  }
  throw new Error("the status never came to rest");
}

describe("a decision", () => {
  it("is pure: the same observation and instant give the same answer, and the observation is not touched", () => {
    const seen = observation({ spec: { version: "2.0.0" } });
    const before = structuredClone(seen);
    expect(decide(seen, OPEN)).toEqual(decide(seen, OPEN));
    expect(seen).toEqual(before);
  });

  it("[G11] comes to rest: a PoP on its version asks for no write, no action and no probe, at any instant until its next window", () => {
    const { seen, decision } = settled({}, TUESDAY);
    expect(decision).toMatchObject({ actions: [], events: [], probes: [], holds: [] });
    for (const later of [1_000, 60_000, 3_600_000, 86_400_000]) expect(decide(seen, TUESDAY + later).status).toBeUndefined();
  });

  it("[G1] is not moved by conditions: without any of them the same is decided", () => {
    const { seen } = settled({ spec: { version: "2.0.0" } }, OPEN);
    const { conditions: _, ...ledger } = seen.pop.status;
    const bare = decide({ ...seen, pop: { ...seen.pop, status: ledger } }, OPEN);
    const { conditions: __, ...after } = bare.status!;
    expect(after).toEqual(ledger);
    expect(bare.actions).toEqual(decide(seen, OPEN).actions);
  });

  it("never carries an action that takes a node out in the pass that moves the ledger: claim first, act in the next", () => {
    let seen = observation({ spec: { version: "2.0.0" } });
    for (let pass = 0; pass < 20; pass++) {
      const decision = decide(seen, OPEN + pass);
      if (decision.status === undefined) break;
      const moved =
        JSON.stringify(decision.status.run) !== JSON.stringify(seen.pop.status.run) ||
        JSON.stringify(decision.status.nodes) !== JSON.stringify(seen.pop.status.nodes);
      if (moved) expect(decision.actions.filter((action) => DISRUPTIVE.has(action.kind))).toEqual([]);
      seen = { ...seen, pop: { ...seen.pop, status: decision.status } };
    }
  });

  it("[G2] shows what a person has to mend before what ends by itself, and that in the order of time", () => {
    const { seen } = settled({ spec: { version: "2.0.0", paused: true } }, TUESDAY);
    expect(seen.pop.status.holds!.map((hold) => hold.reason)).toEqual(["Paused", "OutsideWindow"]);
  });

  it("[H3] only a live observation collects old DaemonSets: a cache may be behind", () => {
    const many = ["1.0.0", "0.1.0", "0.2.0", "0.3.0", "0.4.0", "0.5.0", "0.6.0"];
    const kinds = (live: boolean) => decide(settled({ versions: many, live }, TUESDAY).seen, TUESDAY).actions.map((action) => action.kind);
    expect(kinds(false)).toEqual([]);
    expect(kinds(true)).toEqual(["DeleteDaemonSet"]);
  });
});

describe("who counts as out", () => {
  const out = (changes: Parameters<typeof observation>[0]) => outCount(viewOf(observation(changes)), "none");
  const others = [member("n2"), member("n3")];

  it.each<[string, Parameters<typeof observation>[0], number]>([
    ["nobody", {}, 0],
    ["a person's cordon", { members: [member("n1", { unschedulable: true }), ...others] }, 1],
    ["a dead kubelet", { members: [member("n1", { ready: "Unknown" }), ...others] }, 1],
    ["a node that is being deleted", { members: [member("n1", { deleting: true }), ...others] }, 1],
    ["an unended claim, whatever its pod says", { members: [member("n1", { claim: "token" }), ...others] }, 1],
    ["an ended claim is none", { members: [member("n1", { claim: "released:token" }), ...others] }, 0],
    ["a missing revision label", { members: [(({ label: _, ...rest }) => ({ ...rest }))(member("n1")), ...others] }, 1],
    ["a pod that is not Ready", { pods: [podOn("n1", "1.0.0", { ready: false }), podOn("n2"), podOn("n3")] }, 1],
    ["a pod of another revision than the label", { pods: [podOn("n1", "2.0.0"), podOn("n2"), podOn("n3")] }, 1],
  ])("[P1] %s", (_, changes, count) => {
    expect(out(changes)).toBe(count);
  });

  it("[P16] a member of the run that is gone and not replaced counts; one that was deselected does not", () => {
    const status: PopClusterStatus = {
      revisions: { current: ONE },
      nodes: [],
      run: {
        id: 1,
        kind: "Roll",
        revision: TWO,
        version: "2.0.0",
        back: ONE,
        startedAt: "2026-11-22T00:00:00Z",
        state: "Rolling",
        timers: {},
        frozen: { members: [{ name: "n9", uid: "uid-n9" }], order: [] },
      },
    };
    expect(viewOf(observation({ status })).goneUnreplaced).toBe(1);
    expect(viewOf(observation({ status, deselected: new Set(["uid-n9"]) })).goneUnreplaced).toBe(0);
  });
});

describe("how many may be out", () => {
  const limits = (kind: "Roll" | "Rollback", state: "Rolling" | "RollingBack" | "Passed", frozen: number | undefined, live: number) => {
    const run: PopRun = {
      id: 2,
      kind,
      revision: TWO,
      version: "2.0.0",
      back: ONE,
      startedAt: "2026-11-22T00:00:00Z",
      state,
      timers: {},
      frozen: { members: [], order: [], ...(frozen === undefined ? {} : { maxUnavailable: frozen }) },
    };
    const spec = { strategy: { ...popSpec().strategy, maxUnavailable: live }, rollback: { maxUnavailable: live } };
    const view = viewOf(observation({ status: { revisions: { current: ONE }, run }, spec }));
    return limitOf(view, run);
  };

  it.each([
    ["Roll", "Rolling"],
    ["Rollback", "RollingBack"],
  ] as const)(
    "[G4] in a %s is the stricter of what was frozen and what is written now; an older status has nothing frozen",
    (kind, state) => {
      expect(limits(kind, state, 1, 3)).toBe(1);
      expect(limits(kind, state, 3, 1)).toBe(1);
      expect(limits(kind, state, undefined, 3)).toBe(3);
    },
  );

  it("[G4] is what is written now once no node is moved any more", () => {
    expect(limits("Roll", "Passed", 1, 3)).toBe(3);
  });
});

describe("whom a run takes up next", () => {
  const rolling = (kind: "Roll" | "Rollback", steps: Record<string, string> = {}): PopClusterStatus => ({
    revisions: { current: ONE },
    nodes: ["n1", "n2", "n3"].map((name) => ({
      name,
      uid: `uid-${name}`,
      step: (steps[name] ?? "Pending") as "Pending",
      since: "2026-11-22T00:00:00Z",
      attempt: 0,
    })),
    run: {
      id: 2,
      kind,
      revision: kind === "Roll" ? TWO : ONE,
      version: "2.0.0",
      ...(kind === "Roll" ? { back: ONE } : { from: TWO }),
      startedAt: "2026-11-22T00:00:00Z",
      state: kind === "Roll" ? "Rolling" : "RollingBack",
      timers: {},
      frozen: { members: ["n1", "n2", "n3"].map((name) => ({ name, uid: `uid-${name}` })), order: ["uid-n3", "uid-n1", "uid-n2"] },
    },
  });
  const names = (changes: Parameters<typeof observation>[0]) => {
    const view = viewOf(observation(changes));
    return candidatesOf(view, view.run!).map((node) => node.member.name);
  };

  it("[G4] in the order frozen at its start; who is done or skipped is not asked again", () => {
    expect(names({ status: rolling("Roll") })).toEqual(["n3", "n1", "n2"]);
    expect(names({ status: rolling("Roll", { n3: "Done", n2: "Skipped" }) })).toEqual(["n1"]);
  });

  it("[P1] a node that serves nobody comes first", () => {
    expect(names({ status: rolling("Roll"), pods: [podOn("n1"), podOn("n2", "1.0.0", { ready: false }), podOn("n3")] })).toEqual([
      "n2",
      "n3",
      "n1",
    ]);
  });

  it("[P7] a rollback moves nodes of the failed revision only: first those that are out, last those whose kubelet is silent", () => {
    const onTwo = (name: string, changes = {}) => member(name, { label: `fra1-${TWO}`, ...changes });
    const members = [onTwo("n1", { ready: "Unknown" }), onTwo("n2"), onTwo("n3")];
    const pods = [podOn("n1", "2.0.0"), podOn("n2", "2.0.0", { ready: false }), podOn("n3", "2.0.0")];
    expect(names({ status: rolling("Rollback"), members, pods })).toEqual(["n2", "n3", "n1"]);
    expect(names({ status: rolling("Rollback"), members: [member("n1"), onTwo("n2"), onTwo("n3")], pods })).toEqual(["n2", "n3"]);
  });
});
