import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopAction } from "../core/pop-cluster/action.ts";
import type { Announcement } from "../core/decision.ts";

/**
 * A node's label leaves for a forward roll while none of the occurrences in status holds now: what must never happen, watched apart
 * from the gates that prevent it (metric `window_breach_total`). It is told on the PoP, with the node and what was promised; undefined:
 * all is well.
 */
export function breachOf({ status }: PopCluster, action: PopAction, now: number): Announcement | undefined {
  if (action.kind !== "SetLabel" || (action.row !== "LabelOff" && action.row !== "LabelMove") || status?.run?.kind !== "Roll")
    return undefined;
  const occurrences = status.next ?? [];
  if (occurrences.some(({ start, end }) => Date.parse(start) <= now && now < Date.parse(end))) return undefined;
  const promised = occurrences.map(({ start, end }) => `${start} to ${end}`).join(", ") || "none";
  return {
    type: "Warning",
    reason: "WindowBreached",
    action: "SetLabel",
    message:
      `The label of node ${action.node.name} left outside the window (status.next: ${promised}), so users were disrupted without the notice ` +
      "that was promised. This is a defect of the operator: pause the PoP, and report it with this event and the status.",
  };
}
