import { CLAIM_ANNOTATION, FINALIZER, REVISION_LABEL, UPDATING_TAINT } from "../../api/names.ts";
import type { Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import { claimNext } from "./claim.ts";
import { breach } from "./breach.ts";
import { stepsInHand } from "./in-hand.ts";
import type { Outcome } from "./outcome.ts";
import { isActive } from "./token.ts";
import { brokenAlready, type NodeView, type PopView, seenNode } from "./view.ts";

/** How long a PoP may be unreachable before its PoPCluster goes without it; elapsed milliseconds (P13). */
export const UNREACHABLE_LIMIT = 15 * 60_000;

/** The kubeconfig leads to another cluster than the one that this PoP was (P17). */
export const clusterChanged = ({ seen: { site, pop } }: PopView): boolean =>
  site.state === "Reachable" && pop.status.clusterUID !== undefined && pop.status.clusterUID !== site.uid;

/**
 * P13: deleting a PoPCluster leaves the data plane serving. A node that only drains is given back, one whose label has left is
 * finished and verified, one that fails goes back; the finalizer goes after a live list shows no unended claim of ours.
 */
export function deletion(view: PopView, now: Instant): Outcome | undefined {
  const { pop, site } = view.seen;
  if (!pop.deleting || !pop.finalizers.includes(FINALIZER)) return undefined;
  if (site.state !== "Reachable" || clusterChanged(view)) return unreachable(view, now);
  const steps = stepsInHand(view, now);
  if (steps) return steps;
  // A node that went back and fails there too has nowhere to go: the rollback ends, and its claim with it.
  const failed = view.run?.kind === "Rollback" ? breach(view, now) : undefined;
  if (failed?.ledger) return failed;
  const back = claimNext(view, now);
  if (back?.ledger) return back;
  const ours = view.nodes.filter((node) => isActive(node.member.claim) && node.entry?.token !== undefined);
  if (ours.length > 0) {
    const left = ours
      .filter((node) => !goesBack(view, node))
      .map((node): PopAction => ({ kind: "ReleaseNode", node: seenNode(node.member), token: node.member.claim!, giveBack: false }));
    return { actions: left, holds: back?.holds ?? [], wakes: [now + 1_000] };
  }
  const cleanup = pop.spec.deletionPolicy === "Delete" ? removeDataPlane(view) : [];
  if (cleanup.length > 0) return { actions: cleanup, wakes: [now + 1_000] };
  return {
    actions: [{ kind: "RemoveFinalizer" }],
    events: [{ type: "Normal", reason: "Deleted", action: "Delete", message: farewell(view) }],
  };
}

/** Out of service and still to be brought back: its claim ends when it serves again. */
const goesBack = (view: PopView, node: NodeView): boolean =>
  view.run?.kind === "Rollback" && node.entry?.step === "Pending" && brokenAlready(node);

function farewell(view: PopView): string {
  const { name, spec } = view.seen.pop;
  if (spec.deletionPolicy === "Delete")
    return `DaemonSets and labels of PoP ${name} are removed; the ended claims stay as annotation ${CLAIM_ANNOTATION} on its nodes`;
  return `the data plane of PoP ${name} goes on serving (deletionPolicy: Orphan); left on its nodes: label ${REVISION_LABEL} and the ended annotation ${CLAIM_ANNOTATION}; a new PoPCluster of this name adopts it`;
}

/** deletionPolicy: Delete takes the DaemonSets and then the labels away. */
function removeDataPlane(view: PopView): PopAction[] {
  const sets = view.seen.daemonSets
    .filter((set) => !set.deleting)
    .map((set): PopAction => ({ kind: "DeleteDaemonSet", name: set.name, uid: set.uid }));
  if (sets.length > 0) return sets;
  return view.nodes
    .filter((node) => node.member.label !== undefined)
    .map((node): PopAction => ({ kind: "SetLabel", row: "Join", node: seenNode(node.member), token: undefined, label: undefined }));
}

/** After 15 minutes without an answer the PoPCluster goes, with a notice that names the nodes and the commands (P13). */
function unreachable(view: PopView, now: Instant): Outcome {
  const { site, pop } = view.seen;
  if (site.ageMilliseconds < UNREACHABLE_LIMIT) {
    const message =
      "the PoP's own cluster does not answer, so its nodes cannot be given back; after 15 minutes of silence the PoPCluster goes without them";
    return { holds: [{ rule: "P13", reason: "ClusterUnreachable", message }], wakes: [now + 5_000] };
  }
  const claimed = (pop.status.nodes ?? [])
    .filter((entry) => entry.token !== undefined && ["Claimed", "Updating"].includes(entry.step))
    .map((entry) => entry.name);
  const commands = `kubectl taint node NODE ${UPDATING_TAINT}- ; kubectl annotate node NODE ${CLAIM_ANNOTATION}-`;
  return {
    actions: [{ kind: "RemoveFinalizer" }],
    events: [
      {
        type: "Warning",
        reason: "DeletedUnreachable",
        action: "Delete",
        message: `PoP ${pop.name} did not answer for 15 minutes and its PoPCluster goes without it; nodes in hand: ${claimed.join(", ") || "none"}; when it is back: ${commands}`,
      },
    ],
  };
}
