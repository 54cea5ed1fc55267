import type { SocketRolloutStatus } from "../../api/socket-rollout.ts";
import { sameJson } from "../canonical-json.ts";
import type { ConditionUpdate } from "../conditions.ts";
import type { Announcement, Decision, Hold, Instant } from "../decision.ts";
import { acknowledgement } from "../rollout/pause.ts";
import { revisionOf } from "../socket/revision.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { problemOf } from "./accept.ts";
import { forecastOf } from "./forecast.ts";
import { lateJoiners } from "./late-joiners.ts";
import type { SocketRolloutObservation } from "./observation.ts";
import { ramped } from "./ramp.ts";
import { statusOf } from "./status.ts";
import { stopAsked, stoppedBy } from "./stop.ts";

/**
 * The decision about one SocketRollout at one moment (rules S10, W3, G4): when it was seen, how far its ramp has opened, who ended it. It
 * acts on nothing but its own status; sites read it and decide for themselves. Pure; `status` is absent where nothing changed (G11).
 */
export function decide(seen: SocketRolloutObservation, now: Instant): Decision<SocketRolloutStatus, never> {
  const { spec, status, generation } = seen.rollout;
  const problem = problemOf(seen);
  const stopped = stoppedBy(seen, now);
  const announcedAt = parseInstant(spec.announcedAt) ?? Infinity;
  const early = now < announcedAt;
  const latest = latestDate(status.announcedAt, announcedAt);
  const held = problem !== undefined || stopped !== undefined || spec.paused || seen.fleetPaused || early;
  const ramp = ramped(status.ramp, spec.ramp, held, now);
  const standing = stopped === undefined && ramp?.through === true && ramp.ledger.percent === 100;
  const standingSince = stopped === undefined ? (status.standingSince ?? (standing ? formatInstant(now) : undefined)) : undefined;
  const late = lateJoiners(seen, standingSince !== undefined && !held, now);
  const pause = spec.paused ? acknowledgement({ generation, ...status }, now) : undefined;
  const asked = stopAsked(seen);
  const forecast = stopped === undefined ? forecastOf(seen, ramp, now) : undefined;
  const holds = stopped === undefined ? holdsOf(seen, problem, early ? announcedAt : undefined, late.hold) : [];
  const next = statusOf(
    seen,
    {
      ledger: {
        // Rounded up: a notice counts from here, and no part of it is given away (rule W3).
        seenAt: status.seenAt ?? formatInstant(Math.ceil(now / SECOND) * SECOND),
        ...(latest === undefined ? {} : { announcedAt: latest }),
        revision: revisionOf(spec),
        ...(ramp === undefined ? {} : { ramp: ramp.ledger }),
        ...(late.ledger === undefined ? {} : { lateJoiners: late.ledger }),
        ...(standingSince === undefined ? {} : { standingSince }),
        ...(stopped === undefined ? {} : { stopped }),
        ...(pause === undefined ? {} : { pausedAt: formatInstant(pause.since) }),
        ...(asked === undefined
          ? status.handled === undefined
            ? {}
            : { handled: status.handled }
          : { handled: { stop: formatInstant(parseInstant(asked)!) } }),
        ...(forecast === undefined ? {} : { forecast }),
      },
      problem,
      earlier: editedBack(seen),
      paused: pausedCondition(pause),
      holds,
    },
    now,
  );
  const written = !sameJson(next, status);
  const wakes = [ramp?.wakeAt, pause?.wakeAt, early ? announcedAt : undefined, late.hold?.until].filter(
    (wake) => wake !== undefined && Number.isFinite(wake) && wake > now,
  ) as Instant[];
  return {
    ...(written ? { status: next } : {}),
    actions: [],
    events: written ? [...editEvents(seen, next), ...eventsOf(status, next)] : [],
    probes: [],
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds,
  };
}

/** The later of what was written and what is; a date that cannot be read is none. */
const latestDate = (known: string | undefined, announcedAt: Instant): string | undefined => {
  const before = known === undefined ? -Infinity : (parseInstant(known) ?? -Infinity);
  const date = Number.isFinite(announcedAt) ? Math.max(before, announcedAt) : before;
  return Number.isFinite(date) ? formatInstant(date) : undefined;
};

/** The sentence of a date that was edited back: what people were told is not undone by it, nor told with less notice (rules W3, W7). */
function editedBack({ rollout: { spec, status } }: SocketRolloutObservation): string | undefined {
  const [known, now] = [status.announcedAt === undefined ? undefined : parseInstant(status.announcedAt), parseInstant(spec.announcedAt)];
  if (known === undefined || now === undefined || Math.floor(now / SECOND) * SECOND >= known) return undefined;
  const edited = `announcedAt was edited back from ${formatInstant(known)} to ${formatInstant(now)}`;
  return `${edited}: that shortens nobody's notice, which counts from when the ramp reaches a site and it is told`;
}

function editEvents(seen: SocketRolloutObservation, next: SocketRolloutStatus): readonly Announcement[] {
  const message = editedBack(seen);
  const said = (status: SocketRolloutStatus) => status.conditions?.find(({ type }) => type === "Accepted")?.message;
  if (message === undefined || said(next) === said(seen.rollout.status)) return [];
  return [{ type: "Warning", reason: "AnnouncedEarlier", action: "Announce", message }];
}

function holdsOf(
  { rollout: { spec }, fleetPaused }: SocketRolloutObservation,
  problem: Hold | undefined,
  announcedAt: Instant | undefined,
  late: Hold | undefined,
): readonly Hold[] {
  const resume = "no site is started anew until a person resumes it; a pair in hand is finished";
  return [
    ...(problem === undefined ? [] : [problem]),
    ...(fleetPaused ? [{ rule: "G13", reason: "FleetPaused", message: `the Fleet is paused; ${resume}` } as const] : []),
    ...(spec.paused ? [{ rule: "G13", reason: "Paused", message: `it is paused; ${resume}` } as const] : []),
    ...(announcedAt === undefined
      ? []
      : [
          {
            rule: "W3",
            reason: "NoticeNotElapsed",
            message: "it is announced for a later day; its ramp opens then",
            until: announcedAt,
          } as const,
        ]),
    ...(late === undefined ? [] : [late]),
  ];
}

function pausedCondition(pause: ReturnType<typeof acknowledgement> | undefined): ConditionUpdate {
  const type = "Paused";
  if (pause === undefined) return { type, status: "False", reason: "NotPaused", message: "nobody paused it" };
  if (pause.acknowledged)
    return { type, status: "True", reason: "PausedByPerson", message: "no site is started anew until a person resumes it" };
  const message = `the pause is obeyed, and acknowledged 10 seconds after ${formatInstant(pause.since)}`;
  return { type, status: "False", reason: "PauseRequested", message };
}

function eventsOf(before: SocketRolloutStatus, next: SocketRolloutStatus): readonly Announcement[] {
  const events: Announcement[] = [];
  if (next.ramp !== undefined && next.ramp.percent !== before.ramp?.percent) {
    events.push({
      type: "Normal",
      reason: "RampOpened",
      action: "Ramp",
      message: `the ramp has reached ${next.ramp.percent} % of the sites`,
    });
  }
  if (next.stopped !== undefined && before.stopped === undefined) {
    events.push({ type: "Warning", reason: "Stopped", action: "Stop", message: next.stopped.message });
  }
  if (next.standingSince !== undefined && before.standingSince === undefined) {
    events.push({ type: "Normal", reason: "Standing", action: "Ramp", message: "the ramp is through; sites that join later follow" });
  }
  return events;
}
