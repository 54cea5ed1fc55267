import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { FINALIZER } from "../../api/names.ts";
import type { Hold, Instant } from "../decision.ts";
import { hold as holdTimer } from "../rollout/timer.ts";
import { problemsOf } from "./accept.ts";
import { promoted } from "./advance.ts";
import { brakesOn, grantHeld, pausedHold, ruled } from "./brakes.ts";
import { type Destination, destinationOf } from "./destination.ts";
import { nodeOrder } from "./node-order.ts";
import { iso, type Outcome } from "./outcome.ts";
import { planHold, withoutPlan } from "./plan.ts";
import { pullHold } from "./pre-pull.ts";
import { NO_REVISION } from "./revision.ts";
import { endRun, withHistory } from "./verdict.ts";
import { goneMembers, type PopView, recordOf, viewOf, withEntry } from "./view.ts";

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
  // Nothing is to come any more: a grant that was asked for would keep others from theirs (G14).
  if (!destination) return view.run && view.run.state !== "Passed" ? undefined : grantBack(view);
  if (pop.deleting || view.run?.state === "Preflight") return undefined;
  const early = [...problemsOf(view, now), ...failedBefore(view, destination)];
  if (early.length > 0) return { holds: early, ...grantBack(view) };
  if (!isPrepared(view, destination.revision)) return { holds: [] };
  if (destination.back === undefined) return firstVersion(view, destination, now);
  if (destination.members.length === 0 && destination.revision === view.current) return { ledger: withoutRoll(view, now) };
  if (destination.members.length === 0) return { ledger: startRun(view, destination, now) };
  const on = brakesOn(view, now);
  const brakes = [planHold(view, now), ...ruled(view, "StartForward", { ...on, grant: undefined }).holds].filter(
    (hold) => hold !== undefined,
  );
  const holds = [...brakes, pullHold(view, destination, brakes.length === 0)].filter((hold) => hold !== undefined);
  const wakes = holds.flatMap((hold) => (hold.until === undefined ? [] : [hold.until]));
  if (holds.length > 0) return { holds, wakes, ...grantBack(view) };
  if (!pop.finalizers.includes(FINALIZER)) return { actions: [{ kind: "AddFinalizer" }], wakes: [now + 1_000] };
  if (!grantHeld(view)) return askGrant(view, "Roll", on.grant);
  if (destination.late)
    return {
      ledger: takeIn(view, destination, now),
      events: [
        {
          type: "Normal",
          reason: "RunStarted",
          action: "Roll",
          message: `${destination.members.map((node) => node.member.name).join(", ")} follow to ${destination.version}, which the PoP runs`,
        },
      ],
    };
  const before = view.run?.state === "Passed" ? (promoted(view, view.run, now).events ?? []) : [];
  return {
    ledger: startRun(view, destination, now),
    events: [
      ...before,
      {
        type: "Normal",
        reason: "RunStarted",
        action: "Roll",
        message: `the roll to ${destination.version} begins with ${destination.members.length} nodes; it would go back to ${nameOf(view, destination.back)}`,
      },
    ],
  };
}

const nameOf = (view: PopView, revision: string): string =>
  recordOf(view, revision)?.version ?? (revision === NO_REVISION ? "the adopted data plane" : revision);

/** A first version, or nodes that all follow it by joining: at once, without window and grant. */
function firstVersion(view: PopView, destination: Destination, now: Instant): Outcome {
  const paused = pausedHold(view);
  if (paused) return { holds: [paused] };
  const run = newRun(view, destination, "Join", now);
  return {
    ledger: { ...endRun(view.seen.pop.status), run, runs: run.id, nodes: begunAlready(view, run, now) },
    events: [
      {
        type: "Normal",
        reason: "FirstVersion",
        action: "Join",
        message: `${destination.version} is this PoP's first version; its ${view.nodes.length} nodes join one after the other`,
      },
    ],
  };
}

/**
 * Nodes that bear a label of ours, from a first version that failed. Those that serve on this very revision stay as they are; the
 * others go to it at once, and a pod of the same revision is deleted once, or its old failures would speak against the new try.
 */
function begunAlready(view: PopView, run: PopRun, now: Instant): PopNodeStatus[] {
  return view.nodes
    .filter((node) => node.member.label !== undefined)
    .map((node) => {
      const entry = { name: node.member.name, uid: node.member.uid, revision: run.revision, since: iso(now), attempt: 0 };
      if (node.servingPod?.revision === run.revision) return { ...entry, step: "Done" };
      const pod = node.pods.find((candidate) => !candidate.deleting && candidate.revision === run.revision);
      return { ...entry, step: "Updating", ...(pod ? { retryPod: pod.uid } : {}) };
    });
}

