import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Announcement, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { brakesOn } from "./brakes.ts";
import type { InHand } from "./piece-in-hand.ts";
import { pendingEntry } from "./pending-entry.ts";
import { iso, type Outcome } from "./outcome.ts";
import { NO_REVISION } from "./revision.ts";
import { claimToken, isActive, released } from "./token.ts";
import { isInHand, labelHasLeft, type NodeView, type PopView, recordOf, seenNode, withEntry } from "./view.ts";

/** Failed revisions that the ledger remembers; the records of older ones are collected too. */
export const FAILED_KEPT = 20;
const HISTORY_KEPT = 20;

/** A node failed after its retries: forward that fails the revision (P6); rolling back it fails the rollback (P7). */
export function failNode(view: PopView, { node, entry, run }: InHand, evidence: string, now: Instant): Outcome {
  const failed: PopNodeStatus = { ...entry, step: "Failed", since: iso(now), message: evidence.slice(0, 1024) };
  if (run.kind === "Rollback") return rollbackFailed(view, run, failed, evidence, now);
  return failRevision(view, run, `node ${node.member.name}: ${evidence}`, "Check", now, failed);
}

/**
 * The verdict on the run's revision (RB). First fenced, then judged: each node in hand whose label has left, and each node being
 * joined, gets a new claim value, so that no late effect of this run can put the failed revision on it after the verdict.
 */
export function failRevision(
  view: PopView,
  run: PopRun,
  evidence: string,
  by: "Check" | "Person",
  now: Instant,
  failedNode?: PopNodeStatus,
): Outcome {
  const { status, spec } = view.seen.pop;
  if (run.back === undefined || run.back === run.revision) return failWithoutTarget(view, run, evidence, now, failedNode);
  if (!spec.rollback.automatic && by === "Check") return failAndHold(view, run, evidence, now, failedNode);
  const fences = fencesOf(view, run);
  if (fences.length > 0) return { actions: fences, wakes: [now + 1_000], alone: true };
  const failed = withFailed(status, run, evidence, now);
  if (run.back !== NO_REVISION && !recordOf(view, run.back) && !view.seen.daemonSets.some((set) => set.revision === run.back)) {
    const message = `TargetGone: neither record nor DaemonSet of revision ${run.back} exists, so ${run.version} cannot be taken back`;
    return {
      ledger: endRun({ ...failed, ...withHistory(failed, run, "RollbackFailed", `${evidence}; ${message}`, now), ...returned(status) }),
      events: [warning("RollbackFailed", "RollBack", message)],
    };
  }
  const back = run.back === NO_REVISION ? "the adopted data plane" : (recordOf(view, run.back)?.version ?? run.back);
  const ledger: PopClusterStatus = {
    ...failed,
    run: rollbackRun(view, run, back, evidence, now),
    runs: run.id + 1,
    nodes: nodesToRollBack(view, run, failedNode, now),
  };
  const ignored = ignoredBrakes(view, now);
  return {
    ledger,
    events: [
      warning(
        "RollbackStarted",
        "RollBack",
        `${run.version} is taken back to ${back}${by === "Person" ? " on request" : ""}: ${evidence}${ignored}`,
      ),
    ],
  };
}

/** Goes back without a verdict: the revision did nothing wrong, its time was over (W5). Nothing of it is in hand, so nothing is fenced. */
export function goBack(view: PopView, run: PopRun, evidence: string, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const back = run.back === NO_REVISION ? "the adopted data plane" : (recordOf(view, run.back!)?.version ?? run.back!);
  return {
    ledger: {
      ...status,
      run: rollbackRun(view, run, back, evidence, now),
      runs: run.id + 1,
      nodes: nodesToRollBack(view, run, undefined, now),
    },
    events: [warning("RollbackStarted", "RollBack", `${run.version} goes back to ${back}: ${evidence}${ignoredBrakes(view, now)}`)],
  };
}

/** What a rollback does not wait for, said where it is on (P7). */
function ignoredBrakes(view: PopView, now: Instant): string {
  const on = brakesOn(view, now);
  const window = on.window && view.seen.pop.spec.rollback.ignoreWindow ? [`the window (${on.window.reason})`] : [];
  const ignored = [...window, ...(on.paused ? [`the pause (${on.paused.reason})`] : [])];
  return ignored.length > 0 ? `; it does not wait for ${ignored.join(" and ")}` : "";
}

