import type { PopClusterStatus, PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { iso, type Outcome } from "./outcome.ts";
import { NO_REVISION } from "./revision.ts";
import { isActive } from "./token.ts";
import { type NodeView, type PopView, seenNode } from "./view.ts";

/**
 * The first look at a PoP: its ledger is empty. What already runs under its name is adopted (P13, P16): names tie a data plane to
 * its PoP. Claims that nobody's ledger knows are taken over and given back; then every node that serves stands Done in the ledger,
 * and nothing has been touched.
 */
export function firstSight(view: PopView, now: Instant): Outcome | undefined {
  const { seen } = view;
  const { status, uid, spec } = seen.pop;
  if (status.revisions !== undefined || seen.site.state !== "Reachable" || seen.pop.deleting || view.nodes.length === 0) return undefined;
  const orphaned = view.nodes.filter((node) => isActive(node.member.claim));
  if (orphaned.length > 0) {
    return {
      actions: orphaned.map((node) => ({ kind: "ReleaseNode", node: seenNode(node.member), token: node.member.claim!, giveBack: false })),
      wakes: [now + 1_000],
      events: [
        {
          type: "Warning",
          reason: "OrphanedClaim",
          action: "Adopt",
          message: `nodes ${orphaned.map((node) => node.member.name).join(", ")} bear claims of an earlier PoPCluster ${seen.pop.name}; they are ended and the nodes given back`,
        },
      ],
    };
  }
  const adopted = adoptedRevision(view);
  if (adopted === "waiting") return adoptDaemonSet(view, now);
  // Somebody else's data plane runs here: whether it is to be adopted is for a person to say, and nothing is concluded before.
  if (adopted === undefined && (seen.foreignPods.length > 0 || (spec.adopt && !seen.adoptee))) return undefined;
  const ledger: PopClusterStatus = {
    ...status,
    clusterUID: seen.site.uid,
    revisions: {
      ...(adopted === undefined ? {} : { current: adopted, promoted: adopted }),
      failed: seen.records.flatMap((record) =>
        record.failed
          ? [{ revision: record.revision, version: record.version, at: record.failed.at, evidence: record.failed.evidence }]
          : [],
      ),
    },
    nodes: view.nodes.flatMap((node) => entryOf(view, node, adopted, now)),
  };
  if (adopted === undefined) return { ledger };
  const what = adopted === NO_REVISION ? `DaemonSet ${spec.adopt?.daemonSet.name}` : `revision ${adopted}`;
  return {
    ledger,
    events: [
      {
        type: "Normal",
        reason: "Adopted",
        action: "Adopt",
        message: `PoPCluster ${seen.pop.name} (${uid}) adopts the data plane that runs here: ${what} on ${ledger.nodes?.length ?? 0} nodes; nothing is restarted`,
      },
    ],
  };
}

/** The revision that most labelled nodes bear, if its record is known; `none` for a DaemonSet that was made to leave our nodes alone. */
function adoptedRevision(view: PopView): string | undefined {
  const { seen } = view;
  const counts = new Map<string, number>();
  for (const node of view.nodes) {
    const revision = labelledRevision(view, node);
    if (revision !== undefined) counts.set(revision, (counts.get(revision) ?? 0) + 1);
  }
  const [most] = [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));
  if (most) return most[0];
  if (!seen.pop.spec.adopt) return undefined;
  if (!seen.adoptee) return undefined;
  return seen.adoptee.onDelete && seen.adoptee.excludesOurNodes && seen.adoptee.observed ? NO_REVISION : "waiting";
}

function labelledRevision(view: PopView, node: NodeView): string | undefined {
  if (node.member.label === undefined) return undefined;
  return view.seen.records.find((record) => view.label(record.revision) === node.member.label)?.revision;
}

function entryOf(view: PopView, node: NodeView, adopted: string | undefined, now: Instant): PopNodeStatus[] {
  const revision = labelledRevision(view, node) ?? (adopted === NO_REVISION && node.pods.length > 0 ? NO_REVISION : undefined);
  if (revision === undefined) return [];
  return [{ name: node.member.name, uid: node.member.uid, revision, step: "Done", since: iso(now), attempt: 0 }];
}

/** First OnDelete, then the affinity that keeps it off our nodes, each seen as observed: in one patch it would roll by itself. */
function adoptDaemonSet(view: PopView, now: Instant): Outcome {
  const adoptee = view.seen.adoptee!;
  const wakes = [now + 1_000];
  if (!adoptee.observed) return { wakes };
  const step = adoptee.onDelete ? "Exclude" : "OnDelete";
  return { actions: [{ kind: "AdoptDaemonSet", name: adoptee.name, uid: adoptee.uid, step }], wakes };
}
