import type { PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import { unavailableLimit } from "../rollout/budget.ts";
import type { DataPlanePod, Member, PopClusterObservation, RevisionRecord } from "./observation.ts";
import { labelFor, NO_REVISION, revisionOf } from "./revision.ts";
import { isActive } from "./token.ts";
import type { SeenNode } from "./action.ts";

/** One node of the PoP: what the server says of it, and what the ledger says. */
export interface NodeView {
  readonly member: Member;
  readonly entry: PopNodeStatus | undefined;
  /** Its data-plane pods, terminating ones included. */
  readonly pods: readonly DataPlanePod[];
  /** The pod that serves: Ready, on a Ready node, of the revision that the node's label names. */
  readonly servingPod: DataPlanePod | undefined;
  /** Out of service for the budget (rule P1), and why, as a phrase. */
  readonly out: string | undefined;
  /** Serves nobody yet and never did (rule P16). */
  readonly joining: boolean;
}

/** The observation, joined and counted once, so that every rule reads the same facts. */
export interface PopView {
  readonly seen: PopClusterObservation;
  readonly nodes: readonly NodeView[];
  readonly run: PopRun | undefined;
  readonly wanted: { readonly version: string; readonly revision: string } | undefined;
  /** The rollout's word on the version, where it counts: what a person pins wins. */
  readonly assignment: PopAssignment | undefined;
  /** The same for content. */
  readonly contentAssignment: PopAssignment | undefined;
  readonly current: string | undefined;
  /** Members of the run that are gone and not replaced by a node that serves (rule P16). */
  readonly goneUnreplaced: number;
  readonly limit: number;
  readonly label: (revision: string) => string | undefined;
  /** The label value of a node that is between two revisions. */
  readonly offLabel: string | undefined;
}

export function viewOf(seen: PopClusterObservation): PopView {
  const { spec, status, name } = seen.pop;
  const label = (revision: string) => labelFor(name, revision);
  const run = status.run;
  const assignment = spec.version === undefined ? seen.pop.assignment : undefined;
  const contentAssignment = spec.content && spec.content.version === undefined ? seen.pop.contentAssignment : undefined;
  const version = spec.version ?? assignment?.version;
  const usesNone = [status.revisions?.current, run?.back, run?.from, run?.revision].includes(NO_REVISION);
  const offLabel = usesNone ? `${name}-${NO_REVISION}` : undefined;
  const entries = new Map((status.nodes ?? []).map((entry) => [entry.uid, entry]));
  const nodes = seen.members.map((member) => nodeView(seen, member, entries.get(member.uid), label, offLabel));
  const present = new Set(seen.members.map((member) => member.uid));
  const frozen = new Set(run?.frozen.members.map((member) => member.uid) ?? []);
  const gone = [...frozen].filter((uid) => !present.has(uid) && !seen.deselected.has(uid)).length;
  // Who has served once counts by himself from then on, in service or out: he must not be missing twice while he is updated.
  const replacements = nodes.filter((node) => !frozen.has(node.member.uid) && hasServed(node)).length;
  return {
    seen,
    nodes,
    run,
    wanted: version === undefined ? undefined : { version, revision: revisionOf(spec.template, version) },
    assignment,
    contentAssignment,
    current: status.revisions?.current,
    goneUnreplaced: Math.max(0, gone - replacements),
    limit: Math.min(forwardLimit(seen), run?.kind === "Rollback" || !isMoving(run) ? Infinity : (run.frozen.maxUnavailable ?? Infinity)),
    label,
    offLabel,
  };
}

function nodeView(
  seen: PopClusterObservation,
  member: Member,
  entry: PopNodeStatus | undefined,
  label: (revision: string) => string | undefined,
  offLabel: string | undefined,
): NodeView {
  const pods = seen.pods.filter((pod) => pod.node === member.name);
  const isOff = member.label === offLabel;
  const servingPod =
    member.ready === "True" && !member.deleting && !isOff
      ? pods.find((pod) => pod.ready && !pod.deleting && label(pod.revision) === member.label)
      : undefined;
  const joining = neverServed(entry) && (isOff || entry !== undefined) && !isActive(member.claim);
  return { member, entry, pods, servingPod, joining, out: joining ? undefined : outReason(member, servingPod, isOff, entry) };
}

/** A node that joins is put on its revision without a claim, and so without a token (P16). */
const neverServed = (entry: PopNodeStatus | undefined): boolean =>
  entry === undefined || ((entry.step === "Updating" || entry.step === "Failed") && entry.token === undefined);

/** Has it ever served, in or out of service now? */
export const hasServed = ({ entry }: Pick<NodeView, "entry">): boolean => entry !== undefined && !neverServed(entry);

function outReason(
  member: Member,
  servingPod: DataPlanePod | undefined,
  isOff: boolean,
  entry: PopNodeStatus | undefined,
): string | undefined {
  if (entry?.step === "Skipped" && entry.skipped === "NotReadyBefore") return undefined;
  if (member.unschedulable) return "cordoned by a person";
  if (member.deleting) return "being deleted";
  if (member.ready !== "True") return member.ready === "False" ? "NotReady" : "its kubelet is not heard of (Ready is Unknown)";
  // The ledger's claim comes before the node's: whoever is claimed counts, or a second one would be claimed beside it.
  if (isActive(member.claim) || isInHand(entry)) return "claimed for an update";
  if (isOff) return "between two revisions";
  if (!servingPod) return "no data-plane pod of it is Ready";
  return undefined;
}

/** Claimed or being updated by a run of ours, as the ledger has it. */
export const isInHand = (entry: PopNodeStatus | undefined): boolean =>
  entry !== undefined && entry.token !== undefined && (entry.step === "Claimed" || entry.step === "Updating");

/** The pod of the run's revision on a node, Ready or not. */
export const judgedPod = (view: PopView, node: NodeView): DataPlanePod | undefined =>
  node.pods.find((pod) => !pod.deleting && pod.revision === view.run?.revision && view.label(pod.revision) === node.member.label);

/** The pod of a superseded revision on a node that the run has yet to bring home, Ready or not (P12). */
export const supersededPod = (view: PopView, node: NodeView): DataPlanePod | undefined =>
  node.pods.find(
    (pod) => !pod.deleting && pod.revision === view.run?.superseded?.revision && view.label(pod.revision) === node.member.label,
  );

/** Has the revision label left the node: then its change is made, and the node is finished whatever brakes come on (W5). */
export const labelHasLeft = (view: PopView, node: NodeView): boolean => node.member.label === view.offLabel;

/** `maxUnavailable` as the spec has it now, in nodes. */
export const forwardLimit = ({ pop, members }: PopClusterObservation): number =>
  unavailableLimit(pop.spec.strategy.maxUnavailable, members.length);

/** A version that bakes or is watched moves nobody: what was frozen for it binds nobody any more. */
const isMoving = (run: PopRun | undefined): run is PopRun => run?.state === "Rolling" || run?.state === "RollingBack";

/**
 * How many nodes a run may have out at once: the stricter of what was frozen when it began and what is written now (G4); a rollback has
 * its own number (G13), whatever the way forward may.
 */
export const limitOf = (view: PopView, run: PopRun): number =>
  run.kind === "Rollback" ? Math.min(view.seen.pop.spec.rollback.maxUnavailable, run.frozen.maxUnavailable ?? Infinity) : view.limit;

/** Nodes out of service other than `uid` (rule P1), gone members that nobody replaced included. */
export function outOthers(view: PopView, uid: string): readonly NodeView[] {
  return view.nodes.filter((node) => node.member.uid !== uid && node.out !== undefined);
}

export const outCount = (view: PopView, uid: string): number => outOthers(view, uid).length + view.goneUnreplaced;

/** Members of the run that are gone and that nobody replaced yet: they stay missing in the run that takes this one's place (P16). */
export function goneMembers({ run, nodes, seen, goneUnreplaced }: PopView): PopRun["frozen"]["members"] {
  const present = new Set(nodes.map((node) => node.member.uid));
  return (run?.frozen.members ?? []).filter(({ uid }) => !present.has(uid) && !seen.deselected.has(uid)).slice(0, goneUnreplaced);
}

/** Names who fills the budget and why, for a message. */
export function namesOut(view: PopView, uid: string): string {
  const named = outOthers(view, uid)
    .slice(0, 5)
    .map((node) => `${node.member.name} (${node.out})`);
  if (view.goneUnreplaced > 0) named.push(`${view.goneUnreplaced} gone and not replaced by a node that serves`);
  return named.join(", ");
}

export const seenNode = (member: Member): SeenNode => ({
  name: member.name,
  uid: member.uid,
  claim: member.claim,
  label: member.label,
  taints: member.taints,
  annotated: member.annotated,
});

export const recordOf = (view: PopView, revision: string): RevisionRecord | undefined =>
  view.seen.records.find((record) => record.revision === revision);

/** Is the node out already, and not merely drained by us: such a node may always be repaired or rolled back (rule P1). */
export function brokenAlready(node: NodeView): boolean {
  const pod = node.pods.find((candidate) => candidate.ready && !candidate.deleting);
  return pod === undefined || node.member.ready !== "True";
}

/** Replaces one entry of the ledger, or adds it. */
export function withEntry(entries: readonly PopNodeStatus[], entry: PopNodeStatus): PopNodeStatus[] {
  const others = entries.filter(
    (other) => other.uid !== entry.uid && !(other.name === entry.name && other.uid !== entry.uid && other.skipped === "Gone"),
  );
  return [...others, entry].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
