import type { PopCluster, PopNodeStatus } from "../../api/pop-cluster.ts";
import type { ClusterEvent } from "../../control/ports.ts";

/** What is worth telling of what is seen. */
export interface Voice {
  /** Sentences about one PoP that changed. */
  pop(before: PopCluster | undefined, after: PopCluster): readonly string[];
  event(event: ClusterEvent): string | undefined;
}

/** What changed between two views of a PoP's nodes, as sentences: what a person would say who watches them. */
function nodeSentences(before: PopCluster | undefined, after: PopCluster): string[] {
  const known = new Map((before?.status?.nodes ?? []).map((node) => [node.uid, node]));
  const versions = versionNames(after);
  return (after.status?.nodes ?? []).flatMap((node) => {
    const last = known.get(node.uid);
    if (last?.step === node.step && last.skipped === node.skipped) return [];
    const sentence = nodeSentence(last, node, after, versions(node.revision));
    return sentence === undefined ? [] : [`${node.name} ${sentence}`];
  });
}

function nodeSentence(last: PopNodeStatus | undefined, node: PopNodeStatus, pop: PopCluster, runs: string | undefined): string | undefined {
  const target = pop.status?.run?.version ?? "its version";
  switch (node.step) {
    case "Claimed":
      return `is taken out of service${node.sessions === undefined ? "" : `; its ${node.sessions} sessions go to the others`}`;
    case "Updating":
      return node.token === undefined ? `joins with ${target}` : `changes to ${target}`;
    case "Soaking":
      return `serves with ${target} and is watched`;
    case "Done":
      if (last === undefined || last.step === "Pending") return undefined;
      return `is done${runs === undefined ? "" : ` and runs ${runs}`}${node.reconnectSeconds === undefined ? "" : `; its sessions were back within ${node.reconnectSeconds} s`}`;
    case "Failed":
      return `failed: ${node.message ?? "no reason is given"}`;
    case "Skipped":
      return `is left out: ${node.message ?? node.skipped ?? "no reason is given"}`;
    case "Pending":
      return last?.step === "Claimed" ? "is given back: it serves on, and its turn comes later" : undefined;
  }
}

/** Versions by revision, as far as the status of the PoP knows them. */
export function versionNames(pop: PopCluster): (revision: string | undefined) => string | undefined {
  const { run, revisions, history = [], version } = pop.status ?? {};
  const names = new Map<string, string>();
  for (const entry of [...history, ...(revisions?.failed ?? [])]) names.set(entry.revision, entry.version);
  if (revisions?.current !== undefined && version !== undefined) names.set(revisions.current, version);
  if (run) names.set(run.revision, run.version);
  return (revision) => (revision === undefined ? undefined : names.get(revision));
}

/** Holds that are part of every roll and are told by the node's own step. */
const QUIET_HOLDS = new Set(["Soaking", "Baking"]);

/** The hold that a PoP waits for now, when it is another one than before. */
function holdSentence(before: PopCluster | undefined, after: PopCluster): string | undefined {
  const [hold] = after.status?.holds ?? [];
  const [last] = before?.status?.holds ?? [];
  if (!hold || QUIET_HOLDS.has(hold.reason) || (hold.reason === last?.reason && hold.until === last.until)) return undefined;
  return `${after.metadata.name} waits (${hold.reason}): ${hold.message}`;
}

/** Events that only repeat what the step of a node says. */
const QUIET_EVENTS = new Set(["NodeUpdate", "NodeRollback", "NodeUpdated"]);

function eventSentence({ reason, note, regarding }: ClusterEvent): string | undefined {
  return QUIET_EVENTS.has(reason) ? undefined : `${regarding.name} says ${reason}: ${note}`;
}

/** Node by node: for a few PoPs. */
export const NODE_VOICE: Voice = {
  pop: (before, after) => [...nodeSentences(before, after), ...[holdSentence(before, after)].filter((hold) => hold !== undefined)],
  event: eventSentence,
};
