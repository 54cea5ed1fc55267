import type { Freeze } from "../../api/common.ts";
import { DAYS, type MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { closest } from "../closest.ts";
import { DAY, HOUR, parseLocalDate, parseLocalTime, WEEK } from "../time/civil.ts";
import { durationProblem, parseDuration } from "../time/duration.ts";
import { LOCAL, zoneProblem } from "../time/zone.ts";

/** A notice longer than two weeks would outlast the train (rule W3). */
export const MAXIMUM_NOTICE = 336 * HOUR;
const MAXIMUM_ONCE = 336 * HOUR;

type Schedule = MaintenanceWindowSpec["schedule"];
type Slot = NonNullable<Schedule["weekly"]>[number];

const quoted = (value: unknown): string => JSON.stringify(value) ?? "nothing";

function dayProblem(field: string, day: unknown): string | undefined {
  if (DAYS.some((known) => known === day)) return undefined;
  const known = typeof day === "string" ? (DAYS.find((name) => sameDay(name, day)) ?? closestDay(day)) : undefined;
  return `${field} is ${quoted(day)}, which is no day of the week; write ${known ?? `one of ${DAYS.join(", ")}`}`;
}

/** Of days that are equally near the one with the same first letter: `Sonday` is Sunday, not Monday. */
const closestDay = (written: string): string | undefined =>
  closest(
    written,
    DAYS.filter((name) => name[0] === written.trim()[0]?.toUpperCase()),
  ) ?? closest(written, DAYS);

/** `Sun`, `sundays`, `SU` are slips for one and the same day. */
function sameDay(name: string, written: string): boolean {
  const word = written.trim().toLowerCase().replace(/s$/, "");
  return word.length >= 2 && name.toLowerCase().startsWith(word);
}

function timeProblem(field: string, time: unknown): string | undefined {
  if (typeof time === "string" && parseLocalTime(time) !== undefined) return undefined;
  const padded = typeof time === "string" && /^\d:[0-5]\d$/.test(time) ? `0${time}` : undefined;
  if (time === "24:00") return `${field} is "24:00"; write "00:00", or a duration`;
  const instead = padded === undefined ? '"01:00" in quotes, 00:00 to 23:59' : quoted(padded);
  return `${field} is ${quoted(time)}, which is no time of day; write ${instead}`;
}

function dateProblem(field: string, date: unknown): string | undefined {
  if (typeof date === "string" && parseLocalDate(date) !== undefined) return undefined;
  return `${field} is ${quoted(date)}, which is no date of the calendar; write it as 2026-11-22`;
}

function lengthProblems(field: string, duration: unknown, maximum: number): readonly (string | undefined)[] {
  const problem = durationProblem(field, duration);
  if (problem !== undefined) return [problem];
  const milliseconds = parseDuration(duration as string)!;
  if (milliseconds === 0)
    return [`${field} is ${quoted(duration)}, so the window would never be open; write how long it is open, for example 4h`];
  if (milliseconds > maximum) return [`${field} is ${quoted(duration)}; write at most ${maximum / HOUR}h`];
  return [];
}

function slotProblems(slot: Slot, field: string): readonly (string | undefined)[] {
  const problems = [dayProblem(`${field}.day`, slot.day), timeProblem(`${field}.start`, slot.start)];
  if (slot.end === undefined && slot.duration === undefined) {
    problems.push(`${field} has neither end nor duration; write one of them, for example end: "03:00" or duration: 4h`);
  } else if (slot.end !== undefined && slot.duration !== undefined) {
    problems.push(`${field} has end and duration; write one of them`);
  }
  if (slot.end !== undefined) problems.push(timeProblem(`${field}.end`, slot.end));
  if (slot.end !== undefined && slot.end === slot.start) {
    problems.push(`${field} ends at ${slot.end}, when it starts; write duration: 24h for a whole day, or a later end`);
  }
  if (slot.duration !== undefined) problems.push(...lengthProblems(`${field}.duration`, slot.duration, WEEK - HOUR));
  return problems;
}

function scheduleProblems(schedule: Schedule | undefined): readonly (string | undefined)[] {
  if (schedule === undefined)
    return ['spec.schedule is missing; write for example schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}'];
  const { weekly, once, anchor } = schedule;
  const everyWeeks = schedule.everyWeeks ?? 1;
  if (weekly === undefined && once === undefined) {
    return ['spec.schedule has neither weekly nor once; write for example weekly: [{day: Sunday, start: "01:00", duration: 4h}]'];
  }
  const problems: (string | undefined)[] = [];
  if (weekly !== undefined && once !== undefined)
    problems.push("spec.schedule has weekly and once; write one of them, and a second window for the other");
  if (weekly !== undefined && weekly.length === 0)
    problems.push('spec.schedule.weekly is empty; write at least one slot, for example {day: Sunday, start: "01:00", duration: 4h}');
  weekly?.forEach((slot, index) => problems.push(...slotProblems(slot, `spec.schedule.weekly[${index}]`)));
  if (once !== undefined) {
    problems.push(dateProblem("spec.schedule.once.date", once.date), timeProblem("spec.schedule.once.start", once.start));
    problems.push(...lengthProblems("spec.schedule.once.duration", once.duration, MAXIMUM_ONCE));
    if (everyWeeks !== 1) problems.push(`spec.schedule.everyWeeks is ${everyWeeks}, but the window occurs once; leave it out`);
  }
  if (!Number.isInteger(everyWeeks) || everyWeeks < 1 || everyWeeks > 52) {
    problems.push(`spec.schedule.everyWeeks is ${quoted(everyWeeks)}; write a whole number from 1 to 52`);
  } else if (everyWeeks > 1 && anchor === undefined) {
    problems.push(`spec.schedule.anchor is missing, and everyWeeks is ${everyWeeks}; write the date of one day in a week that counts`);
  }
  if (anchor !== undefined) problems.push(dateProblem("spec.schedule.anchor", anchor));
  return problems;
}

function problemsOfFreeze(freeze: Freeze, field: string): readonly (string | undefined)[] {
  const problems = [dateProblem(`${field}.from`, freeze.from), dateProblem(`${field}.to`, freeze.to)];
  const ordered = problems.some((problem) => problem !== undefined) || freeze.from <= freeze.to;
  if (!ordered) problems.push(`${field} ends on ${freeze.to}, before it begins on ${freeze.from}; write the last frozen day as to`);
  if (freeze.timeZone !== undefined) problems.push(zoneProblemAt(`${field}.timeZone`, freeze.timeZone));
  return problems;
}

/** `zoneProblem`, with the field that holds the name. */
export function zoneProblemAt(field: string, name: string): string | undefined {
  const problem = zoneProblem(name);
  return problem === undefined ? undefined : `${field}: ${problem}`;
}

const present = (problem: string | undefined): problem is string => problem !== undefined;

/** What is wrong with a list of freezes, each a sentence that says what to write instead (rules W6, W10). */
export function freezeProblems(freezes: readonly Freeze[], field: string): readonly string[] {
  return freezes.flatMap((freeze, index) => problemsOfFreeze(freeze, `${field}[${index}]`)).filter(present);
}

/**
 * What keeps a window from being used, each a sentence that says what to write instead (rule W10); empty when it can be used. It
 * asks also what the schema asks, because an object may be older than the schema. A window with a problem never opens: there is
 * no fallback to UTC and no "no window means any time".
 */
export function windowProblems(spec: MaintenanceWindowSpec): readonly string[] {
  const problems: (string | undefined)[] = [...scheduleProblems(spec.schedule)];
  if (spec.timeZone !== undefined && spec.timeZone !== LOCAL) problems.push(zoneProblemAt("spec.timeZone", spec.timeZone));
  if (spec.notice !== undefined) {
    problems.push(durationProblem("spec.notice", spec.notice));
    if ((parseDuration(spec.notice) ?? 0) > MAXIMUM_NOTICE) problems.push(`spec.notice is ${spec.notice}; write at most 336h, two weeks`);
  }
  return [...problems.filter(present), ...freezeProblems(spec.freezes ?? [], "spec.freezes")];
}

/** The zone in which a window is read: its own, or that of the thing it is applied to; undefined where that is not known. */
export function windowZone(spec: Pick<MaintenanceWindowSpec, "timeZone">, zoneOfThing: string | undefined): string | undefined {
  return (spec.timeZone ?? LOCAL) === LOCAL ? zoneOfThing : spec.timeZone;
}

/** Every how many weeks; 1 also where an object has not passed through the schema's defaults, because `undefined` weeks never end. */
export function everyWeeksOf(spec: MaintenanceWindowSpec): number {
  return spec.schedule.everyWeeks ?? 1;
}

/** The nominal length of a slot in milliseconds; the spec has no problems. An end at or before the start is on the next day. */
export function slotLength(slot: Slot): number {
  if (slot.duration !== undefined) return parseDuration(slot.duration)!;
  const length = parseLocalTime(slot.end!)! - parseLocalTime(slot.start)!;
  return length > 0 ? length : length + DAY;
}
