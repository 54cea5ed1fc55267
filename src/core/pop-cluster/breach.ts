import type { PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf, run as runTimer } from "../rollout/timer.ts";
import { excuseOf, type Neighbour } from "../health/neighbours.ts";
import { askWitness, mostGone } from "../health/witness.ts";
import type { Judgement } from "../health/verdict.ts";
import { judgeReturns } from "./drain.ts";
import { healthOf, isNeighbour, judgedPod, type PopHealthView } from "./health.ts";
import { milliseconds } from "./milliseconds.ts";
import type { Outcome } from "./outcome.ts";
import { failRevision } from "./verdict.ts";
import type { PopView } from "./view.ts";

/**
 * Judges the run's version while it rolls, bakes and is watched (P8 to P11): a breach takes it back, also while paused or outside
 * the window. Unknown never does by itself: it holds, and after `onUnknown.hold` it alerts or, where the spec says so and not most
 * is unknown at once, takes back (G9).
 */
export function breach(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (!run || run.kind === "Rollback" || run.state === "Preflight" || (run.ending && run.cause)) return undefined;
  const health = healthOf(view, now);
  const causes = causesOf(view, health, now);
  const reports = reportsOf(view, health);
  if (mostGone(reports) && reports.length > 0 && causes.every((cause) => cause.silent)) return silence(view, run, reports, now);
  if (causes.length === 0) return settleTimers(view, run, reports, now);
  const excuse = excuseFor(view, run, health, causes, now);
  if (excuse) return excuse;
  return failRevision(view, run, causes.map((cause) => cause.evidence).join("; "), "Check", now);
}

/** Every unhealthy thing that speaks against the version; a node NotReady in the API server's eyes reads Unknown and is none (P6). */
function causesOf(view: PopView, health: PopHealthView, now: Instant): Cause[] {
  const nodes = view.nodes.flatMap((node) => {
    const entry = node.entry;
    if (!entry || (entry.step !== "Soaking" && entry.step !== "Done") || judgedPod(view, node) === undefined) return [];
    const of = health.nodes.get(node.member.uid);
    const returns = entry.step === "Soaking" ? judgeReturns(view, node, entry, now) : undefined;
    const named = of && { of: "Node" as const, ...of, evidence: `node ${node.member.name}: ${of.evidence}` };
    return [named, returns && { of: "Reconnect" as const, ...returns }].filter((one) => one !== undefined);
  });
  return [{ of: "PoP" as const, ...health.pop }, ...nodes].filter((one) => one.verdict === "Unhealthy");
}

/** What is unhealthy: only a node's own check can be excused by its neighbours. */
type Cause = Judgement & { readonly of: "PoP" | "Node" | "Reconnect" };

/** One judgement for each updated node, and the PoP's own: the reports whose common absence the witness is asked about (P9). */
function reportsOf(view: PopView, health: PopHealthView): Judgement[] {
  const updated = view.nodes.filter((node) => ["Soaking", "Done"].includes(node.entry?.step ?? "") && judgedPod(view, node));
  const nodes = updated.map((node) => health.nodes.get(node.member.uid)).filter((one) => one !== undefined);
  return health.pop.verdict === "Unknown" ? [...nodes, health.pop] : nodes;
}

function silence(view: PopView, run: PopRun, reports: readonly Judgement[], now: Instant): Outcome {
  const testimony = askWitness(
    view.nodes.map((node) => {
      const pod = judgedPod(view, node);
      const restarts = pod?.containers.reduce((sum, container) => sum + container.restarts, 0) ?? 0;
      return {
        name: node.member.name,
        node: node.member.ready,
        changed: ["Soaking", "Done"].includes(node.entry?.step ?? "") && node.entry?.revision === run.revision,
        ...(pod ? { pod: { ready: pod.ready, restarts, crashLooping: pod.containers.some((one) => one.waiting === "CrashLoopBackOff") } } : {}),
      };
    }),
  );
  if (testimony.finding === "VersionBad" && reports.some((one) => one.silent)) return failRevision(view, run, testimony.message, "Check", now);
  return unknownFor(view, run, testimony.finding === "VersionBad" ? (reports.find((one) => one.verdict === "Unknown")?.evidence ?? testimony.message) : testimony.message, now, true);
}

