import type { Condition, OccurrenceStatus } from "../../api/common.ts";
import type { ConditionReason } from "../../api/conditions.ts";
import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { setCondition, type ConditionUpdate } from "../conditions.ts";
import type { Hold, Instant } from "../decision.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import { cleanText } from "../text.ts";
import { describeInstant } from "../time/format.ts";
import { forecast } from "../window/forecast.ts";
import { windowZone } from "../window/parse.ts";
import { onlyOnce, writtenHolds } from "../written-holds.ts";
import { problemsOf } from "./accept.ts";
import { clusterChanged } from "./deletion.ts";
import { evidenceThatCounts, healthOf } from "./health.ts";
import { milliseconds } from "./milliseconds.ts";
import { iso } from "./outcome.ts";
import { destinationOf } from "./destination.ts";
import { NO_REVISION } from "./revision.ts";
import { type PopView, recordOf, viewOf } from "./view.ts";

type Shown = NonNullable<PopClusterStatus["assigned"]>;

const HOLDS_SHOWN = 32;
/** How long after a pause was seen it is acknowledged (G15): an effect decided before it is no older than that. */
const PAUSE_ACKNOWLEDGED = 10_000;

/** The whole status from the ledger: what is derived is derived here and nowhere else; no decision reads it back (G1). */
export function statusOf(view: PopView, ledger: PopClusterStatus, holds: readonly Hold[], now: Instant): PopClusterStatus {
  // The same ledger makes the same view, and what was asked of it already is not asked again.
  const after = ledger === view.seen.pop.status ? view : viewOf({ ...view.seen, pop: { ...view.seen.pop, status: ledger } });
  const shown = onlyOnce(holds).slice(0, HOLDS_SHOWN);
  const health = healthOf(after, now);
  const {
    pausedAt: _,
    holds: __,
    next: ___,
    checks: ____,
    members: _____,
    version: ______,
    unreachable: _______,
    assigned: ________,
    assignedContent: _________,
    ...kept
  } = ledger;
  // A node that is being updated is judged by its step; its checks stand here when it has come up (P14).
  const updating = new Set((ledger.nodes ?? []).filter((entry) => entry.step === "Updating").map((entry) => entry.name));
  const paused = pausedSince(after, now);
  const next = occurrences(after, now);
  return {
    ...kept,
    ...(view.seen.pop.generation ? { observedGeneration: view.seen.pop.generation } : {}),
    ...(paused === undefined ? {} : { pausedAt: paused }),
    ...(next.length > 0 ? { next } : {}),
    ...(after.assignment ? { assigned: assignedBy(after.assignment) } : {}),
    ...(after.contentAssignment ? { assignedContent: assignedBy(after.contentAssignment) } : {}),
    ...runs(after),
    ...(view.seen.site.state === "Reachable" && !clusterChanged(view) ? {} : { unreachable: true }),
    ...(view.seen.site.state === "Reachable" ? { members: membersOf(after) } : ledger.members ? { members: ledger.members } : {}),
    checks:
      view.seen.site.state === "Reachable"
        ? health.checks.filter((check) => check.node === undefined || !updating.has(check.node))
        : (ledger.checks ?? []),
    holds: writtenHolds(shown, HOLDS_SHOWN, iso),
    conditions: conditionsOf(after, shown, now),
  };
}

