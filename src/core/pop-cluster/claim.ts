import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { FINALIZER } from "../../api/names.ts";
import type { Instant } from "../decision.ts";
import type { ReconnectCounts } from "../health/reconnect.ts";
import { brakesOn } from "./brakes.ts";
import { withCounters } from "./counters.ts";
import { drainBaseline } from "./drain.ts";
import { healthOf } from "./health.ts";
import { iso, type Outcome } from "./outcome.ts";
import { type Candidate, refusalOf } from "./refusal.ts";
import { claimToken, isActive } from "./token.ts";
import { brokenAlready, labelHasLeft, type NodeView, type PopView, withEntry } from "./view.ts";

/**
 * R4: claims the next node, and marks those done whose soak is over, in one write. Nothing is claimed while a node of an ended run
 * still bears its claim (RB), without the finalizer (P13), or without our own grant (G14). A run that was ended, or whose PoPCluster
 * is being deleted, takes up only nodes that it left between two revisions.
 */
export function claimNext(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || (run.state !== "Rolling" && run.state !== "RollingBack") || run.kind === "Join") return undefined;
  const finishing = run.ending !== undefined || view.seen.pop.deleting;
  const nodes = candidatesOf(view, run).filter((node) => !finishing || isLeftBetween(view, run, node));
  if (nodes.length === 0) return undefined;
  if (!view.seen.pop.finalizers.includes(FINALIZER)) return { actions: [{ kind: "AddFinalizer" }], wakes: [now + 1_000] };
  const on = brakesOn(view, now);
  const health = healthOf(view, now);
  const refusals: Outcome[] = [];
  for (const node of nodes) {
    const candidate: Candidate = {
      view,
      run,
      node,
      on,
      health,
      now,
      rollback: run.kind === "Rollback",
      broken: brokenAlready(node),
      left: labelHasLeft(view, node),
    };
    const refusal = refusalOf(candidate);
    if (!refusal) return { ledger: claimed(view, run, node, now) };
    refusals.push(refusal);
  }
  return {
    holds: refusals.flatMap((refusal) => refusal.holds ?? []),
    actions: refusals.find((refusal) => refusal.actions)?.actions ?? [],
    wakes: refusals.flatMap((refusal) => refusal.wakes ?? []),
  };
}

/** Out of service by our doing: its label has left, or its way back was begun and it serves nobody (P13). */
const isLeftBetween = (view: PopView, run: PopRun, node: NodeView): boolean =>
  labelHasLeft(view, node) || (run.kind === "Rollback" && isActive(node.member.claim) && brokenAlready(node));

/**
 * Members that this run still has to move, in the order frozen at its start. A rollback begins with those that are out (P7), and ends
 * with those whose kubelet is silent: nothing can be done for them now.
 */
export function candidatesOf(view: PopView, run: PopRun): readonly NodeView[] {
  const target = view.label(run.revision);
  const frozen = new Set(run.frozen.members.map((member) => member.uid));
  const position = new Map(run.frozen.order.map((uid, index) => [uid, index]));
  const open = view.nodes.filter(
    (node) =>
      node.entry?.step === "Pending" &&
      !node.joining &&
      // A rollback moves nodes of the failed revision only, and finishes what was in hand (P7).
      (run.from === undefined
        ? frozen.has(node.member.uid) && (node.member.label !== target || isActive(node.member.claim))
        : node.member.label === view.label(run.from) || labelHasLeft(view, node) || isActive(node.member.claim)),
  );
  const rank = (node: NodeView) => position.get(node.member.uid) ?? Number.MAX_SAFE_INTEGER;
  return [...open].sort((a, b) => urgency(a, run) - urgency(b, run) || rank(a) - rank(b));
}

function urgency(node: NodeView, run: PopRun): number {
  if (isActive(node.member.claim)) return 0;
  if (node.member.ready !== "True") return run.kind === "Rollback" ? 3 : 1;
  return brokenAlready(node) ? 1 : 2;
}

function claimed(view: PopView, run: PopRun, node: NodeView, now: Instant): PopClusterStatus {
  const { status } = view.seen.pop;
  const baseline = brokenAlready(node) ? undefined : drainBaseline(view, node);
  const counted = baseline && "sessions" in baseline ? baseline : undefined;
  const attempt = (node.entry?.attempt ?? 0) + 1;
  const sequence = nextSequence(status, now);
  const entry: PopNodeStatus = {
    name: node.member.name,
    uid: node.member.uid,
    ...(node.entry?.revision === undefined ? {} : { revision: node.entry.revision }),
    step: "Claimed",
    since: iso(now),
    attempt,
    token: claimToken(view.seen.pop.uid, run.id, node.member.uid, attempt),
    sequence,
    ...(counted ? { sessions: counted.sessions, reconnectBaseline: { ...storedCounts(counted.returned), at: iso(now) } } : {}),
  };
  return { ...status, sequence, nodes: withEntry(withCounters(view, status.nodes ?? [], now), entry) };
}

/** As status keeps it: JSON knows no infinity, and that bucket is the count. */
const storedCounts = ({ count, buckets }: ReconnectCounts) => ({
  count,
  buckets: buckets.filter(([le]) => Number.isFinite(le)).map(([le, inBucket]) => ({ le, count: inBucket })),
});

/**
 * Orders the drains of one node (G5a): above every number that the ledger has given, so that a calendar that is set back makes no start
 * look late, and not below the calendar, so that it grows also over a PoPCluster that is made again under its name without its ledger.
 * A whole number: an accelerated clock shows parts of a millisecond too, and the server would refuse the whole status.
 */
const nextSequence = ({ sequence }: PopClusterStatus, now: Instant): number => Math.max((sequence ?? -1) + 1, Math.ceil(now));

/** The number that the claim was given. A claim from before numbers were kept has the instant that it was given then. */
export const sequenceOf = ({ sequence, since }: PopNodeStatus): number => sequence ?? Date.parse(since);
