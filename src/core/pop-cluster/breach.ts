import type { PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf, run as runTimer } from "../rollout/timer.ts";
import { askWitness, mostGone } from "../health/witness.ts";
import type { Judgement } from "../health/verdict.ts";
import { exitsOf } from "./boot.ts";
import { judgeReturns } from "./drain.ts";
import { excuseOfNodes, excuseOfRegion } from "./excuse.ts";
import { healthOf, type PopHealthView } from "./health.ts";
import { accusedRun, isLeftBehind } from "./home-run.ts";
import { milliseconds } from "./milliseconds.ts";
import type { Outcome } from "./outcome.ts";
import { badAtDeadline, unreadableAtDeadline } from "./update.ts";
import { failNode, failRevision } from "./verdict.ts";
import { judgedPod, type NodeView, type PopView, supersededPod } from "./view.ts";

/**
 * Judges the run's version while it rolls, bakes and is watched (P8 to P11): a breach takes it back, also while paused or outside
 * the window. Unknown never does by itself: it holds, and after `onUnknown.hold` it alerts or, where the spec says so and not most
 * is unknown at once, takes back (G9).
 */
export function breach(view: PopView, now: Instant): Outcome | undefined {
  const { run } = view;
  if (run?.kind === "Rollback") return targetFails(view, run, now);
  if (!run || run.state === "Preflight" || (run.ending && run.cause)) return undefined;
  const health = healthOf(view, now);
  const [causes, doubted] = believed(causesOf(view, health, now));
  const reports = reportsOf(view, health, now);
  if (mostGone(reports) && reports.length > 0 && causes.every((cause) => cause.silent)) return silence(view, run, reports, now);
  const atDeadline = view.nodes.some((node) => badAtDeadline(view, node, health.nodes.get(node.member.uid), now));
  const excuse = excused(view, run, { health, causes, atDeadline }, now);
  if (excuse) return excuse;
  if (causes.length === 0)
    return {
      ...settleTimers(view, run, reports, now),
      wakes: doubted.map((cause) => now + DOUBTED_FOR - (cause.doubtfulMilliseconds ?? 0)),
    };
  return failRevision(view, accused(view, run, causes), causes.map((cause) => cause.evidence).join("; "), "Check", now);
}

/**
 * Who may excuse what is unhealthy (P10): while nodes are moved nodes on the old revision, and only a node's own check; while the version
 * is watched PoPs of the region on the old revision. How sessions came back after a drain nobody excuses.
 */
function excused(
  view: PopView,
  run: PopRun,
  found: { readonly health: PopHealthView; readonly causes: readonly Cause[]; readonly atDeadline: boolean },
  now: Instant,
): Outcome | undefined {
  const { health, causes, atDeadline } = found;
  if (run.state === "Baking" || run.state === "Passed")
    return causes.length > 0 && causes.every((cause) => cause.of !== "Reconnect") ? excuseOfRegion(view, run, health, now) : undefined;
  return (atDeadline || causes.length > 0) && causes.every((cause) => cause.of === "Node")
    ? excuseOfNodes(view, run, health, now)
    : undefined;
}

/** A node that was just brought home and is bad there speaks for itself; all else speaks against what is judged. */
const accused = (view: PopView, run: PopRun, causes: readonly Cause[]): PopRun =>
  causes.every((cause) => cause.atHome) ? run : accusedRun(view, run);

/** Every unhealthy thing that speaks against the version; a node NotReady in the API server's eyes reads Unknown and is none (P6). */
function causesOf(view: PopView, health: PopHealthView, now: Instant): Cause[] {
  const nodes = view.nodes.flatMap((node) => {
    const entry = node.entry;
    if (!entry || !isUpdated(view, node) || node.member.ready !== "True") return [];
    const atHome = view.run?.superseded !== undefined && !isLeftBehind(view, node);
    const of = health.nodes.get(node.member.uid);
    const returns = entry.step === "Soaking" ? judgeReturns(view, node, entry, now) : undefined;
    const named = of && { of: "Node" as const, atHome, ...of, evidence: `node ${node.member.name}: ${of.evidence}` };
    return [named, returns && { of: "Reconnect" as const, ...returns }].filter((one) => one !== undefined);
  });
  return [{ of: "PoP" as const, ...health.pop }, ...nodes].filter((one) => one.verdict === "Unhealthy");
}

/**
 * Does the node run what the run is judged by? Of a run that brings others home only those who wait, and those who have just come: the
 * others ran the PoP's own revision all the time.
 */
function isUpdated(view: PopView, node: NodeView): boolean {
  const { entry } = node;
  if (isLeftBehind(view, node)) return true;
  if (judgedPod(view, node) === undefined) return false;
  const waits = view.run?.superseded !== undefined && view.run.state === "Rolling";
  return entry?.step === "Soaking" || (entry?.step === "Done" && !waits);
}

/**
 * A node that has just fallen silent may be a machine that died: the API server needs up to a minute to say so, and then it is no evidence
 * (P6). One that was never seen well may just be coming up again. What lasts longer on a node that the API server sees alive speaks
 * against the version.
 */
function believed(causes: readonly Cause[]): [believed: Cause[], doubted: Cause[]] {
  const isDoubted = (cause: Cause) => cause.of === "Node" && (cause.doubtfulMilliseconds ?? DOUBTED_FOR) < DOUBTED_FOR;
  return [causes.filter((cause) => !isDoubted(cause)), causes.filter(isDoubted)];
}

const DOUBTED_FOR = 60_000;

