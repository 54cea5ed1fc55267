import type { Freeze } from "../../api/common.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { Hold, Instant } from "../decision.ts";
import { DAY, dayOfLocalTime, formatClock } from "../time/civil.ts";
import { formatDuration, parseDuration } from "../time/duration.ts";
import { describeInstant } from "../time/format.ts";
import { localTimeAt } from "../time/offsets.ts";
import { activeFreeze, frozenSpans, type FrozenSpan } from "./freeze.ts";
import { fits, type UsableOccurrence } from "./last-start.ts";
import { noticeElapsed } from "./notice.ts";
import { freezeProblems, slotLength, windowProblems, windowZone, zoneProblemAt } from "./parse.ts";
import { nextUsableStart, usableOccurrences, type WindowSearch } from "./search.ts";
import { describeDay, describeLastDay, earliestStart, isTooLate, type StartDates, startDateProblems, startDays } from "./start-dates.ts";

/** What is asked of a window: may this piece start now? */
export interface WindowQuestion {
  /** The name of the MaintenanceWindow, for messages. */
  readonly name?: string;
  /** The window; undefined when the reference leads nowhere: nothing starts (rule W10). */
  readonly spec: MaintenanceWindowSpec | undefined;
  /** The zone of the thing (PoP, site, account); a window with a zone of its own is read in that one. */
  readonly zone: string | undefined;
  readonly now: Instant;
  /** The budget of the smallest piece that must not be cut (rule W4). */
  readonly pieceMilliseconds: number;
  /** Freezes of the Fleet and others; those of the window itself count anyway. */
  readonly freezes?: readonly Freeze[];
  /** Left out: nobody was promised a notice, and a running occurrence may be used. */
  readonly announcedAt?: Instant;
  readonly noticeMilliseconds?: number;
  /** Only occurrences that start on these local dates of the thing (rule F1). */
  readonly startDates?: StartDates | undefined;
}

/** Open, with the occurrence that holds now, or held. */
export type WindowGate =
  | { readonly open: true; readonly occurrence: UsableOccurrence }
  | {
      readonly open: false;
      readonly hold: Hold;
      /**
       * No occurrence holds now, or a freeze does: a piece whose change has not been made is given back (rule W5). False while only the
       * last start or the notice stands in the way, which concerns nothing that has begun. The hold's reason does not tell it: a piece
       * can be too long for a window that is also closed.
       */
      readonly closed: boolean;
    };

const hold = (rule: string, reason: Hold["reason"], message: string, until?: Instant): Hold => ({
  rule,
  reason,
  message,
  ...(until === undefined ? {} : { until }),
});

/** Why the window cannot be read at all (rule W10), as one message; undefined when it can. */
function invalidity({ name, spec, zone, freezes, startDates }: WindowQuestion): string | undefined {
  const called = name === undefined ? "the maintenance window" : `MaintenanceWindow ${name}`;
  if (spec === undefined) return `${called} does not exist; nothing starts until it does`;
  const problems = [
    ...windowProblems(spec),
    ...freezeProblems(freezes ?? [], "freezes"),
    ...(startDates === undefined ? [] : startDateProblems(startDates)),
  ];
  const inForce = windowZone(spec, zone);
  if (inForce === undefined)
    problems.push("the window is read in the local zone, and none is set; write timeZone on the thing it is applied to");
  // The zone of the thing also dates the freezes, so it is asked even where the window has its own.
  if (zone !== undefined) problems.push(...[zoneProblemAt("timeZone", zone)].filter((problem) => problem !== undefined));
  return problems.length === 0 ? undefined : `${called}: ${problems.join("; ")}; nothing starts until that is corrected`;
}

/** The length of the longest occurrence that the spec asks for, in milliseconds; the spec has no problems. */
export function longestOccurrence(spec: MaintenanceWindowSpec): number {
  if (spec.schedule.once !== undefined) return parseDuration(spec.schedule.once.duration)!;
  return Math.max(...(spec.schedule.weekly ?? []).map(slotLength));
}

