import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { FINALIZER } from "../../api/names.ts";
import type { Hold, Instant } from "../decision.ts";
import { problemsOf } from "./accept.ts";
import { promoted } from "./advance.ts";
import { brakesOn, grantHeld, pausedHold, ruled } from "./brakes.ts";
import { type Destination, destinationOf } from "./destination.ts";
import { nodeOrder } from "./node-order.ts";
import { iso, type Outcome } from "./outcome.ts";
import { planHold, withoutPlan } from "./plan.ts";
import { endRun, withHistory } from "./verdict.ts";
import { type NodeView, type PopView, recordOf, viewOf } from "./view.ts";

/** Writes down what is wanted and since when it is known: the announcement counts from here (W3), whatever a date in the spec says. */
export function announce(view: PopView, now: Instant): Outcome | undefined {
  const { status } = view.seen.pop;
  if (!view.wanted || !status.revisions || status.revisions.wanted === view.wanted.revision) return undefined;
  return { ledger: { ...status, announcedAt: iso(now), revisions: { ...status.revisions, wanted: view.wanted.revision } } };
}

/** R1 to R3: the gates in order, the finalizer, the grant, then the run. A first version is nothing but joining and needs none of them. */
export function start(view: PopView, now: Instant): Outcome | undefined {
  const destination = destinationOf(view);
  const { pop } = view.seen;
  if (!destination || pop.deleting) return undefined;
  if (view.run?.state === "Preflight" && view.run.revision === destination.revision) return undefined;
  if (view.run?.state === "Preflight") return { ledger: dropUntouched(view) };
  const early = [...problemsOf(view), ...failedBefore(view, destination), ...noMembers(view)];
  if (early.length > 0) return { holds: early, ...grantBack(view) };
  if (!isPrepared(view, destination.revision)) return { holds: [] };
  if (destination.back === undefined) return firstVersion(view, destination, now);
  if (destination.members.length === 0) return { ledger: startRun(view, destination, now) };
  const on = brakesOn(view, now);
  const holds = [planHold(view, now), ...ruled(view, "StartForward", { ...on, grant: undefined }).holds].filter((hold) => hold !== undefined);
  const wakes = holds.flatMap((hold) => (hold.until === undefined ? [] : [hold.until]));
  if (holds.length > 0) return { holds, wakes, ...grantBack(view) };
  if (!pop.finalizers.includes(FINALIZER)) return { actions: [{ kind: "AddFinalizer" }], wakes: [now + 1_000] };
  if (!grantHeld(view)) return askGrant(view, "Roll", on.grant);
  return { ledger: startRun(view, destination, now), events: [{ type: "Normal", reason: "RunStarted", action: "Roll", message: `the roll to ${destination.version} begins with ${destination.members.length} nodes; ${destination.back} is what it would go back to` }] };
}

/** A first version, or nodes that all follow it by joining: at once, without window and grant. */
function firstVersion(view: PopView, destination: Destination, now: Instant): Outcome {
  const paused = pausedHold(view);
  if (paused) return { holds: [paused] };
  const run = newRun(view, destination, "Join", now);
  return {
    ledger: { ...endRun(view.seen.pop.status), run, runs: run.id, nodes: begunAlready(view, run, now) },
    events: [{ type: "Normal", reason: "FirstVersion", action: "Join", message: `${destination.version} is this PoP's first version; its ${view.nodes.length} nodes join one after the other` }],
  };
}

/**
 * Nodes that bear a label of ours and never served, from a first version that failed: they go to the new one at once, and a pod of
 * the same revision is deleted once, or its old failures would speak against the new try.
 */
function begunAlready(view: PopView, run: PopRun, now: Instant): PopNodeStatus[] {
  return view.nodes
    .filter((node) => node.member.label !== undefined)
    .map((node) => {
      const pod = node.pods.find((candidate) => !candidate.deleting && candidate.revision === run.revision);
      const entry = { name: node.member.name, uid: node.member.uid, revision: run.revision, step: "Updating" as const, since: iso(now), attempt: 0 };
      return pod ? { ...entry, retryPod: pod.uid } : entry;
    });
}

function failedBefore(view: PopView, destination: Destination): Hold[] {
  const failed = view.seen.pop.status.revisions?.failed?.find((entry) => entry.revision === destination.revision);
  if (!failed) return [];
  return [{ rule: "G8", reason: "FailedBefore", message: `${failed.version} (revision ${failed.revision}) failed here at ${failed.at}: ${failed.evidence}; set another version, or rollward retry ${view.seen.pop.name} --revision ${failed.revision}` }];
}

