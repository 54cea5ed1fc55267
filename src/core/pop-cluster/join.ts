import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import { orderHold } from "./assigned.ts";
import { bootOf } from "./boot.ts";
import { pausedHold } from "./brakes.ts";
import { containerFailure, healthOf } from "./health.ts";
import { nodeDeadline } from "./node-deadline.ts";
import type { DataPlanePod } from "./observation.ts";
import { iso, merge, type Outcome } from "./outcome.ts";
import { NO_REVISION } from "./revision.ts";
import { failRevision } from "./verdict.ts";
import { type NodeView, type PopView, recordOf, seenNode, withEntry } from "./view.ts";

/** The revision that a node which serves nobody gets (P16): what the PoP is on, or what it goes back to. */
export function joinRevision(view: PopView): string | undefined {
  const { run, current } = view;
  if (!run) return current;
  if (run.kind !== "Roll") return run.revision;
  return run.state === "Baking" || run.state === "Passed" ? run.revision : run.back;
}

/**
 * P16: nodes that serve nobody get their revision at once: no window, drain, grant or claim, at most maxUnavailable at a time. Only
 * a pause holds them (G13).
 */
export function join(view: PopView, now: Instant): Outcome | undefined {
  const revision = joinRevision(view);
  const joining = view.nodes.filter((node) => node.joining);
  if (revision === undefined || revision === NO_REVISION || joining.length === 0 || view.seen.pop.deleting) return undefined;
  if (!recordOf(view, revision) || !view.seen.daemonSets.some((set) => set.revision === revision && !set.deleting)) return undefined;
  const begun = joining.filter((node) => node.entry?.step === "Updating");
  // One that failed may still come up by itself, or by a person's hand: then it serves and counts.
  const recovered = joining.filter((node) => node.entry?.step === "Failed" && node.servingPod?.revision === revision);
  const steps = [...begun, ...recovered].map((node) => joinStep(view, node, revision, now));
  // What a rollout holds is its version, and not a node that joins what the PoP runs already.
  const paused = pausedHold(view) ?? (view.run?.kind === "Join" ? orderHold(view) : undefined);
  if (paused) return merge([...steps, { holds: [paused] }]);
  const stopped = view.run?.kind === "Join" && view.run.ending !== undefined;
  const free = stopped ? 0 : view.limit - begun.length;
  const next = joining.find(
    (node) => node.entry === undefined && node.pods.length === 0 && node.member.ready === "True" && !node.member.unschedulable,
  );
  return merge([...steps, free > 0 && next ? { ledger: begin(view, next, revision, now) } : undefined, waiting(joining, next)]);
}

function begin(view: PopView, node: NodeView, revision: string, now: Instant) {
  const { status } = view.seen.pop;
  const entry: PopNodeStatus = {
    name: node.member.name,
    uid: node.member.uid,
    revision,
    step: "Updating",
    since: iso(now),
    attempt: 0,
    ...bootOf(node.member),
  };
  return { ...status, nodes: withEntry(status.nodes ?? [], entry) };
}

function waiting(joining: readonly NodeView[], next: NodeView | undefined): Outcome | undefined {
  const cordoned = joining.find((node) => node.entry === undefined && node.member.unschedulable);
  if (!cordoned || next) return undefined;
  const hold: Hold = {
    rule: "P16",
    reason: "CordonedByPerson",
    message: `node ${cordoned.member.name} serves nobody yet and is cordoned by a person; it joins when it is uncordoned`,
  };
  return { holds: [hold] };
}

function joinStep(view: PopView, node: NodeView, revision: string, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const { member } = node;
  const entry = node.entry!;
  const target = view.label(revision);
  if (member.label !== target) {
    return { actions: [{ kind: "SetLabel", row: "Join", node: seenNode(member), token: undefined, label: target }], wakes: [now + 1_000] };
  }
  const pod = node.pods.find((candidate) => !candidate.deleting && candidate.revision === revision);
  if (pod && pod.uid === entry.retryPod) return { actions: [{ kind: "DeletePod", pod, node: member.name }], wakes: [now + 1_000] };
  const failure = pod && containerFailure(pod, entry.boot);
  const health = view.run ? healthOf(view, now).nodes.get(member.uid) : undefined;
  if (node.servingPod && (health === undefined || health.verdict === "Healthy")) {
    const boot = entry.boot ? { boot: entry.boot } : {};
    const done: PopNodeStatus = { name: entry.name, uid: entry.uid, revision, step: "Done", since: iso(now), attempt: 0, ...boot };
    const replaced = (status.nodes ?? []).filter((other) => !(other.name === entry.name && other.uid !== entry.uid));
    return { ledger: { ...status, nodes: withEntry(replaced, done) } };
  }
  const deadline = nodeDeadline(view, entry, now);
  const late =
    now >= deadline ? `after ${view.seen.pop.spec.strategy.perNode.deadline}: ${health?.evidence ?? "its pod is not Ready"}` : undefined;
  const evidence = failure ?? late;
  if (evidence === undefined) return { wakes: [deadline] };
  return joinFailed(view, entry, pod, evidence, now);
}

/** A join that fails speaks against a first version; where the version is proven it is the node that fails, and nobody else waits. */
function joinFailed(view: PopView, entry: PopNodeStatus, pod: DataPlanePod | undefined, evidence: string, now: Instant): Outcome {
  const { status } = view.seen.pop;
  const failed: PopNodeStatus = { ...entry, step: "Failed", since: iso(now), message: evidence.slice(0, 1024) };
  const { run } = view;
  if (run?.kind === "Join")
    return failRevision(view, run, `node ${entry.name}: ${pod ? `pod ${pod.name}: ` : ""}${evidence}`, "Check", now, failed);
  return {
    ledger: { ...status, nodes: withEntry(status.nodes ?? [], failed) },
    events: [
      {
        type: "Warning",
        reason: "JoinFailed",
        action: "Join",
        message: `node ${entry.name} could not join: ${evidence}; it serves nobody until a person looks at it`,
      },
    ],
  };
}