/** `Sunday 2026-11-29 01:00 Europe/Berlin to 05:00`, with the second date only where it differs. */
function describeSpan(start: Instant, end: Instant, zone: string): string {
  const [startLocal, endLocal] = [localTimeAt(zone, start), localTimeAt(zone, end)];
  const sameDay = dayOfLocalTime(startLocal) === dayOfLocalTime(endLocal) && end - start < DAY;
  return `${describeInstant(start, zone)} to ${sameDay ? formatClock(endLocal) : describeInstant(end, zone)}`;
}

function describeNext(next: UsableOccurrence | undefined, zone: string): string {
  return next === undefined ? "no coming occurrence can be used" : `the next usable start is ${describeInstant(next.start, zone)}`;
}

/** The occurrence that holds `now`; of several that overlap one that keeps the notice, then the one with the latest last start. */
function runningOccurrence(search: WindowSearch, now: Instant, noticed: Instant): UsableOccurrence | undefined {
  let running: UsableOccurrence | undefined;
  for (const usable of usableOccurrences(search, now)) {
    if (usable.start > now) break;
    if (now >= usable.end) continue;
    const better = running === undefined || (running.start < noticed && usable.start >= noticed);
    const worse = running !== undefined && running.start >= noticed && usable.start < noticed;
    if (better || (!worse && usable.lastStart > running!.lastStart)) running = usable;
  }
  return running;
}

/** The first instant at which a start keeps the promised notice; -Infinity where none was promised. */
function noticeOver({ announcedAt, noticeMilliseconds = 0 }: WindowQuestion): Instant {
  return announcedAt === undefined ? -Infinity : announcedAt + noticeMilliseconds;
}

function frozen(question: WindowQuestion, active: FrozenSpan, next: UsableOccurrence | undefined, zone: string): Hold {
  const { name, reason } = active.freeze;
  const why = reason === undefined ? "" : ` (${reason})`;
  const end = describeInstant(active.to, active.freeze.timeZone ?? question.zone ?? zone);
  return hold("W6", "Frozen", `freeze ${name}${why} lasts until ${end}; ${describeNext(next, zone)}`, next?.start);
}

function tooShort(search: WindowSearch): Hold {
  const open = formatDuration(longestOccurrence(search.spec));
  const found = `needs ${formatDuration(search.piece)}, and no coming occurrence (${open} by the window, in ${search.zone}) holds that`;
  const message = `${found}; make the window longer or the piece shorter`;
  return hold("W4", "WindowTooShort", message);
}

/**
 * May the piece start now (rules W1–W6, W9, W10)? Asked right before every disruptive act, and the same answer serves status,
 * console and command line. Every hold that can end by itself names the next usable start as `until`: an occurrence that has not
 * begun, keeps the notice, starts in no freeze and holds the piece. The order of the reasons: what a person must correct (invalid,
 * too short), then notice, freeze, last start, closed.
 */
export function windowGate(question: WindowQuestion): WindowGate {
  const invalid = invalidity(question);
  if (invalid !== undefined) return { open: false, hold: hold("W10", "WindowInvalid", invalid), closed: true };
  const { now } = question;
  const spec = question.spec!;
  const zone = windowZone(spec, question.zone)!;
  const freezes = [...(spec.freezes ?? []), ...(question.freezes ?? [])];
  // Back to the earliest start of an occurrence that still runs: a freeze that is over may have taken it out, or ended it.
  const spans = frozenSpans(freezes, question.zone ?? zone, now - longestOccurrence(spec));
  const days = question.startDates && startDays(question.startDates, question.zone ?? zone);
  const search: WindowSearch = { spec, zone, piece: question.pieceMilliseconds, spans, days };

  const noticed = noticeOver(question);
  const running = runningOccurrence(search, now, noticed);
  const active = activeFreeze(spans, now);
  const open = running !== undefined && active === undefined && now <= running.lastStart;
  if (open && running.start >= noticed) return { open: true, occurrence: running };
  const closed = running === undefined || active !== undefined;
  if (search.piece > longestOccurrence(spec)) return { open: false, hold: tooShort(search), closed };

  // An instant that `now` shares with a start belongs to the running occurrence, which did not do.
  const next = nextUsableStart(search, Math.max(noticed, now + 1));
  const holding =
    noticeHold(question, search, open ? running.start : undefined, next) ??
    trainHold(question, search, running, next) ??
    (active && frozen(question, active, next, zone)) ??
    (running && pastLastStart(search, running, next)) ??
    outside(search, now, next);
  return { open: false, hold: holding, closed };
}

