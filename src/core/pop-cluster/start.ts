import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { FINALIZER } from "../../api/names.ts";
import type { Hold, Instant } from "../decision.ts";
import { hold as holdTimer } from "../rollout/timer.ts";
import { problemsOf } from "./accept.ts";
import { announcementOf, frozenOf, isEmergency, orderHold } from "./assigned.ts";
import { bootOf } from "./boot.ts";
import { promoted } from "./advance.ts";
import { brakesOn, grantHeld, pausedHold, ruled } from "./brakes.ts";
import { type Destination, destinationOf } from "./destination.ts";
import { nodeOrder } from "./node-order.ts";
import { iso, type Outcome } from "./outcome.ts";
import { pendingEntry } from "./pending-entry.ts";
import { planHold, withoutPlan } from "./plan.ts";
import { pullHold } from "./pre-pull.ts";
import { NO_REVISION } from "./revision.ts";
import { endRun, withHistory } from "./verdict.ts";
import { forwardLimit, goneMembers, hasServed, type PopView, recordOf, viewOf, withEntry } from "./view.ts";

/** Writes down what is wanted and from when its notice counts (W3): a date in the past gives none away. */
export function announce(view: PopView, now: Instant): Outcome | undefined {
  const { status } = view.seen.pop;
  if (!view.wanted || !status.revisions || status.revisions.wanted === view.wanted.revision) return undefined;
  const announcedAt = iso(announcementOf(view, now));
  return { ledger: { ...status, announcedAt, revisions: { ...status.revisions, wanted: view.wanted.revision } } };
}

/** R1 to R3: the gates in order, the finalizer, the grant, then the run. A first version is nothing but joining and needs none of them. */
export function start(view: PopView, now: Instant): Outcome | undefined {
  const destination = destinationOf(view);
  const { pop } = view.seen;
  // Nothing is to come any more: a grant that was asked for would keep others from theirs (G14).
  if (!destination)
    return view.run && view.run.state !== "Passed"
      ? { holds: [...wantedFailed(view), ...(view.run.ending ? unassigned(view) : [])] }
      : { ...grantBack(view), holds: unassigned(view) };
  if (pop.deleting || view.run?.state === "Preflight") return undefined;
  // A version that may not be gone to keeps nobody from the one that the PoP runs (P16).
  const problems = problemsOf(view, now).filter(
    ({ reason }) => reason !== "OlderVersion" || destination.revision === view.wanted?.revision,
  );
  const early = [...problems, ...failedBefore(view, destination)];
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
  const stands = destination.revision === view.wanted?.revision ? [] : wantedFailed(view);
  const wakes = holds.flatMap((hold) => (hold.until === undefined ? [] : [hold.until]));
  if (holds.length > 0) return { holds: [...stands, ...holds], wakes, ...grantBack(view) };
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
  const paused = pausedHold(view) ?? orderHold(view);
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
      const entry = {
        name: node.member.name,
        uid: node.member.uid,
        revision: run.revision,
        since: iso(now),
        attempt: 0,
        ...bootOf(node.member),
      };
      if (node.servingPod?.revision === run.revision) return { ...entry, step: "Done" };
      const pod = node.pods.find((candidate) => !candidate.deleting && candidate.revision === run.revision);
      return { ...entry, step: "Updating", ...(pod ? { retryPod: pod.uid } : {}) };
    });
}

/** A PoP that runs a version and is told none goes on with it: nothing has to be corrected, and nothing starts. */
function unassigned(view: PopView): Hold[] {
  if (view.wanted || view.current === undefined) return [];
  const message = "spec.version is not set and no PoPRollout assigns a version; the PoP stays with what it runs until one does";
  return [{ rule: "P12", reason: "VersionUnassigned", message }];
}

/** While nodes are brought home what is wanted may have failed here: a person has to hear of that all the time. */
const wantedFailed = (view: PopView): Hold[] =>
  view.wanted && (!view.run || view.run.superseded || view.run.state === "Passed") ? failedBefore(view, view.wanted) : [];

