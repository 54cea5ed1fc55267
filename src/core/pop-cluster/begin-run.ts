import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { hold as holdTimer } from "../rollout/timer.ts";
import { frozenOf } from "./assigned.ts";
import { promoted } from "./advance.ts";
import type { Destination } from "./destination.ts";
import { nodeOrder } from "./node-order.ts";
import { iso } from "./outcome.ts";
import { pendingEntry } from "./pending-entry.ts";
import { withoutPlan } from "./plan.ts";
import { endRun, withHistory } from "./verdict.ts";
import { forwardLimit, goneMembers, hasServed, type PopView, viewOf, withEntry } from "./view.ts";

/** A run to the destination, nothing of it begun yet: whom it moves, in which order, judged by what (frozen, G4). */
export function newRun(view: PopView, destination: Destination, kind: "Join" | "Roll", now: Instant): PopRun {
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
export function startRun(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
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
export const withoutRoll = (view: PopView, now: Instant): PopClusterStatus => endRun(withoutPlan(endedRun(view, now)));

/** The watched run takes late nodes in, as members of its own; bake and watch stand still meanwhile and go on afterwards (P16). */
export function takeIn(view: PopView, destination: Destination, now: Instant): PopClusterStatus {
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
