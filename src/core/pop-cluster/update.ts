import type { PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import { comesUpUntil } from "./boot.ts";
import { newCounters } from "./counters.ts";
import { excuseOfNodes } from "./excuse.ts";
import { brakeOnHand, type InHand } from "./piece-in-hand.ts";
import { giveBack } from "./give-back.ts";
import { creationDeadline, nodeDeadline } from "./node-deadline.ts";
import type { Judgement } from "../health/verdict.ts";
import { containerFailure, healthOf } from "./health.ts";
import type { DataPlanePod } from "./observation.ts";
import { iso, type Outcome } from "./outcome.ts";
import { released } from "./token.ts";
import { drainInForce } from "./drain.ts";
import { refusedDrain, startDrain } from "./start-drain.ts";
import { failNode } from "./verdict.ts";
import { brokenAlready, judgedPod, type NodeView, type PopView, seenNode, withEntry } from "./view.ts";

/** Updating: label off (R8), the old pod is gone, label on (R9), verified (P5), claim and taint off (R10), soaking (R11). */
export function update(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  const { member } = node;
  const target = view.label(run.revision);
  if (member.label === target) {
    if (member.claim === released(entry.token)) return soaking(view, inHand, now);
    return member.claim === entry.token ? verify(view, inHand, now) : foreignClaim(view, inHand, now);
  }
  if (member.claim !== entry.token) {
    if (member.claim === released(entry.token)) return giveBack(view, inHand, "its claim was ended", now);
    return foreignClaim(view, inHand, now);
  }
  if (member.label === view.offLabel) return labelOn(view, inHand, now);
  return labelOff(view, inHand, now);
}

/** Somebody's fence stands where ours was: an ended run's verdict, or a person. The node is claimed anew from what it bears. */
function foreignClaim(view: PopView, { node, entry }: InHand, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const next: PopNodeStatus = {
    ...entry,
    step: "Pending",
    since: iso(now),
    message: `its claim was changed to ${node.member.claim ?? "none"}; claimed anew`,
  };
  return { ledger: { ...status, nodes: withEntry(status.nodes ?? [], next) } };
}

function labelOff(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  // Until the label has left this is no change: window, pause and budget are looked at once more (W4, G5, G13).
  const stays = view.seen.pop.deleting && !(run.kind === "Rollback" && brokenAlready(node));
  const because =
    (stays ? "the PoPCluster is being deleted" : undefined) ??
    (run.ending ? "the run was ended" : undefined) ??
    brakeOnHand(view, inHand, now)?.message;
  const refused = refusedDrain(view, inHand);
  if (because || refused) return giveBack(view, inHand, because ?? refused, now);
  if (!drainInForce(view, node, entry, now)) return { actions: startDrain(view, inHand), wakes: [now + 1_000] };
  const overlap = view.seen.pop.spec.strategy.overlap === "Allowed";
  return {
    actions: [
      {
        kind: "SetLabel",
        row: overlap ? "LabelMove" : "LabelOff",
        node: seenNode(node.member),
        token: entry.token,
        label: overlap ? view.label(run.revision) : view.offLabel,
      },
    ],
    wakes: [now + 1_000],
  };
}

/** The new pod must not meet the old one: bound together they share ports, and a good version looks bad (node-roll, facts tried). */
function labelOn(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  const old = node.pods[0];
  if (!old) {
    return {
      actions: [{ kind: "SetLabel", row: "LabelOn", node: seenNode(node.member), token: entry.token, label: view.label(run.revision) }],
      wakes: [now + 1_000],
    };
  }
  const deadline = nodeDeadline(view, entry, now);
  if (now < deadline) return { wakes: [deadline] };
  return deadlinePassed(view, inHand, `its old pod ${old.name} is still terminating`, now);
}

/** P5: a pod of that revision's DaemonSet, Ready, node checks healthy, the same images as on the run's first node. */
function verify(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  const { member } = node;
  const pod = judgedPod(view, node);
  if (pod && pod.uid === entry.retryPod) return { actions: [{ kind: "DeletePod", pod, node: member.name }], wakes: [now + 1_000] };
  const failure = pod && containerFailure(pod, entry.boot);
  if (failure) return attemptFailed(view, inHand, pod, `pod ${pod.name}: ${failure}`, now);
  const changed = pod && imagesChanged(run, pod);
  if (changed) return attemptFailed(view, inHand, pod, changed, now);
  const health = healthOf(view, now).nodes.get(node.member.uid);
  if (pod?.ready && node.member.ready === "True" && health?.verdict === "Healthy") {
    return { actions: [{ kind: "ReleaseNode", node: seenNode(node.member), token: entry.token, giveBack: false }], wakes: [now + 1_000] };
  }
  // Fast failure is only what the kubelet says of the new pod (P6): a check may look back to before it, or meet a pod that warms up.
  const deadline = pod ? nodeDeadline(view, entry, now) : creationDeadline(view, entry, now);
  if (now < deadline) return { wakes: [deadline] };
  if (unreadableAtDeadline(view, node, health, now)) {
    // Doubt holds only the way forward (G9): back on the proven revision a Ready pod is enough.
    return run.kind === "Rollback"
      ? { actions: [{ kind: "ReleaseNode", node: seenNode(member), token: entry.token, giveBack: false }], wakes: [now + 1_000] }
      : {};
  }
  // The neighbours were bad before we came: the hold is told by the breach rule, and nothing is tried again meanwhile (P10).
  if (run.kind === "Roll" && badAtDeadline(view, node, health, now) && excuseOfNodes(view, run, healthOf(view, now), now)) return {};
  return deadlinePassed(
    view,
    inHand,
    pod ? (health?.evidence ?? `pod ${pod.name} is ${pod.phase} and not Ready`) : "no pod of the new revision was created",
    now,
  );
}

/** The node's time is up, its pod is Ready, and what else it is judged by cannot be read: no evidence against anybody (G9). */
export function unreadableAtDeadline(view: PopView, node: NodeView, health: Judgement | undefined, now: Instant): boolean {
  const { entry } = node;
  if (!entry || node.member.ready !== "True" || !judgedPod(view, node)?.ready || now < nodeDeadline(view, entry, now)) return false;
  return health?.verdict === "Unknown" && !health.undecided;
}

/** The node's time is up, its pod is Ready, and its own check fails. */
export function badAtDeadline(view: PopView, node: NodeView, health: Judgement | undefined, now: Instant): boolean {
  const { entry } = node;
  if (entry?.step !== "Updating" || entry.token === undefined || node.member.ready !== "True" || !judgedPod(view, node)?.ready)
    return false;
  return now >= nodeDeadline(view, entry, now) && health?.verdict === "Unhealthy";
}

/** Are the images what the run's first node got under the same tag? Absent: they are taken from this pod. */
export function imagesChanged(run: PopRun, pod: DataPlanePod): string | undefined {
  const images = imageIDsOf(pod);
  if (!run.imageIDs || !images || run.kind === "Rollback") return undefined;
  const same = run.imageIDs.length === images.length && run.imageIDs.every((image, index) => image === images[index]);
  return same
    ? undefined
    : `ImageChanged: the run's first node got ${run.imageIDs.join(", ")}, this one ${images.join(", ")} under the same name`;
}

export function imageIDsOf(pod: DataPlanePod): string[] | undefined {
  const images = pod.containers.map((container) => container.imageID).filter((image) => image !== undefined && image !== "");
  return images.length === pod.containers.length ? (images as string[]) : undefined;
}

/**
 * At the deadline a node that is NotReady in the API server's eyes is no evidence against the revision while its neighbours on the
 * revision are healthy: the roll holds (P6).
 */
function deadlinePassed(view: PopView, inHand: InHand, found: string, now: Instant): Outcome {
  const { node, run } = inHand;
  const onRevision = view.nodes.filter((other) => other.member.uid !== node.member.uid && other.servingPod?.revision === run.revision);
  if (node.member.ready !== "True" && (onRevision.length > 0 || run.kind === "Rollback")) {
    const { status } = view.seen.pop;
    const waits: PopNodeStatus = { ...inHand.entry, skipped: "NotReady" };
    const ledger = inHand.entry.skipped === "NotReady" ? {} : { ledger: { ...status, nodes: withEntry(status.nodes ?? [], waits) } };
    const hold: Hold = {
      rule: "P6",
      reason: "HealthUnknown",
      message: `node ${node.member.name} is not Ready in the API server's eyes and ${onRevision.length} others on ${run.version} serve: no evidence against the version; it holds until the node is back or deleted`,
    };
    return { ...ledger, holds: [hold] };
  }
  if (inHand.entry.skipped === "NotReady") return backFromTheDead(view, inHand, now);
  const until = comesUpUntil(view, node, now);
  if (until !== undefined && (onRevision.length > 0 || run.kind === "Rollback")) {
    const message = `node ${node.member.name} was rebooted at ${inHand.entry.boot!.since} and has time to come up again; ${onRevision.length} others on ${run.version} serve`;
    return { holds: [{ rule: "P6", reason: "HealthUnknown", message, until }], wakes: [until] };
  }
  return attemptFailed(view, inHand, judgedPod(view, node), `after ${view.seen.pop.spec.strategy.perNode.deadline}: ${found}`, now);
}

/** The time that its machine was away is nobody's fault: the node gets its deadline once more, and no more often than it was away at one. */
function backFromTheDead(view: PopView, { entry }: InHand, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const { skipped: _, ...again } = entry;
  return { ledger: { ...status, nodes: withEntry(status.nodes ?? [], { ...again, since: iso(now) }) } };
}

/** P6: a retry deletes the new pod once; after the retries the node has failed, and with it the revision. */
function attemptFailed(view: PopView, inHand: InHand, pod: DataPlanePod | undefined, evidence: string, now: Instant): Outcome {
  const { node, entry } = inHand;
  const { status, spec } = view.seen.pop;
  const retried = entry.retried ?? 0;
  if (retried >= spec.strategy.perNode.retries || !pod) return failNode(view, inHand, evidence, now);
  // The pod is named in the ledger before it is deleted, so that a crash between the two deletes it once and not twice.
  const message = `retry ${retried + 1} of ${spec.strategy.perNode.retries}: ${evidence}`.slice(0, 1024);
  const next: PopNodeStatus = { ...entry, since: iso(now), retried: retried + 1, retryPod: pod.uid, message };
  return {
    ledger: { ...status, nodes: withEntry(status.nodes ?? [], next) },
    events: [{ type: "Warning", reason: "NodeRetry", action: "RetryNode", message: `node ${node.member.name}: ${message}` }],
  };
}

function soaking(view: PopView, { node, entry, run }: InHand, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const pod = judgedPod(view, node);
  const images = pod && imageIDsOf(pod);
  const next: PopNodeStatus = {
    ...withoutMessage(entry),
    revision: run.revision,
    step: "Soaking",
    since: iso(now),
    ...newCounters(view, node),
  };
  const keepsImages = run.imageIDs !== undefined || images === undefined || run.kind === "Rollback";
  return {
    ledger: {
      ...status,
      nodes: withEntry(status.nodes ?? [], next),
      run: keepsImages ? run : { ...run, imageIDs: images },
    },
  };
}

const withoutMessage = ({ message: _, skipped: __, ...entry }: PopNodeStatus): PopNodeStatus => entry;
