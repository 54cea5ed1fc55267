import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { sequenceOf } from "./claim.ts";
import { drainedPod, instanceOf, isOf } from "./drain.ts";
import type { InHand } from "./piece-in-hand.ts";
import { pendingEntry } from "./pending-entry.ts";
import type { Outcome } from "./outcome.ts";
import { isActive, released } from "./token.ts";
import { type PopView, seenNode, withEntry } from "./view.ts";

/**
 * R6b: a node whose change is not made is given back. First the claim ends and the taint goes (testing that the label is still
 * there), then the drain is cancelled until the instance answers or is gone, only then the step is Pending. In another order a late
 * *label off* would cut sessions that had just come back (model H6).
 */
export function giveBack(view: PopView, { node, entry }: InHand, because: string | undefined, now: Instant): Outcome {
  const { member } = node;
  if (member.claim !== released(entry.token)) {
    // A claim that has not reached the node yet is ended on it too: the late patch that would set it is refused then (model H1).
    if (isActive(member.claim) && member.claim !== entry.token) return { ledger: pending(view, entry, because, now) };
    return { actions: [{ kind: "ReleaseNode", node: seenNode(member), token: entry.token, giveBack: true }], wakes: [now + 1_000] };
  }
  const { cancel } = view.seen.pop.spec.strategy.drain;
  const instance = instanceOf(drainedPod(node));
  const answer = view.seen.drains.get(member.uid);
  const cancelled =
    !cancel ||
    !instance ||
    (answer?.verb === "cancel" && answer.token === entry.token && isOf(answer, instance) && answer.status >= 200 && answer.status < 500);
  if (cancelled) return { ledger: pending(view, entry, because, now) };
  if (answer?.verb === "cancel" && answer.token === entry.token && answer.ageMilliseconds < 1_000) return { wakes: [now + 1_000] };
  return {
    actions: [
      { kind: "CancelDrain", node: seenNode(member), token: entry.token, sequence: sequenceOf(entry), instance, endpoint: cancel.http },
    ],
    wakes: [now + 1_000],
  };
}

function pending(view: PopView, entry: PopNodeStatus, because: string | undefined, now: Instant) {
  const { status } = view.seen.pop;
  const next = pendingEntry(entry, now, `given back${because ? `: ${because}` : ""}`);
  return { ...status, nodes: withEntry(status.nodes ?? [], next) };
}
