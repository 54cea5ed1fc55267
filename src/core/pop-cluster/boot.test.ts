import { describe, expect, it } from "vitest";
import { member, observation, OPEN, podOn, revisionIn } from "../../../test/builders/observation.ts";
import type { PopClusterStatus, PopNodeStatus } from "../../api/pop-cluster.ts";
import { judgement, type Verdict } from "../health/verdict.ts";
import { comesUpUntil, exitsOf, isExcusedByReboot, rebooted } from "./boot.ts";
import { type PopView, viewOf } from "./view.ts";

const TWO = revisionIn("2.0.0");
const MINUTE = 60_000;
const at = (instant: number) => new Date(instant).toISOString();

type Changes = Partial<PopNodeStatus>;

/** A PoP that watches 2.0.0 on all of its nodes; each is on the boot `b1` unless its entry says otherwise. */
function watched(entries: Record<string, Changes>, bootIDs: Record<string, string> = {}, restarts = 0): PopView {
  const names = Object.keys(entries);
  const status: PopClusterStatus = {
    revisions: { current: TWO },
    nodes: names.map((name) => ({
      name,
      uid: `uid-${name}`,
      revision: TWO,
      step: "Done",
      since: at(OPEN - MINUTE),
      attempt: 1,
      token: "t",
      boot: { id: "b1" },
      ...entries[name],
    })),
    run: {
      id: 2,
      kind: "Roll",
      revision: TWO,
      version: "2.0.0",
      back: revisionIn("1.0.0"),
      startedAt: at(OPEN - MINUTE),
      state: "Passed",
      timers: {},
      frozen: { members: [], order: [] },
    },
  };
  return viewOf(
    observation({
      status,
      members: names.map((name) => member(name, { label: `fra1-${TWO}`, bootID: bootIDs[name] ?? "b1" })),
      pods: names.map((name) => podOn(name, "2.0.0", { containers: [{ name: "pop", ready: true, restarts }] })),
    }),
  );
}

const bootIn = (view: PopView, now: number, name = "n1") => rebooted(view, now)?.ledger?.nodes?.find((entry) => entry.name === name)?.boot;

describe("exits of a container", () => {
  const pod = (restarts: number) => podOn("n1", "2.0.0", { uid: "p", containers: [{ name: "pop", ready: false, restarts }] });

  it("[P6] all count while the node stays up, and on a pod that is younger than the reboot", () => {
    expect(exitsOf(pod(2), { id: "b1" })).toEqual([2]);
    expect(exitsOf(pod(2), undefined)).toEqual([2]);
    expect(exitsOf(pod(2), { id: "b2", since: at(OPEN), pod: "the one before", restarts: [5] })).toEqual([2]);
  });

  it("[P6] after a reboot those before it and the start by the reboot itself count no more; what crashes then does", () => {
    const boot = { id: "b3", since: at(OPEN), pod: "p", restarts: [1] };
    expect(exitsOf(pod(1), boot)).toEqual([0]);
    expect(exitsOf(pod(2), boot)).toEqual([0]);
    expect(exitsOf(pod(4), boot)).toEqual([2]);
  });
});

describe("a reboot", () => {
  it("[P14] of nobody writes nothing, nor does a status from before boots were kept", () => {
    expect(rebooted(watched({ n1: {}, n2: {} }), OPEN)).toBeUndefined();
    const { boot: _, ...bare } = watched({ n1: {} }).nodes[0]!.entry!;
    const view = watched({ n1: {} }, { n1: "b2" });
    const older = viewOf({ ...view.seen, pop: { ...view.seen.pop, status: { ...view.seen.pop.status, nodes: [bare] } } });
    expect(rebooted(older, OPEN)).toBeUndefined();
  });

  it("[P6] is written down with what had been counted on the pod by then", () => {
    expect(bootIn(watched({ n1: {}, n2: {} }, { n1: "b2" }, 1), OPEN)).toEqual({
      id: "b2",
      since: at(OPEN),
      pod: "pod-n1-2.0.0",
      restarts: [1],
    });
  });

  it("[P4] that comes again before the node was up gives it no more time; one after that does", () => {
    const entries = { n1: { boot: { id: "b2", since: at(OPEN) } } };
    expect(bootIn(watched(entries, { n1: "b3" }), OPEN + 4 * MINUTE)?.since).toBe(at(OPEN));
    expect(bootIn(watched(entries, { n1: "b3" }), OPEN + 5 * MINUTE)?.since).toBe(at(OPEN + 5 * MINUTE));
    const [node] = watched(entries).nodes;
    expect(comesUpUntil(watched(entries), node!, OPEN + 5 * MINUTE - 1)).toBe(OPEN + 5 * MINUTE);
    expect(comesUpUntil(watched(entries), node!, OPEN + 5 * MINUTE)).toBeUndefined();
  });
});

describe("[P6] what fails on a rebooted node", () => {
  const reboot: Changes = { boot: { id: "b1", since: at(OPEN) } };
  const excused = (entries: Record<string, Changes>, verdicts: readonly Verdict[], now = OPEN + MINUTE) => {
    const view = watched(entries);
    const judged = new Map(view.nodes.map((node, index) => [node.member.uid, judgement(verdicts[index]!, "…")]));
    return isExcusedByReboot(view, view.nodes[0]!, judged, now);
  };

  it.each<[boolean, string, Record<string, Changes>, readonly Verdict[]]>([
    [true, "is excused beside well neighbours", { n1: reboot, n2: {}, n3: {} }, ["Unhealthy", "Healthy", "Healthy"]],
    [
      true,
      "is excused where most of them are well",
      { n1: reboot, n2: {}, n3: {}, n4: {} },
      ["Unhealthy", "Unhealthy", "Healthy", "Healthy"],
    ],
    [false, "counts where as many fail as are well", { n1: reboot, n2: reboot, n3: {} }, ["Unhealthy", "Unhealthy", "Healthy"]],
    [false, "counts on a node that was not rebooted", { n1: {}, n2: {}, n3: {} }, ["Unhealthy", "Healthy", "Healthy"]],
    [true, "is excused on the only node, once it had proven itself", { n1: reboot }, ["Unhealthy"]],
    [false, "counts on the first node while it soaks", { n1: { ...reboot, step: "Soaking" } }, ["Unhealthy"]],
  ])("%s: %s", (expected, _, entries, verdicts) => {
    expect(excused(entries, verdicts)).toBe(expected);
  });

  it("counts once the node's time is over", () => {
    expect(excused({ n1: reboot, n2: {} }, ["Unhealthy", "Healthy"], OPEN + 5 * MINUTE)).toBe(false);
  });
});