function noMembers(view: PopView): Hold[] {
  if (view.nodes.length > 0) return [];
  const labels = Object.entries(view.seen.pop.spec.nodeSelector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  return [{ rule: "P16", reason: "NoMembers", message: `spec.nodeSelector ${labels.join(",") || "(empty)"} matches no node; label the nodes or correct the selector` }];
}

/** R0: the dry run was accepted, the record is written, the DaemonSet is there. */
const isPrepared = (view: PopView, revision: string): boolean =>
  recordOf(view, revision) !== undefined && view.seen.daemonSets.some((set) => set.revision === revision && set.intact && !set.deleting);

/** An asked grant goes back when nothing more will start now (G14). */
export function grantBack(view: PopView): Pick<Outcome, "ledger"> {
  const { status } = view.seen.pop;
  if (status.grant?.state !== "Asked") return {};
  return { ledger: { ...status, grant: { ...status.grant, state: "Returned" } } };
}

/** Asks for a grant: an id that grows with each asking and is never used again; a new one only after Returned (G14). */
export function askGrant(view: PopView, kind: "Roll" | "Rollback", waits: Hold | undefined): Outcome {
  const { status } = view.seen.pop;
  if (status.grant?.state === "Asked") return { holds: waits ? [waits] : [] };
  return { ledger: { ...status, grant: { id: (status.grant?.id ?? 0) + 1, kind, state: "Asked" } } };
}

function newRun(view: PopView, destination: Destination, kind: "Join" | "Roll", now: Instant): PopRun {
  const { status, spec, uid } = view.seen.pop;
  const id = (status.runs ?? 0) + 1;
  const ordered = nodeOrder(view, destination.members, [uid, id, destination.revision]);
  return {
    id,
    kind,
    revision: destination.revision,
    version: destination.version,
    ...(destination.back === undefined ? {} : { back: destination.back }),
    startedAt: iso(now),
    state: kind === "Join" ? "Rolling" : "Preflight",
    frozen: {
      members: destination.members.map(({ member }) => ({ name: member.name, uid: member.uid })),
      order: ordered.map((node) => node.member.uid),
      health: spec.health,
    },
    timers: {},
  };
}

/** R3. Starting on a PoP whose version is still watched promotes that one first (P8); a superseded run ends here (P12). */
function startRun(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
  const before = endedRun(view, now);
  const run = newRun(viewOf({ ...view.seen, pop: { ...view.seen.pop, status: before } }), destination, "Roll", now);
  const exclude = view.seen.pop.spec.strategy.notReadyBefore === "Exclude";
  const moving = new Set(run.frozen.members.map((member) => member.uid));
  const nodes = view.nodes.flatMap((node): PopNodeStatus[] => {
    if (!moving.has(node.member.uid)) return node.entry ? [node.entry] : [];
    const base = { name: node.member.name, uid: node.member.uid, since: iso(now), attempt: 0, ...(node.entry?.revision ? { revision: node.entry.revision } : {}) };
    if (exclude && node.member.ready !== "True") {
      return [{ ...base, step: "Skipped", skipped: "NotReadyBefore", message: "it was NotReady before the roll and is left out of the budget (notReadyBefore: Exclude)" }];
    }
    return [{ ...base, step: "Pending", ...(node.entry?.token ? { token: node.entry.token } : {}) }];
  });
  const gone = (before.nodes ?? []).filter((entry) => entry.skipped !== "Gone" && !view.nodes.some((node) => node.member.uid === entry.uid));
  return { ...withoutPlan(before), run, runs: run.id, nodes: [...nodes, ...gone].sort((a, b) => (a.name < b.name ? -1 : 1)), checks: [] };
}

function endedRun(view: PopView, now: Instant): PopClusterStatus {
  const { status } = view.seen.pop;
  const { run } = view;
  if (!run) return status;
  if (run.state === "Passed") return promoted(view, run, now).ledger;
  const outcome = run.ending === "Stopped" ? "Stopped" : "Superseded";
  const current = run.kind === "Join" ? run.revision : status.revisions?.current;
  return endRun({ ...status, ...withHistory(status, run, outcome, run.cause ?? "", now), revisions: { ...status.revisions, ...(current ? { current } : {}) } });
}

/** A run that is still in preflight has touched nothing: a newer version simply takes its place. */
const dropUntouched = (view: PopView): PopClusterStatus => {
  const nodes = (view.seen.pop.status.nodes ?? []).map((entry) => (entry.step === "Pending" ? { ...entry, step: "Done" as const } : entry));
  return { ...endRun(view.seen.pop.status), nodes };
};