function failedBefore(view: PopView, destination: Destination): Hold[] {
  const failed = view.seen.pop.status.revisions?.failed?.find((entry) => entry.revision === destination.revision);
  if (!failed) return [];
  const { run } = view;
  if (run?.kind === "Join" && run.cause !== undefined) {
    const message = `${failed.version} is this PoP's first version and failed, so there is nothing to go back to: ${failed.evidence}; set another version, or rollward retry ${view.seen.pop.name} --revision ${failed.revision}`;
    return [{ rule: "P16", reason: "FirstVersion", message }];
  }
  const takesBack = run?.ending === "Stopped" && run.cause !== undefined ? `, or rollward take-back ${view.seen.pop.name}` : "";
  return [
    {
      rule: "G8",
      reason: "FailedBefore",
      message: `${failed.version} (revision ${failed.revision}) failed here at ${failed.at}: ${failed.evidence}; set another version, or rollward retry ${view.seen.pop.name} --revision ${failed.revision}${takesBack}`,
    },
  ];
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
  const begun = newRun(viewOf({ ...view.seen, pop: { ...view.seen.pop, status: before } }), destination, "Roll", now);
  // Who was lost in the run that this one takes the place of in mid-roll is still missing (P16).
  const missing = view.run?.state === "Rolling" ? goneMembers(view) : [];
  const run: PopRun = { ...begun, frozen: { ...begun.frozen, members: [...begun.frozen.members, ...missing] } };
  const exclude = view.seen.pop.spec.strategy.notReadyBefore === "Exclude";
  const moving = new Set(run.frozen.members.map((member) => member.uid));
  const nodes = view.nodes.flatMap((node): PopNodeStatus[] => {
    if (!moving.has(node.member.uid)) return node.entry ? [node.entry] : [];
    const base = {
      name: node.member.name,
      uid: node.member.uid,
      since: iso(now),
      attempt: 0,
      ...(node.entry?.revision ? { revision: node.entry.revision } : {}),
    };
    if (exclude && node.member.ready !== "True") {
      return [
        {
          ...base,
          step: "Skipped",
          skipped: "NotReadyBefore",
          message: "it was NotReady before the roll and is left out of the budget (notReadyBefore: Exclude)",
        },
      ];
    }
    return [{ ...base, step: "Pending", ...(node.entry?.token ? { token: node.entry.token } : {}) }];
  });
  const gone = (before.nodes ?? []).filter(
    (entry) => entry.skipped !== "Gone" && !view.nodes.some((node) => node.member.uid === entry.uid),
  );
  return { ...withoutPlan(before), run, runs: run.id, nodes: [...nodes, ...gone].sort((a, b) => (a.name < b.name ? -1 : 1)), checks: [] };
}

/** What was superseded reached no node, and what is wanted runs on all of them: there is nothing to roll. */
const withoutRoll = (view: PopView, now: Instant): PopClusterStatus => endRun(withoutPlan(endedRun(view, now)));

/** The watched run takes late nodes in, as members of its own; bake and watch stand still meanwhile and go on afterwards (P16). */
function takeIn(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
  const { status, uid } = view.seen.pop;
  const run = view.run!;
  const late = nodeOrder(view, destination.members, [uid, run.id, destination.revision]);
  const uids = new Set(late.map((node) => node.member.uid));
  // A late node that serves in the stead of one that is gone has replaced it for good: both would count for ever.
  const present = new Set(view.nodes.map((node) => node.member.uid));
  const kept = [...run.frozen.members.filter((member) => !uids.has(member.uid) && present.has(member.uid)), ...goneMembers(view)];
  const nodes = late.reduce<readonly PopNodeStatus[]>(
    (entries, { member, entry }) =>
      withEntry(entries, {
        name: member.name,
        uid: member.uid,
        ...(entry?.revision ? { revision: entry.revision } : {}),
        step: "Pending",
        since: iso(now),
        attempt: 0,
        ...(entry?.token ? { token: entry.token } : {}),
      }),
    status.nodes ?? [],
  );
  return {
    ...withoutPlan(status),
    nodes: [...nodes],
    run: {
      ...run,
      state: "Rolling",
      frozen: {
        ...run.frozen,
        members: [...kept, ...late.map(({ member }) => ({ name: member.name, uid: member.uid }))],
        order: [...run.frozen.order.filter((one) => !uids.has(one)), ...uids],
      },
      timers: { ...run.timers, ...stopped("bake", run, now), ...stopped("watch", run, now) },
    },
  };
}

const stopped = (name: "bake" | "watch", run: PopRun, now: Instant) => {
  const timer = holdTimer(run.timers[name], now);
  return timer ? { [name]: { accumulated: timer.accumulated } } : {};
};

function endedRun(view: PopView, now: Instant): PopClusterStatus {
  const { status } = view.seen.pop;
  const { run } = view;
  if (!run) return status;
  // One that had passed and only took late nodes in was good for the whole PoP.
  if (run.state === "Passed" || (run.timers.watch !== undefined && !run.cause)) return promoted(view, run, now).ledger;
  const outcome = run.ending === "Stopped" ? "Stopped" : "Superseded";
  const current = run.kind === "Join" ? run.revision : status.revisions?.current;
  return endRun({
    ...status,
    ...withHistory(status, run, outcome, run.cause ?? "", now),
    revisions: { ...status.revisions, ...(current ? { current } : {}) },
  });
}