/** Whom a person asks why the PoP wants what it wants; no decision reads it. */
function assignedBy({ rollout, rolloutUID, wave, version, class: of, approval, from, to, order, because }: PopAssignment): Shown {
  return {
    rollout,
    uid: rolloutUID,
    wave,
    version,
    class: of,
    ...(approval === undefined ? {} : { approval }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    order,
    ...(because === undefined ? {} : { because: cleanText(because, 1024) }),
  };
}

/** The version that the whole PoP runs, for printer columns and the Fleet. */
function runs(view: PopView): { version?: string } {
  const version =
    view.current === undefined
      ? undefined
      : (recordOf(view, view.current)?.version ?? (view.current === NO_REVISION ? "adopted" : undefined));
  return version === undefined ? {} : { version };
}

/** Everybody who cannot serve, whoever took him out (P1); a joining node serves nobody yet. */
function membersOf(view: PopView): { total: number; out: number } {
  const out = view.nodes.filter((node) => node.out !== undefined || node.joining).length;
  return { total: view.nodes.length + view.goneUnreplaced, out: out + view.goneUnreplaced };
}

function pausedSince(view: PopView, now: Instant): string | undefined {
  const { pop, fleet } = view.seen;
  // Between two looks at two generations the pause may have been lifted and set again: its ten seconds count anew (G15).
  const known = pop.status.observedGeneration === pop.generation ? pop.status.pausedAt : undefined;
  return pop.spec.paused || (fleet.found && fleet.paused) ? (known ?? iso(now)) : undefined;
}

/** When the next look is due for what only time changes in status: the pause's acknowledgement and the shown occurrences. */
export function statusWakes(status: PopClusterStatus, now: Instant): Instant[] {
  const first = status.next?.[0];
  const wakes = first ? [Date.parse(first.start), Date.parse(first.end)] : [];
  if (status.pausedAt) wakes.push(Date.parse(status.pausedAt) + PAUSE_ACKNOWLEDGED);
  return wakes.filter((wake) => wake > now);
}

function occurrences(view: PopView, now: Instant): OccurrenceStatus[] {
  const { window, pop, fleet } = view.seen;
  if (!window.found || problemsOf(view, now).some((problem) => problem.reason === "WindowInvalid")) return [];
  const zone = windowZone(window.spec, pop.spec.timeZone);
  if (zone === undefined) return [];
  return forecast({
    spec: window.spec,
    zone,
    freezeZone: pop.spec.timeZone,
    from: now,
    count: 5,
    freezes: fleet.found ? fleet.freezes : [],
    pieceMilliseconds: milliseconds(pop.spec.strategy.perNode.expected),
  });
}

function conditionsOf(view: PopView, holds: readonly Hold[], now: Instant): Condition[] {
  const { pop } = view.seen;
  const updates = [accepted(view, now), ready(view, holds, now), progressing(view, holds), versionHealthy(view, now), paused(view, now)];
  return updates.reduce<Condition[]>(
    (conditions, update) => setCondition(conditions, update, pop.generation, now),
    [...(pop.status.conditions ?? [])],
  );
}

function accepted(view: PopView, now: Instant): ConditionUpdate {
  const { site, pop } = view.seen;
  if (site.state === "CredentialsInvalid")
    return { type: "Accepted", status: "False", reason: "CredentialsInvalid", message: site.message };
  if (clusterChanged(view))
    return {
      type: "Accepted",
      status: "False",
      reason: "ClusterChanged",
      message:
        "the kubeconfig leads to another cluster than the one that this PoP was; correct it, or create a new PoPCluster for the other cluster",
    };
  if (site.state === "Unreachable") {
    // What was found of the spec stands: nothing of it can be looked at now.
    const before = pop.status.conditions?.find((condition) => condition.type === "Accepted");
    return (
      before ?? { type: "Accepted", status: "Unknown", reason: "NotYetLookedAt", message: "the PoP's API server has not answered yet" }
    );
  }
  const problems = problemsOf(view, now);
  const [first] = problems;
  if (first)
    return { type: "Accepted", status: "False", reason: first.reason, message: problems.map((problem) => problem.message).join("; ") };
  return { type: "Accepted", status: "True", reason: "Accepted", message: "the spec can be carried out" };
}

function ready(view: PopView, holds: readonly Hold[], now: Instant): ConditionUpdate {
  const { site, pop } = view.seen;
  const condition = (status: Condition["status"], reason: ConditionReason<"Ready">, message: string): ConditionUpdate => ({
    type: "Ready",
    status,
    reason,
    message,
  });
  if (pop.deleting) return condition("False", "Deleting", "nodes in hand are finished or given back");
  if (site.state === "CredentialsInvalid") return condition("Unknown", "Unreachable", site.message);
  if (site.state === "Unreachable") return condition("Unknown", "Unreachable", site.message);
  if (clusterChanged(view)) return condition("False", "NotAccepted", "Accepted says what to correct");
  const last = pop.status.history?.at(-1);
  const { run } = view;
  if (last?.outcome === "RollbackFailed" && !run) return condition("False", "RollbackFailed", last.evidence ?? "the rollback failed");
  if (run?.kind === "Join" && run.cause) return condition("False", "FirstVersionFailed", run.cause);
  if (run?.cause && run.kind === "Roll") return condition("False", "VersionFailed", run.cause);
  if (problemsOf(view, now).length > 0) return condition("False", "NotAccepted", "Accepted says what to correct");
  const failed = holds.find((hold) => hold.reason === "FailedBefore");
  const serving = view.nodes.filter((node) => node.servingPod).length;
  if (view.nodes.length > 0 && serving === 0) {
    return run?.kind === "Join"
      ? condition("False", "Joining", "no node serves yet; the first version is being put on")
      : condition("False", "DegradedBudget", "no node serves");
  }
  const out = view.nodes.filter((node) => node.out !== undefined).length + view.goneUnreplaced;
  if (out > view.limit && run?.kind !== "Join") {
    const names = view.nodes.filter((node) => node.out !== undefined).map((node) => `${node.member.name} (${node.out})`);
    return condition("False", "DegradedBudget", `${out} nodes are out, at most ${view.limit} may be: ${names.slice(0, 8).join(", ")}`);
  }
  if (failed) return condition("False", "VersionFailed", failed.message);
  return condition("True", "Serving", `${view.nodes.length} nodes, at most ${view.limit} out of service at a time`);
}

/** The summary: what happens now, or why not yet and until when. */
function progressing(view: PopView, holds: readonly Hold[]): ConditionUpdate {
  const { run } = view;
  const [first] = holds;
  const zone = view.seen.pop.spec.timeZone;
  const condition = (status: Condition["status"], reason: ConditionReason<"Progressing">, message: string): ConditionUpdate => ({
    type: "Progressing",
    status,
    reason,
    message,
  });
  const waits = first
    ? `${first.message}${first.until !== undefined && Number.isFinite(first.until) ? ` (until ${localText(first.until, zone)})` : ""}`
    : undefined;
  if (!run) {
    if (first && (destinationOf(view) || view.seen.site.state !== "Reachable")) return condition("False", first.reason, waits!);
    const last = view.seen.pop.status.history?.at(-1);
    const idle = last && ["RolledBack", "RollbackFailed"].includes(last.outcome) ? last.outcome : "Idle";
    return condition("False", idle, last ? `the last run, ${last.version}, ended ${last.outcome}` : "nothing is to be done");
  }
  const state = run.state === "Passed" ? "Watching" : run.kind === "Join" && run.state === "Rolling" ? "Joining" : run.state;
  const done = run.frozen.members.filter((member) =>
    view.nodes.some(
      (node) => node.member.uid === member.uid && node.entry?.step === "Done" && node.member.label === view.label(run.revision),
    ),
  ).length;
  const progress =
    run.kind === "Rollback"
      ? `${run.takesBack?.version ?? run.from} is taken back to ${run.version}: ${run.cause ?? ""}`
      : `${done} of ${run.frozen.members.length} nodes run ${run.version}`;
  if (run.ending) return condition("False", run.ending, `${progress}; ${run.cause ?? "no further node starts"}`);
  if (first && first.reason !== "Soaking" && first.reason !== "Baking") return condition("False", first.reason, `${progress}; ${waits}`);
  return condition("True", state, waits ? `${progress}; ${waits}` : progress);
}

function localText(instant: Instant, zone: string): string {
  try {
    return `${iso(instant)}, ${describeInstant(instant, zone)}`;
  } catch {
    return iso(instant);
  }
}

function versionHealthy(view: PopView, now: Instant): ConditionUpdate {
  const condition = (status: Condition["status"], reason: ConditionReason<"VersionHealthy">, message: string): ConditionUpdate => ({
    type: "VersionHealthy",
    status,
    reason,
    message,
  });
  const { run } = view;
  if (!run) return condition("Unknown", "NothingToJudge", "no run is in hand");
  const judgedBad = view.seen.pop.status.revisions?.failed?.some((entry) => entry.revision === (run.from ?? run.revision)) ?? false;
  if (run.kind === "Rollback" && !judgedBad) return condition("Unknown", "NothingToJudge", run.cause ?? "it goes back without a verdict");
  if (run.kind === "Rollback" || run.cause) return condition("False", "Breached", run.cause ?? "taken back");
  if (run.timers.unknown?.since) {
    const until =
      Date.parse(run.timers.unknown.since) + milliseconds(view.seen.pop.spec.health.onUnknown.hold) - run.timers.unknown.accumulated;
    return condition(
      "Unknown",
      "HealthUnknown",
      `the checks cannot be read; held until ${iso(until)}, then ${view.seen.pop.spec.health.onUnknown.then}`,
    );
  }
  if (run.timers.excuse?.since)
    return condition("Unknown", "Excused", "a check fails that failed on the neighbours before our first write too");
  const health = healthOf(view, now);
  const all = evidenceThatCounts(view, health);
  const few = all.find((one) => one.verdict === "NotEnoughSamples");
  if (all.some((one) => one.verdict === "Unknown")) return condition("Unknown", "HealthUnknown", "not every check has been read yet");
  if (few) return condition("True", "NotEnoughSamples", few.evidence);
  return condition("True", "Healthy", `every check of ${run.version} passes`);
}

function paused(view: PopView, now: Instant): ConditionUpdate {
  const since = pausedSince(view, now);
  if (since === undefined) return { type: "Paused", status: "False", reason: "NotPaused", message: "nobody paused it" };
  const acknowledged = now >= Date.parse(since) + PAUSE_ACKNOWLEDGED;
  return acknowledged
    ? {
        type: "Paused",
        status: "True",
        reason: "PausedByPerson",
        message: `paused since ${since}; nothing new starts until a person resumes it`,
      }
    : {
        type: "Paused",
        status: "False",
        reason: "PauseRequested",
        message: `the pause of ${since} is obeyed and will be acknowledged within 10 s`,
      };
}
