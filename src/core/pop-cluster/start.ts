import type { PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { FINALIZER } from "../../api/names.ts";
import type { Hold, Instant } from "../decision.ts";
import { problemsOf } from "./accept.ts";
import { announcementOf, isEmergency, orderHold } from "./assigned.ts";
import { bootOf } from "./boot.ts";
import { promoted } from "./advance.ts";
import { newRun, startRun, takeIn, withoutRoll } from "./begin-run.ts";
import { brakesOn, grantHeld, pausedHold, ruled } from "./brakes.ts";
import { type Destination, destinationOf } from "./destination.ts";
import { iso, type Outcome } from "./outcome.ts";
import { planHold } from "./plan.ts";
import { pullHold } from "./pre-pull.ts";
import { NO_REVISION } from "./revision.ts";
import { endRun } from "./verdict.ts";
import { type PopView, recordOf } from "./view.ts";

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
  if (!grantHeld(view)) return askGrant(view, "Roll", on.grant, destination.version);
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

/**
 * Asks for a grant: an id that grows with each asking and is never used again; a new one only after Returned (G14). A roll says to which
 * version: its place among equals follows from it (G7).
 */
export function askGrant(view: PopView, kind: "Roll" | "Rollback", waits: Hold | undefined, version: string): Outcome {
  const { status } = view.seen.pop;
  const urgent = kind === "Roll" && isEmergency(view) ? { class: "Emergency" as const } : {};
  const says = kind === "Roll" ? { ...urgent, version } : {};
  if (status.grant?.state === "Asked") {
    // It goes before regular rolls from now on, or no longer; which grant is asked for stays the same (F10).
    const { class: asked, version: to, ...grant } = status.grant;
    const same = asked === urgent.class && to === (kind === "Roll" ? version : undefined);
    return same ? { holds: waits ? [waits] : [] } : { ledger: { ...status, grant: { ...grant, ...says } } };
  }
  return { ledger: { ...status, grant: { id: (status.grant?.id ?? 0) + 1, kind, state: "Asked", ...says } } };
}
