import type { ClientRolloutStatus } from "../../api/client-rollout.ts";
import { sameJson } from "../canonical-json.ts";
import { type ListedRollout, problemOf } from "../client/problems.ts";
import { generalFromOf } from "../client/rollout-view.ts";
import { stageName } from "../client/stage.ts";
import type { Announcement, Decision, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { effectiveOf } from "./effective.ts";
import { forecastOf } from "./forecast.ts";
import { fileHolds, stageHolds } from "./holds.ts";
import { monitored } from "./monitoring.ts";
import type { ClientRolloutObservation, ObservedRollout } from "./observation.ts";
import { progressed } from "./progress.ts";
import { totalOf } from "./stages.ts";
import { type Settled, statusOf } from "./status.ts";
import { supportOf } from "./support.ts";
import { takenOver } from "./takeover.ts";

/**
 * The decision about one ClientRollout at one moment (rules C1–C8): where its stages are, who holds it, what it took over. It acts on
 * nothing but its own status; gateways answer check-ins by it. Pure; `status` is absent where nothing changed (G11).
 */
export function decide(seen: ClientRolloutObservation, now: Instant): Decision<ClientRolloutStatus, never, Probe> {
  const { status } = seen.rollout;
  const settled = settledBy(seen, now);
  const { effective, monitoring, progress, holds, support, announcedAt } = settled;
  const next = statusOf(seen, { ledger: ledgerOf(seen, settled, now), problem: settled.problem, effective, holds }, now);
  const written = !sameJson(next, status);
  const wakes = [progress.open?.due, patienceOver(progress.open, now), effective.wakeAt, support.wakeAt, announcedAt];
  const wakeAt = Math.min(...wakes.filter((wake) => wake !== undefined && Number.isFinite(wake) && wake > now).map(Number));
  return {
    ...(written ? { status: next } : {}),
    actions: [],
    events: written ? eventsOf(status, next) : [],
    probes: monitoring.probe === undefined || effective.stopped !== undefined ? [] : [monitoring.probe],
    ...(Number.isFinite(wakeAt) ? { wakeAt } : {}),
    holds,
  };
}

/** Everything that is decided, in the order in which one thing follows from the other. */
function settledBy(seen: ClientRolloutObservation, now: Instant) {
  const { spec, status } = seen.rollout;
  const listed = [seen.rollout, ...seen.others].map(listedOf);
  const problem = problemOf(listed[0]!, listed);
  const monitoring = monitored(seen, seen.numbers && totalOf(seen.numbers, status.stages ?? []), now);
  const effective = effectiveOf(seen, listed, monitoring.ledger?.paused, now);
  const announcedAt = parseInstant(spec.announcedAt) ?? Infinity;
  const takeover = takenOver(seen, problem === undefined, now);
  const { inherited } = takeover;
  const generalFrom = generalFromOf({ spec, status: inherited === undefined ? status : { ...status, inherited } });
  const held = problem !== undefined || effective.wanted !== "Run" || now < announcedAt;
  const promotes = monitoring.figure === undefined || monitoring.figure.verdict === "Passed";
  const progress = progressed(seen, { held, promotes, inherited, generalFrom }, now);
  const total = seen.numbers && totalOf(seen.numbers, progress.stages);
  const standingSince = status.standingSince ?? (progress.through === undefined ? undefined : formatInstant(progress.through));
  const forecast = standingSince === undefined ? forecastOf(progress, spec, { inherited, generalFrom, held }, now) : undefined;
  const early: Hold = { rule: "C2", reason: "NoticeNotElapsed", message: "its pilots get it when it is announced", until: announcedAt };
  const waits = held || standingSince !== undefined ? [] : stageHolds(progress, spec, monitoring.figure, now);
  const braked = [
    ...(problem === undefined ? [] : [problem]),
    ...effective.holds,
    ...(now < announcedAt ? [early] : []),
    ...fileHolds(seen),
  ];
  const holds = effective.stopped === undefined ? [...braked, ...waits] : [];
  const support = supportOf(spec, now);
  return { problem, total, monitoring, effective, announcedAt, takeover, held, progress, standingSince, forecast, holds, support };
}

type Decided = ReturnType<typeof settledBy>;

function ledgerOf({ rollout: { status } }: ClientRolloutObservation, decided: Decided, now: Instant): Settled["ledger"] {
  const { monitoring, progress, takeover, held, support } = decided;
  const { standingSince, forecast, total = status.numbers } = decided;
  const handled = monitoring.resumed === undefined ? status.handled : { resume: monitoring.resumed };
  const digest = held ? undefined : progress.open?.digest;
  return {
    seenAt: status.seenAt ?? formatInstant(Math.ceil(now / SECOND) * SECOND),
    ...(monitoring.ledger === undefined ? {} : { monitoring: monitoring.ledger }),
    ...(progress.reached === undefined ? {} : { reached: progress.reached }),
    ...(progress.stages.length === 0 ? {} : { stages: [...progress.stages] }),
    ...(total === undefined ? {} : { numbers: total }),
    ...(takeover.inherited === undefined ? {} : { inherited: takeover.inherited }),
    ...(takeover.chain === undefined ? {} : { chain: [...takeover.chain] }),
    ...(standingSince === undefined ? {} : { standingSince }),
    ...(support.support === undefined ? {} : { support: support.support }),
    ...(forecast === undefined ? {} : { forecast }),
    ...(digest === undefined ? {} : { digest }),
    ...(handled === undefined ? {} : { handled }),
  };
}

const listedOf = ({ name, uid, createdAt, spec, status }: ObservedRollout): ListedRollout => ({
  name,
  uid,
  createdAt,
  spec,
  inherited: status.inherited !== undefined,
});

const patienceOver = (open: ReturnType<typeof progressed>["open"], now: Instant): Instant | undefined =>
  open?.verdict.state === "Waits" ? now + open.verdict.left : undefined;

function eventsOf(before: ClientRolloutStatus, next: ClientRolloutStatus): readonly Announcement[] {
  const events: Announcement[] = [];
  const tell = (type: Announcement["type"], reason: string, action: string, message: string): void =>
    void events.push({ type, reason, action, message });
  if (next.reached !== undefined && (before.reached === undefined || stageName(before.reached) !== stageName(next.reached))) {
    const { accountsPercent, usersPercent } = next.reached;
    const reach = next.reached.stage === "Phase" ? `: ${usersPercent} % of the users of ${accountsPercent} % of the accounts` : "";
    tell("Normal", "StageOpened", "OpenStage", `stage ${stageName(next.reached)} is open${reach}`);
  }
  if (next.monitoring?.paused !== undefined && before.monitoring?.paused === undefined) {
    tell("Warning", "PausedByMonitoring", "Pause", next.monitoring.paused.message);
  }
  if (next.stopped !== undefined && before.stopped === undefined) tell("Warning", "Stopped", "Stop", next.stopped.message);
  if (next.standingSince !== undefined && before.standingSince === undefined) {
    tell("Normal", "Standing", "OpenStage", "everybody is reached; who comes later follows");
  }
  return events;
}
