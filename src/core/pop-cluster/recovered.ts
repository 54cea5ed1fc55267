import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { iso, merge, type Outcome } from "./outcome.ts";
import { isActive } from "./token.ts";
import { type NodeView, type PopView, seenNode, withEntry } from "./view.ts";

/**
 * A node that a failed rollback left out serves again, by itself or by a person's hand: its claim ends as after an update (R10) and it is
 * Done. Without this it would bear our taint for ever, and its PoP would keep its region's place in the Fleet (G14).
 */
export function recovered(view: PopView, now: Instant): Outcome | undefined {
  if (view.run) return undefined;
  const failed = new Set((view.seen.pop.status.revisions?.failed ?? []).map((entry) => entry.revision));
  const outcomes = view.nodes.flatMap((node): Outcome[] => {
    const { entry, servingPod } = node;
    if (entry?.step !== "Failed" || entry.token === undefined || !servingPod || failed.has(servingPod.revision)) return [];
    return [end(view, node, { ...entry, token: entry.token }, now)];
  });
  return outcomes.length === 0 ? undefined : merge(outcomes);
}

function end(view: PopView, { member, servingPod }: NodeView, entry: PopNodeStatus & { readonly token: string }, now: Instant): Outcome {
  const { status } = view.seen.pop;
  if (member.claim === entry.token)
    return { actions: [{ kind: "ReleaseNode", node: seenNode(member), token: entry.token, giveBack: false }], wakes: [now + 1_000] };
  // Somebody else's claim is not ours to end.
  if (isActive(member.claim)) return {};
  const done: PopNodeStatus = {
    name: entry.name,
    uid: entry.uid,
    revision: servingPod!.revision,
    step: "Done",
    since: iso(now),
    attempt: entry.attempt,
    token: entry.token,
  };
  return {
    ledger: { ...status, nodes: withEntry(status.nodes ?? [], done) },
    events: [
      {
        type: "Normal",
        reason: "NodeRecovered",
        action: "Recover",
        message: `node ${entry.name}, which the failed rollback had left out, serves again`,
      },
    ],
  };
}