/** OutsideWindow, when but for the dates of its train something could start, now or at some time (rule F1). */
function trainHold(
  { now, startDates }: WindowQuestion,
  search: WindowSearch,
  running: UsableOccurrence | undefined,
  next: UsableOccurrence | undefined,
): Hold | undefined {
  const { zone, days } = search;
  if (startDates === undefined || days === undefined || running !== undefined) return undefined;
  const { from, to, of } = startDates;
  if (from !== undefined && now < earliestStart(days)) {
    const message = `${of} departs on ${describeDay(from)}; ${describeNext(next, zone)}`;
    return hold("F1", "OutsideWindow", message, next?.start);
  }
  const ended = to !== undefined && isTooLate(days, now);
  const last = to !== undefined && next === undefined && nextUsableStart({ ...search, days: undefined }, now + 1) !== undefined;
  if (!ended && !last) return undefined;
  const found = ended
    ? `its train ended on ${describeLastDay(to)}`
    : `no coming occurrence starts before its train ends on ${describeLastDay(to)}`;
  return hold("F1", "OutsideWindow", `${of}: ${found}; nothing starts until its turn as a late joiner, or a newer rollout`);
}

/** NoticeNotElapsed, when but for the notice something could start earlier (rule W3). */
function noticeHold(
  question: WindowQuestion,
  search: WindowSearch,
  openSince: Instant | undefined,
  next: UsableOccurrence | undefined,
): Hold | undefined {
  const { now, announcedAt, noticeMilliseconds = 0 } = question;
  if (announcedAt === undefined) return undefined;
  const earliest = openSince ?? nextUsableStart(search, now + 1)?.start;
  if (earliest === undefined || noticeElapsed(earliest, announcedAt, noticeMilliseconds)) return undefined;
  const given = earliest - announcedAt;
  const when = describeInstant(earliest, search.zone);
  const found =
    given <= 0
      ? `${when} had begun when it was announced`
      : `${when} is ${formatDuration(given)} after the announcement, the notice is ${formatDuration(noticeMilliseconds)}`;
  return hold("W3", "NoticeNotElapsed", `${found}; ${describeNext(next, search.zone)}`, next?.start);
}

function pastLastStart(search: WindowSearch, running: UsableOccurrence, next: UsableOccurrence | undefined): Hold {
  const { zone, piece } = search;
  const span = describeSpan(running.start, running.end, zone);
  const cut = running.cutBy === undefined ? "" : `, ended by freeze ${running.cutBy.freeze.name}`;
  const found = fits(running)
    ? `the last start was ${formatClock(localTimeAt(zone, running.lastStart))}`
    : `this occurrence lasts only ${formatDuration(running.end - running.start)}`;
  const wanted = `the next piece needs ${formatDuration(piece)} and ${found}`;
  const message = `the window is open ${span}${cut}, but ${wanted}; ${describeNext(next, zone)}`;
  return hold("W4", "LastStartPassed", message, next?.start);
}

function outside(search: WindowSearch, now: Instant, next: UsableOccurrence | undefined): Hold {
  if (next !== undefined) {
    return hold("W4", "OutsideWindow", `the window is closed; it opens ${describeSpan(next.start, next.end, search.zone)}`, next.start);
  }
  for (const usable of usableOccurrences(search, now)) if (!fits(usable)) return tooShort(search);
  const once = search.spec.schedule.once;
  const why =
    once === undefined
      ? "every coming occurrence starts in a freeze"
      : `its only occurrence, on ${once.date} at ${once.start} ${search.zone}, is over or frozen`;
  return hold("W4", "OutsideWindow", `the window is closed and does not open again: ${why}; write another date or freeze`);
}
