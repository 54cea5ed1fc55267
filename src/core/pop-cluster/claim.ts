import type { PopClusterStatus, PopNodeStatus, PopRun } from "../../api/pop-cluster.ts";
import { mayStart } from "../rollout/budget.ts";
import type { Hold, Instant } from "../decision.ts";
import type { ReconnectCounts } from "../health/reconnect.ts";
import type { Judgement } from "../health/verdict.ts";
import { type BrakesOn, brakesOn, ruled } from "./brakes.ts";
import { drainBaseline } from "./drain.ts";
import { healthOf } from "./health.ts";
import { iso, type Outcome } from "./outcome.ts";
import { claimToken, isActive } from "./token.ts";
import { brokenAlready, namesOut, type NodeView, outCount, type PopView, withEntry } from "./view.ts";

/**
 * R4: claims the next node, and marks those done whose soak is over, in one write. Nothing is claimed while a node of an ended run
 * still bears its claim (RB), without the finalizer (P13), or without our own grant (G14).
 */
export function claimNext(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || run.ending || (run.state !== "Rolling" && run.state !== "RollingBack") || run.kind === "Join") return undefined;
  const candidates = candidatesOf(view, run);
  if (candidates.length === 0) return undefined;
  const on = brakesOn(view, now);
  const health = healthOf(view, now).pop;
  const holds: Hold[] = [];
  for (const node of candidates) {
    const refusal = refusalOf(view, run, node, on, health);
    if (refusal.length === 0) return { ledger: claimed(view, run, node, now) };
    for (const hold of refusal) if (!holds.some((other) => other.reason === hold.reason && other.message === hold.message)) holds.push(hold);
  }
  return { holds };
}

/** Members that this run still has to move, in the order frozen at its start; those that are out first when rolling back (P7). */
export function candidatesOf(view: PopView, run: PopRun): readonly NodeView[] {
  const target = view.label(run.revision);
  const frozen = new Set(run.frozen.members.map((member) => member.uid));
  const position = new Map(run.frozen.order.map((uid, index) => [uid, index]));
  const open = view.nodes.filter(
    (node) =>
      node.entry?.step === "Pending" &&
      !node.joining &&
      (frozen.has(node.member.uid) || run.kind === "Rollback") &&
      (node.member.label !== target || isActive(node.member.claim)),
  );
  const rank = (node: NodeView) => position.get(node.member.uid) ?? Number.MAX_SAFE_INTEGER;
  const urgency = (node: NodeView) => (isActive(node.member.claim) ? 0 : brokenAlready(node) ? 1 : 2);
  return [...open].sort((a, b) => (run.kind === "Rollback" || urgency(a) < 2 || urgency(b) < 2 ? urgency(a) - urgency(b) : 0) || rank(a) - rank(b));
}

function refusalOf(view: PopView, run: PopRun, node: NodeView, on: BrakesOn, popHealth: Judgement): Hold[] {
  const { pop } = view.seen;
  const rollback = run.kind === "Rollback";
  const broken = brokenAlready(node);
  const { holds } = ruled(view, rollback ? (broken ? "RollBackOut" : "RollBackServing") : "StartForward", on);
  if (holds.length > 0) return [...holds];
  if (node.member.deleting) return [{ rule: "G4", reason: "BudgetExhausted", message: `node ${node.member.name} is being deleted; it is not touched` }];
  if (isActive(node.member.claim) && node.member.claim !== node.entry?.token && node.member.claim !== nextToken(view, run, node)) {
    return [{ rule: "G5a", reason: "OrphanedClaim", message: `node ${node.member.name} bears the claim ${node.member.claim}, which the ledger does not know; it is not touched until a person removes the annotation` }];
  }
  if (!rollback && node.member.unschedulable && view.limit === 1) {
    return [{ rule: "P3b", reason: "BudgetExhausted", message: `node ${node.member.name} is cordoned by a person and fills maxUnavailable ${view.limit}; the roll goes on when it is uncordoned` }];
  }
  if (!rollback && node.member.unschedulable) {
    return [{ rule: "P3b", reason: "CordonedByPerson", message: `node ${node.member.name} is cordoned by a person; it is not started` }];
  }
  // A node that is out already costs nobody anything more, whoever else is out (P1).
  if (!broken) {
    const limit = rollback ? Math.max(view.limit, pop.spec.rollback.maxUnavailable) : view.limit;
    if (!mayStart(outCount(view, node.member.uid), limit)) {
      return [{ rule: "P1", reason: "BudgetExhausted", message: `${outCount(view, node.member.uid)} of at most ${limit} nodes are out: ${namesOut(view, node.member.uid)}` }];
    }
  } else if (!rollback && node.member.ready !== "True") {
    return [{ rule: "P2", reason: "BudgetExhausted", message: `node ${node.member.name} is ${node.out ?? "NotReady"}; it is updated when its kubelet is back` }];
  }
  if (!rollback && popHealth.verdict === "Unknown") {
    return [{ rule: "G9", reason: "HealthUnknown", message: `before node ${node.member.name} is started: ${popHealth.evidence}` }];
  }
  const baseline = broken ? undefined : drainBaseline(view, node);
  if (baseline && "missing" in baseline && !rollback) {
    return [{ rule: "P11", reason: "HealthUnknown", message: `node ${node.member.name} is not drained before its sessions are counted: ${baseline.missing}` }];
  }
  const eviction = view.seen.evictions.get(node.member.uid);
  if (!rollback && eviction && !eviction.allowed) {
    return [{ rule: "P3", reason: "DrainBlocked", message: `node ${node.member.name}: ${eviction.message}` }];
  }
  return [];
}

const nextToken = (view: PopView, run: PopRun, node: NodeView): string =>
  claimToken(view.seen.pop.uid, run.id, node.member.uid, (node.entry?.attempt ?? 0) + 1);

function claimed(view: PopView, run: PopRun, node: NodeView, now: Instant): PopClusterStatus {
  const { status } = view.seen.pop;
  const baseline = brokenAlready(node) ? undefined : drainBaseline(view, node);
  const counted = baseline && "sessions" in baseline ? baseline : undefined;
  const entry: PopNodeStatus = {
    name: node.member.name,
    uid: node.member.uid,
    ...(node.entry?.revision === undefined ? {} : { revision: node.entry.revision }),
    step: "Claimed",
    since: iso(now),
    attempt: (node.entry?.attempt ?? 0) + 1,
    token: nextToken(view, run, node),
    ...(counted ? { sessions: counted.sessions, reconnectBaseline: storedCounts(counted.returned) } : {}),
  };
  return { ...status, nodes: withEntry(status.nodes ?? [], entry) };
}

/** As status keeps it: JSON knows no infinity, and that bucket is the count. */
const storedCounts = ({ count, buckets }: ReconnectCounts) => ({
  count,
  buckets: buckets.filter(([le]) => Number.isFinite(le)).map(([le, inBucket]) => ({ le, count: inBucket })),
});

/**
 * Orders the drains of one node: the instant of the claim, which only grows, also over a PoPCluster that is re-created under its name.
 * A data plane refuses a start with a lower number than one that it has heard (G5a).
 */
export const sequenceOf = (entry: PopNodeStatus): number => Date.parse(entry.since);