function settleTimers(view: PopView, run: PopRun, reports: readonly Judgement[], now: Instant): Outcome | undefined {
  const unknown = reports.find((one) => one.verdict === "Unknown");
  if (unknown) return unknownFor(view, run, unknown.evidence, now, false);
  if (!run.timers.unknown && !run.timers.excuse) return undefined;
  const { unknown: _, excuse: __, ...timers } = run.timers;
  return { ledger: { ...view.seen.pop.status, run: { ...run, timers, noticed: (run.noticed ?? []).filter((name) => name !== "Unknown") } } };
}

/** Unknown for longer than `onUnknown.hold`: alert once, or take back where the spec says so and not most is unknown at once. */
function unknownFor(view: PopView, run: PopRun, evidence: string, now: Instant, most: boolean): Outcome {
  const { onUnknown } = view.seen.pop.spec.health;
  const { status } = view.seen.pop;
  const timer = runTimer(run.timers.unknown, now);
  const limit = milliseconds(onUnknown.hold);
  const until = now + limit - elapsedOf(timer, now);
  const held = { rule: "G9", reason: "HealthUnknown" as const, message: `nothing is started or taken back on what nobody can see: ${steadyText(evidence)}`, until };
  if (run.timers.unknown?.since === undefined) {
    return { ledger: { ...status, run: { ...run, timers: { ...run.timers, unknown: { ...timer, since: timer.since! } } } }, holds: [held] };
  }
  if (now < until) return { holds: [held], wakes: [until] };
  if (onUnknown.then === "RollBack" && !most) return failRevision(view, run, `unknown for ${onUnknown.hold}: ${evidence}`, "Check", now);
  const { until: _, ...open } = held;
  if (run.noticed?.includes("Unknown")) return { holds: [open] };
  return {
    ledger: { ...status, run: { ...run, noticed: [...(run.noticed ?? []), "Unknown"] } },
    events: [{ type: "Warning", reason: "HealthUnknown", action: "Hold", message: `for ${onUnknown.hold} nobody can see whether ${run.version} is healthy: ${evidence}; the run holds and waits for a person` }],
    holds: [open],
  };
}

const steadyText = (evidence: string): string => evidence.replaceAll(/(, ?)?[0-9.]+ ?(ms|s|m|h) ago/g, "").replaceAll(/is [0-9.]+ ?(ms|s|m|h) old/g, "is old");

/** Neighbours that were bad before our first write excuse a node's check, for at most `onUnknown.hold` (P10). */
function excuseFor(view: PopView, run: PopRun, health: PopHealthView, causes: readonly Cause[], now: Instant): Outcome | undefined {
  if (causes.some((cause) => cause.of !== "Node")) return undefined;
  const before = new Map((run.baseline ?? []).map((entry) => [entry.name, entry.verdict]));
  const neighbours = view.nodes
    .filter((node) => isNeighbour(view, node))
    .map((node): Neighbour => {
      const was = before.get(node.member.name);
      return { name: node.member.name, ...(was ? { before: was as Neighbour["now"] } : {}), now: health.nodes.get(node.member.uid)?.verdict ?? "Unknown" };
    });
  const timer = runTimer(run.timers.excuse, now);
  const limit = milliseconds(view.seen.pop.spec.health.onUnknown.hold);
  const excuse = excuseOf(neighbours, elapsedOf(timer, now), limit);
  if (!excuse.excused) return undefined;
  const until = now + limit - elapsedOf(timer, now);
  const held = { rule: "P10", reason: "HealthUnknown" as const, message: `the node just updated is bad, but so were its neighbours before the first write; that excuses the version until then`, until };
  if (run.timers.excuse?.since !== undefined) return { holds: [held], wakes: [until] };
  return { ledger: { ...view.seen.pop.status, run: { ...run, timers: { ...run.timers, excuse: { ...timer, since: timer.since! } } } }, holds: [held] };
}