function failedBefore(view: PopView, destination: Pick<Destination, "revision">): Hold[] {
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
  const urgent = kind === "Roll" && isEmergency(view) ? { class: "Emergency" as const } : {};
  if (status.grant?.state === "Asked") {
    // It goes before regular rolls from now on, or no longer; which grant is asked for stays the same (F10).
    const { class: asked, ...grant } = status.grant;
    return asked === urgent.class ? { holds: waits ? [waits] : [] } : { ledger: { ...status, grant: { ...grant, ...urgent } } };
  }
  return { ledger: { ...status, grant: { id: (status.grant?.id ?? 0) + 1, kind, state: "Asked", ...urgent } } };
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
    ...frozenOf(view, destination.revision),
    frozen: {
      members: membersOf(view, destination),
      order: ordered.map((node) => node.member.uid),
      health: spec.health,
      maxUnavailable: forwardLimit(view.seen),
    },
    timers: {},
  };
}

/**
 * Who belongs to the run: whom it moves, and everybody else who has served. Only who came later may take the place of one that is lost
 * (P16): a node that served beside it before would be counted twice.
 */
function membersOf(view: PopView, destination: Destination): PopRun["frozen"]["members"] {
  const moving = new Set(destination.members.map(({ member }) => member.uid));
  return view.nodes
    .filter((node) => moving.has(node.member.uid) || hasServed(node))
    .map(({ member }) => ({ name: member.name, uid: member.uid }));
}

/** R3. Starting on a PoP whose version is still watched promotes that one first (P8); a superseded run ends here (P12). */
function startRun(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
  const before = endedRun(view, now);
  const begun = newRun(viewOf({ ...view.seen, pop: { ...view.seen.pop, status: before } }), destination, "Roll", now);
  // Who was lost in the run that this one takes the place of in mid-roll is still missing (P16); one who joins in his stead and moves
  // with this run counts by himself until he serves, and both would count for ever.
  const instead = destination.members.filter((node) => node.joining).length;
  const missing = view.run?.state === "Rolling" ? goneMembers(view).slice(instead) : [];
  const run: PopRun = { ...begun, frozen: { ...begun.frozen, members: [...begun.frozen.members, ...missing] } };
  const exclude = view.seen.pop.spec.strategy.notReadyBefore === "Exclude";
  const moving = new Set(run.frozen.order);
  const nodes = view.nodes.flatMap((node): PopNodeStatus[] => {
    if (!moving.has(node.member.uid)) return node.entry ? [staying(node.entry, now)] : [];
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

/** It runs already what is rolled: a step that a superseded run had left to it is not to come any more. */
const staying = (entry: PopNodeStatus, now: Instant): PopNodeStatus =>
  entry.step === "Pending" ? { ...pendingEntry(entry, now, undefined), step: "Done" } : entry;

/** What was superseded reached no node, and what is wanted runs on all of them: there is nothing to roll. */
const withoutRoll = (view: PopView, now: Instant): PopClusterStatus => endRun(withoutPlan(endedRun(view, now)));

/** The watched run takes late nodes in, as members of its own; bake and watch stand still meanwhile and go on afterwards (P16). */
function takeIn(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
  const { status, uid } = view.seen.pop;
  const run = view.run!;
  const late = nodeOrder(view, destination.members, [uid, run.id, destination.revision]);
  const uids = new Set(late.map((node) => node.member.uid));
  // Who serves in the stead of one that is gone has replaced it for good: the run begins anew with those who are there, and those missing.
  const members = [...membersOf(view, destination), ...goneMembers(view)];
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
        members,
        order: [...run.frozen.order.filter((one) => !uids.has(one)), ...uids],
        maxUnavailable: forwardLimit(view.seen),
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
  // One that only brought nodes home was no version's own.
  if (run.superseded && run.state === "Rolling") return endRun(status);
  // One that had passed and only took late nodes in was good for the whole PoP.
  // A first version that broke while it was watched has nothing to go back to, and is not promoted by leaving (I12).
  const brokeFirst = run.kind === "Join" && run.cause !== undefined;
  if ((run.state === "Passed" && !brokeFirst) || (run.timers.watch !== undefined && !run.cause)) return promoted(view, run, now).ledger;
  const outcome = run.ending === "Stopped" ? "Stopped" : "Superseded";
  const current = run.kind === "Join" ? run.revision : status.revisions?.current;
  return endRun({
    ...status,
    ...withHistory(status, run, outcome, run.cause ?? "", now),
    revisions: { ...status.revisions, ...(current ? { current } : {}) },
  });
}