/** What is unhealthy; `atHome`: on a node that this run brought to what the PoP runs. */
type Cause = Judgement & { readonly of: "PoP" | "Node" | "Reconnect"; readonly atHome?: boolean };

/** The old revision is bad too, on a node just brought back to it: the rollback has failed (P7). */
function targetFails(view: PopView, run: PopRun, now: Instant): Outcome | undefined {
  const health = healthOf(view, now);
  for (const node of view.nodes) {
    const { entry, member } = node;
    const found = entry?.step === "Soaking" && member.ready === "True" ? health.nodes.get(member.uid) : undefined;
    if (entry?.token !== undefined && found?.verdict === "Unhealthy")
      return failNode(view, { node, entry: { ...entry, token: entry.token }, run }, found.evidence, now);
  }
  return undefined;
}

/**
 * One judgement for each updated node, and the PoP's own: the reports whose common absence the witness is asked about (P9). A node in
 * hand reports once its deadline has passed and its pod is Ready: what cannot be read then is no failure of the version.
 */
function reportsOf(view: PopView, health: PopHealthView, now: Instant): Judgement[] {
  const dead = view.nodes.filter((node) => node.member.ready !== "True").length * 2 > view.nodes.length;
  const updated = view.nodes.filter((node) => {
    const { entry, member } = node;
    if (member.ready !== "True" && !dead) return false;
    return (
      isUpdated(view, node) ||
      (judgedPod(view, node) !== undefined &&
        entry?.step === "Updating" &&
        unreadableAtDeadline(view, node, health.nodes.get(member.uid), now))
    );
  });
  const nodes = updated.map((node) => health.nodes.get(node.member.uid)).filter((one) => one !== undefined);
  return health.pop.verdict === "Unknown" ? [...nodes, health.pop] : nodes;
}

function silence(view: PopView, run: PopRun, reports: readonly Judgement[], now: Instant): Outcome {
  const testimony = askWitness(
    view.nodes.map((node) => {
      const pod = judgedPod(view, node) ?? supersededPod(view, node);
      const restarts = pod ? exitsOf(pod, node.entry?.boot).reduce((sum, exits) => sum + exits, 0) : 0;
      return {
        name: node.member.name,
        node: node.member.ready,
        changed:
          isLeftBehind(view, node) || (["Soaking", "Done"].includes(node.entry?.step ?? "") && node.entry?.revision === run.revision),
        ...(pod
          ? { pod: { ready: pod.ready, restarts, crashLooping: pod.containers.some((one) => one.waiting === "CrashLoopBackOff") } }
          : {}),
      };
    }),
  );
  if (testimony.finding === "VersionBad" && reports.some((one) => one.silent))
    return failRevision(view, accusedRun(view, run), testimony.message, "Check", now);
  const found = reports.find((one) => one.verdict === "Unknown")?.finding;
  const also = found === undefined ? "" : `; the first that is missing: ${found}`;
  const evidence = testimony.finding === "VersionBad" ? (found ?? testimony.message) : `${testimony.message}${also}`;
  return unknownFor(view, run, evidence, now, true);
}

function settleTimers(view: PopView, run: PopRun, reports: readonly Judgement[], now: Instant): Outcome | undefined {
  const unknown = reports.find((one) => one.verdict === "Unknown");
  if (unknown) return unknownFor(view, run, unknown.finding, now, false);
  const { unknown: _, excuse, ...others } = run.timers;
  // A node that is tried again is not excused anew: the excuse that it had is used up (P10).
  const usedUp = excuse !== undefined && view.nodes.some(({ entry }) => entry?.step === "Updating" && entry.token !== undefined);
  if (!run.timers.unknown && (!excuse || usedUp)) return undefined;
  const timers = usedUp ? { ...others, excuse } : others;
  return {
    ledger: { ...view.seen.pop.status, run: { ...run, timers, noticed: (run.noticed ?? []).filter((name) => name !== "Unknown") } },
  };
}

/** Unknown for longer than `onUnknown.hold`: alert once, or take back where the spec says so and not most is unknown at once. */
function unknownFor(view: PopView, run: PopRun, evidence: string, now: Instant, most: boolean): Outcome {
  const { onUnknown } = view.seen.pop.spec.health;
  const { status } = view.seen.pop;
  const timer = runTimer(run.timers.unknown, now);
  const limit = milliseconds(onUnknown.hold);
  const until = now + limit - elapsedOf(timer, now);
  const held = {
    rule: "G9",
    reason: "HealthUnknown" as const,
    message: `nothing is started or taken back on what nobody can see: ${evidence}`,
    until,
  };
  if (run.timers.unknown?.since === undefined) {
    return { ledger: { ...status, run: { ...run, timers: { ...run.timers, unknown: { ...timer, since: timer.since! } } } }, holds: [held] };
  }
  if (now < until) return { holds: [held], wakes: [until] };
  if (onUnknown.then === "RollBack" && !most)
    return failRevision(view, accusedRun(view, run), `unknown for ${onUnknown.hold}: ${evidence}`, "Check", now);
  const { until: _, ...open } = held;
  if (run.noticed?.includes("Unknown")) return { holds: [open] };
  return {
    ledger: { ...status, run: { ...run, noticed: [...(run.noticed ?? []), "Unknown"] } },
    events: [
      {
        type: "Warning",
        reason: "HealthUnknown",
        action: "Hold",
        message: `for ${onUnknown.hold} nobody can see whether ${run.version} is healthy: ${evidence}; the run holds and waits for a person`,
      },
    ],
    holds: [open],
  };
}