const warning = (reason: string, action: string, message: string): Announcement => ({ type: "Warning", reason, action, message });

function fencesOf(view: PopView, run: PopRun): PopAction[] {
  const popUID = view.seen.pop.uid;
  return view.nodes.flatMap((node): PopAction[] => {
    const { member, entry } = node;
    if (member.label !== view.offLabel || !entry || entry.step !== "Updating") return [];
    if (entry.token !== undefined) {
      if (member.claim !== entry.token) return [];
      return [{ kind: "ClaimNode", node: seenNode(member), token: claimToken(popUID, run.id + 1, member.uid, entry.attempt + 1) }];
    }
    const fence = claimToken(popUID, run.id + 1, member.uid, 0);
    if (isActive(member.claim) || member.claim === released(fence)) return [];
    return [{ kind: "ReleaseNode", node: seenNode(member), token: fence, giveBack: false }];
  });
}

/** Which nodes the rollback has to look at: those of the failed revision and those in hand; it moves no others (P7). */
function nodesToRollBack(view: PopView, run: PopRun, failedNode: PopNodeStatus | undefined, now: Instant): PopNodeStatus[] {
  const failedLabel = view.label(run.revision);
  return (view.seen.pop.status.nodes ?? []).flatMap((listed): PopNodeStatus[] => {
    const entry = failedNode?.uid === listed.uid ? failedNode : listed;
    const node = view.nodes.find((other) => other.member.uid === entry.uid);
    if (!node) return [entry];
    if (entry.step === "Claimed") return [entry];
    if (node.joining && node.member.label === view.offLabel) return [];
    const updating = entry.step === "Updating" && entry.token !== undefined;
    // Its label has not left: the claim is given back under its old token, and the node stays where it is.
    if (updating && node.member.label !== failedLabel && !labelHasLeft(view, node)) return [{ ...entry, step: "Claimed" }];
    // Of two partners that have to go back the one with more sessions on the failed version goes first: what each node held stays (F10).
    const held = entry.sessions === undefined ? {} : { sessions: entry.sessions };
    if (updating || node.member.label === failedLabel || entry.step === "Failed")
      return [{ ...pendingEntry(entry, now, entry.message), ...held }];
    return entry.step === "Pending" ? [{ ...pendingEntry(entry, now, entry.message), step: "Done", ...revisionOn(view, node) }] : [entry];
  });
}

const revisionOn = (view: PopView, node: NodeView): { revision?: string } =>
  node.servingPod ? { revision: node.servingPod.revision } : view.current === undefined ? {} : { revision: view.current };

function rollbackRun(view: PopView, run: PopRun, version: string, evidence: string, now: Instant): PopRun {
  return {
    id: run.id + 1,
    kind: "Rollback",
    revision: run.back!,
    version,
    from: run.revision,
    takesBack: { version: run.version, startedAt: run.startedAt },
    startedAt: iso(now),
    state: "RollingBack",
    cause: evidence.slice(0, 1024),
    // Its members stay: who was lost in the roll is missing in the way back too, until another node serves in its stead (P16).
    frozen: { ...run.frozen, maxUnavailable: view.seen.pop.spec.rollback.maxUnavailable },
    timers: {},
  };
}

/** The revision's failed verdict, once (G8). */
export function withFailed(
  status: PopClusterStatus,
  run: Pick<PopRun, "revision" | "version">,
  evidence: string,
  now: Instant,
): PopClusterStatus {
  const others = (status.revisions?.failed ?? []).filter((entry) => entry.revision !== run.revision);
  const failed = [...others, { revision: run.revision, version: run.version, at: iso(now), evidence: evidence.slice(0, 1024) }].slice(
    -FAILED_KEPT,
  );
  return { ...status, revisions: { ...status.revisions, failed } };
}

