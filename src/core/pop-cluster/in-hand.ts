import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { bootOf } from "./boot.ts";
import { drainedPod, drainOver } from "./drain.ts";
import { giveBack } from "./give-back.ts";
import { nodeDeadline } from "./node-deadline.ts";
import type { DataPlanePod } from "./observation.ts";
import { moveOthers } from "./other-pods.ts";
import { iso, merge, type Outcome } from "./outcome.ts";
import { released } from "./token.ts";
import { brakeOnHand, type InHand } from "./piece-in-hand.ts";
import { refusedDrain, startDrain } from "./start-drain.ts";
import { update } from "./update.ts";
import { brokenAlready, labelHasLeft, type NodeView, type PopView, seenNode, withEntry } from "./view.ts";

/** All nodes in hand, each taken one step further (R5 to R11, R6b). */
export function stepsInHand(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run) return undefined;
  const outcomes = view.nodes.flatMap((node) => {
    const { entry } = node;
    if (!entry?.token || (entry.step !== "Claimed" && entry.step !== "Updating")) return [];
    const inHand: InHand = { node, entry: { ...entry, token: entry.token }, run };
    return [entry.step === "Claimed" ? drainStep(view, inHand, now) : update(view, inHand, now)];
  });
  return outcomes.length === 0 ? undefined : merge(outcomes);
}

/** Claimed: R5, R6, and R7 when the drain is over. */
function drainStep(view: PopView, inHand: InHand, now: Instant): Outcome {
  const { node, entry, run } = inHand;
  const { member } = node;
  const because = labelHasLeft(view, node) ? undefined : reasonToStop(view, inHand, now);
  if (because || member.claim === released(entry.token)) return giveBack(view, inHand, because, now);
  if (member.claim !== entry.token) {
    const token = entry.token;
    return { actions: [{ kind: "ClaimNode", node: seenNode(member), token }, ...firstEvictionCheck(view, node)], wakes: [now + 1_000] };
  }
  const { over, until } = drainOver(view, node, entry, now);
  if (!over) return { actions: startDrain(view, inHand), wakes: [until, now + 1_000] };
  const blocked = eviction(view, inHand, now);
  if (blocked) return blocked;
  const next: PopNodeStatus = { ...entry, step: "Updating", since: iso(now), ...bootOf(member) };
  return {
    ledger: { ...view.seen.pop.status, nodes: withEntry(view.seen.pop.status.nodes ?? [], next) },
    events: [
      {
        type: "Normal",
        reason: run.kind === "Rollback" ? "NodeRollback" : "NodeUpdate",
        action: "UpdateNode",
        message: `node ${member.name} is drained${entry.sessions === undefined ? "" : ` of ${entry.sessions} sessions`} and goes to ${run.version} (run ${run.id}, attempt ${entry.attempt})`,
      },
    ],
  };
}

/** Why a claimed node is given back before its change is made (rules G13, W5, P1); undefined: go on. */
function reasonToStop(view: PopView, { node, entry, run }: InHand, now: Instant): string | undefined {
  const { pop } = view.seen;
  // On deletion a node that failed still goes back; everybody else stays where he is (P13).
  if (pop.deleting && !(run.kind === "Rollback" && brokenAlready(node))) return "the PoPCluster is being deleted";
  if (run.state !== "Rolling" && run.state !== "RollingBack") return "its run has ended";
  if (node.member.label === view.label(run.revision)) return "it is on the revision already";
  if (run.from !== undefined && node.member.label !== view.label(run.from)) return "it does not run the revision that is taken back";
  const refused = refusedDrain(view, { node, entry });
  if (refused) return refused;
  if (run.ending) return run.ending === "Stopped" ? "a person stopped the run" : "a newer revision took the run's place";
  return brakeOnHand(view, { node, entry, run }, now)?.message;
}

const EVICTION_ANSWER_FRESH = 5_000;

/**
 * Re-check of the PDB right before the label leaves: a dry-run eviction; 429 = DrainBlocked (P3). Other pods go first where asked for.
 * At the deadline of the node it is given back: it waits out of service for somebody else's budget no longer.
 */
function eviction(view: PopView, inHand: InHand, now: Instant): Outcome | undefined {
  const { node, entry } = inHand;
  const pod = drainedPod(node);
  if (!pod || brokenAlready(node)) return undefined;
  const deadline = nodeDeadline(view, entry, now);
  const blocked = moveOthers(view, node, now) ?? refusedEviction(view, node, pod, now);
  const hold = blocked?.holds?.[0];
  if (!hold) return blocked;
  if (now >= deadline) return giveBack(view, inHand, hold.message, now);
  return { ...blocked, holds: [{ ...hold, message: `${hold.message}; it is given back when that does not end`, until: deadline }] };
}

function refusedEviction(view: PopView, node: NodeView, pod: DataPlanePod, now: Instant): Outcome | undefined {
  const answer = view.seen.evictions.get(node.member.uid);
  if (!answer || answer.ageMilliseconds > EVICTION_ANSWER_FRESH) {
    const again: Outcome = { actions: [{ kind: "CheckEviction", node: seenNode(node.member), pod }], wakes: [now + EVICTION_ANSWER_FRESH] };
    return answer && !answer.allowed ? { ...again, holds: [drainBlocked(node, answer.message)] } : again;
  }
  if (answer.allowed) return undefined;
  return { holds: [drainBlocked(node, answer.message)], wakes: [now + EVICTION_ANSWER_FRESH] };
}

/** The dry run goes beside the claim, so that a node without sessions need not wait for it later; an answer of more than 5 s ago is asked for again. */
function firstEvictionCheck(view: PopView, node: NodeView): PopAction[] {
  const pod = drainedPod(node);
  if (!pod || brokenAlready(node) || view.seen.evictions.has(node.member.uid) || view.seen.pop.spec.strategy.drain.evictPods) return [];
  return [{ kind: "CheckEviction", node: seenNode(node.member), pod }];
}

const drainBlocked = (node: NodeView, message: string): Hold => ({
  rule: "P3",
  reason: "DrainBlocked",
  message: `node ${node.member.name}: ${message}`,
});
