import { CLAIM_ANNOTATION, FINALIZER, REVISION_LABEL, UPDATING_TAINT } from "../../api/names.ts";
import type { Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { claimNext } from "./claim.ts";
import { stepsInHand } from "./in-hand.ts";
import { merge, type Outcome } from "./outcome.ts";
import { isActive } from "./token.ts";
import { type PopView, seenNode } from "./view.ts";

/** How long a PoP may be unreachable before its PoPCluster goes without it; elapsed milliseconds (P13). */
export const UNREACHABLE_LIMIT = 15 * 60_000;

/**
 * P13: deleting a PoPCluster leaves the data plane serving. A node that only drains is given back, one whose label has left is
 * finished and verified, one that fails goes back; the finalizer goes after a live list shows no unended claim of ours.
 */
export function deletion(view: PopView, now: Instant): Outcome | undefined {
  const { pop, site } = view.seen;
  if (!pop.deleting || !pop.finalizers.includes(FINALIZER)) return undefined;
  if (site.state !== "Reachable") return unreachable(view, now);
  const steps = stepsInHand(view, now);
  if (steps) return steps;
  const ours = view.nodes.filter((node) => isActive(node.member.claim) && node.entry?.token !== undefined);
  if (ours.length > 0) {
    const repair = view.run?.kind === "Rollback" ? claimNext({ ...view, nodes: view.nodes }, now) : undefined;
    const left: PopAction[] = ours
      .filter((node) => node.entry!.step !== "Pending")
      .map((node) => ({ kind: "ReleaseNode", node: seenNode(node.member), token: node.member.claim!, giveBack: false }));
    return merge([repair, { actions: left, wakes: [now + 1_000] }]);
  }
  const cleanup = pop.spec.deletionPolicy === "Delete" ? removeDataPlane(view) : [];
  if (cleanup.length > 0) return { actions: cleanup, wakes: [now + 1_000] };
  return {
    actions: [{ kind: "RemoveFinalizer" }],
    events: [{ type: "Normal", reason: "Deleted", action: "Delete", message: farewell(view) }],
  };
}

function farewell(view: PopView): string {
  if (view.seen.pop.spec.deletionPolicy === "Delete") return `DaemonSets and labels of PoP ${view.seen.pop.name} are removed; the ended claims stay as annotation ${CLAIM_ANNOTATION} on its nodes`;
  return `the data plane of PoP ${view.seen.pop.name} goes on serving (deletionPolicy: Orphan); left on its nodes: label ${REVISION_LABEL} and the ended annotation ${CLAIM_ANNOTATION}; a new PoPCluster of this name adopts it`;
}

/** deletionPolicy: Delete takes the DaemonSets and then the labels away. */
function removeDataPlane(view: PopView): PopAction[] {
  const sets = view.seen.daemonSets.filter((set) => !set.deleting).map((set): PopAction => ({ kind: "DeleteDaemonSet", name: set.name, uid: set.uid }));
  if (sets.length > 0) return sets;
  return view.nodes
    .filter((node) => node.member.label !== undefined)
    .map((node): PopAction => ({ kind: "SetLabel", row: "Join", node: seenNode(node.member), token: undefined, label: undefined }));
}

/** After 15 minutes without an answer the PoPCluster goes, with a notice that names the nodes and the commands (P13). */
function unreachable(view: PopView, now: Instant): Outcome {
  const { site, pop } = view.seen;
  const age = site.state === "Unreachable" ? site.ageMilliseconds : UNREACHABLE_LIMIT;
  if (age < UNREACHABLE_LIMIT) {
    return {
      holds: [{ rule: "P13", reason: "ClusterUnreachable", message: `the PoP's API server does not answer, so its nodes cannot be given back; after 15 minutes of silence the PoPCluster goes without them` }],
      wakes: [now + 5_000],
    };
  }
  const claimed = (pop.status.nodes ?? []).filter((entry) => entry.token !== undefined && ["Claimed", "Updating"].includes(entry.step)).map((entry) => entry.name);
  const commands = `kubectl taint node NODE ${UPDATING_TAINT}- ; kubectl annotate node NODE ${CLAIM_ANNOTATION}-`;
  return {
    actions: [{ kind: "RemoveFinalizer" }],
    events: [{ type: "Warning", reason: "DeletedUnreachable", action: "Delete", message: `PoP ${pop.name} did not answer for 15 minutes and its PoPCluster goes without it; nodes in hand: ${claimed.join(", ") || "none"}; when it is back: ${commands}` }],
  };
}