/** A first version has nothing to go back to: it stops (FirstVersion). A run that only brings strays home fails its node alone. */
function failWithoutTarget(view: PopView, run: PopRun, evidence: string, now: Instant, failedNode?: PopNodeStatus): Outcome {
  const { status } = view.seen.pop;
  const nodes = failedNode ? withEntry(status.nodes ?? [], failedNode) : (status.nodes ?? []);
  if (run.back === run.revision) {
    return {
      ledger: { ...status, nodes, run: { ...run, ending: "Stopped", cause: evidence.slice(0, 1024) } },
      events: [
        warning(
          "NodeFailed",
          "Stop",
          `${failedNode ? `node ${failedNode.name}` : "a node"} could not be brought to ${run.version}, which the others run: ${evidence}`,
        ),
      ],
    };
  }
  if (run.cause !== undefined) return failedNode ? { ledger: { ...status, nodes } } : {};
  const judged = withFailed(status, run, evidence, now);
  return {
    ledger: { ...judged, nodes, run: { ...run, ending: "Stopped", cause: evidence.slice(0, 1024) } },
    events: [
      warning(
        "FirstVersionFailed",
        "Stop",
        `${run.version} is the PoP's first version and failed; there is nothing to go back to: ${evidence}`,
      ),
    ],
  };
}

/** `rollback.automatic: false`: the verdict stands, nothing more starts, and a person takes it back or retries. */
function failAndHold(view: PopView, run: PopRun, evidence: string, now: Instant, failedNode?: PopNodeStatus): Outcome {
  if (run.ending === "Stopped" && run.cause !== undefined) return {};
  const { status } = view.seen.pop;
  const judged = withFailed(status, run, evidence, now);
  const nodes = failedNode ? withEntry(status.nodes ?? [], failedNode) : (status.nodes ?? []);
  return {
    ledger: { ...judged, nodes, run: { ...run, ending: "Stopped", cause: evidence.slice(0, 1024) } },
    events: [
      warning(
        "VersionFailed",
        "Stop",
        `${run.version} failed and rollback.automatic is false: ${evidence}; rollward take-back or a new version goes on`,
      ),
    ],
  };
}

function rollbackFailed(view: PopView, run: PopRun, failed: PopNodeStatus, evidence: string, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const others = view.nodes.some(({ member, entry }) => member.uid !== failed.uid && (isInHand(entry) || entry?.step === "Soaking"));
  // Nodes that are in hand too are finished first: what has left must come back, be judged, and no claim may be left behind.
  if (others) return { ledger: { ...status, nodes: withEntry(status.nodes ?? [], failed), run: { ...run, ending: "Stopped" } } };
  return rollbackEndsFailed(view, run, failed, evidence, now);
}

/** The old revision failed too: the run is over, the node named stays out and nobody else is touched (P7). */
export function rollbackEndsFailed(view: PopView, run: PopRun, failed: PopNodeStatus, evidence: string, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const message = `the rollback to ${run.version} failed on node ${failed.name}: ${evidence}; the node stays out, the others are not touched`;
  const ended: PopClusterStatus = { ...status, nodes: withEntry(status.nodes ?? [], failed) };
  return {
    ledger: endRun({ ...ended, ...withHistory(ended, run, "RollbackFailed", `${run.cause ?? ""}; ${message}`, now), ...returned(status) }),
    events: [warning("RollbackFailed", "RollBack", message)],
  };
}

/** The ledger without its run. */
export const endRun = ({ run: _, ...ledger }: PopClusterStatus): PopClusterStatus => ledger;

/** A grant that was asked for and is needed no longer (rule G14). */
export const returned = (status: PopClusterStatus): Pick<PopClusterStatus, "grant"> =>
  status.grant?.state === "Asked" ? { grant: { ...status.grant, state: "Returned" } } : {};

/** The run's end in the history; a rollback is told under the version that it took back. */
export function withHistory(
  status: PopClusterStatus,
  run: PopRun,
  outcome: NonNullable<PopClusterStatus["history"]>[number]["outcome"],
  evidence: string,
  now: Instant,
): Pick<PopClusterStatus, "history"> {
  const entry = {
    version: run.takesBack?.version ?? run.version,
    revision: run.from ?? run.revision,
    startedAt: run.takesBack?.startedAt ?? run.startedAt,
    endedAt: iso(now),
    outcome,
    nodes: run.frozen.members.length,
    ...(run.kind === "Roll" && run.back !== undefined && run.back !== run.revision ? { back: run.back } : {}),
    ...(evidence ? { evidence: evidence.slice(0, 1024) } : {}),
  };
  return { history: [...(status.history ?? []), entry].slice(-HISTORY_KEPT) };
}
