import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { DAYS } from "../../api/maintenance-window.ts";
import type { Instant } from "../decision.ts";
import { DAY, dayOfLocalTime, type LocalTime, parseLocalDate, parseLocalTime } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import { localStart } from "../time/local-start.ts";
import { LARGEST_OFFSET } from "../time/offsets.ts";
import { slotEnd } from "../time/slot-end.ts";
import { recurringDays } from "../time/weekly.ts";
import { everyWeeksOf, slotLength } from "./parse.ts";

/** One time that a window is open: [start, end), before freezes and budgets. */
export interface Occurrence {
  readonly start: Instant;
  readonly end: Instant;
  /** What the clock should read at the start; it reads later where a gap lies there. */
  readonly nominalStart: LocalTime;
  /** What the clock should read at the end; undefined when a duration is given, which counts elapsed time. */
  readonly nominalEnd?: LocalTime;
  /** The length that the spec asks for, in milliseconds. */
  readonly nominalLength: number;
}

/** One slot of a window, read: on which days, at what time, how long. */
interface Slot {
  readonly sinceMidnight: number;
  readonly length: number;
  /** The end is a reading of the clock and not an elapsed time (rule W1a). */
  readonly endsByClock: boolean;
}

function occurrenceOn(zone: string, midnight: LocalTime, slot: Slot): Occurrence {
  const nominalStart = midnight + slot.sinceMidnight;
  const start = localStart(zone, nominalStart);
  const common = { start, nominalStart, nominalLength: slot.length };
  if (!slot.endsByClock) return { ...common, end: start + slot.length };
  const nominalEnd = nominalStart + slot.length;
  return { ...common, end: slotEnd(zone, start, nominalStart, nominalEnd), nominalEnd };
}

function* weeklyOccurrences(spec: MaintenanceWindowSpec, zone: string, from: Instant): Generator<Occurrence> {
  const slotsOfDay = new Map<number, Slot[]>();
  let longest = 0;
  for (const written of spec.schedule.weekly ?? []) {
    const weekday = DAYS.indexOf(written.day);
    const slot = {
      sinceMidnight: parseLocalTime(written.start)!,
      length: slotLength(written),
      endsByClock: written.duration === undefined,
    };
    longest = Math.max(longest, slot.length);
    slotsOfDay.set(
      weekday,
      [...(slotsOfDay.get(weekday) ?? []), slot].toSorted((a, b) => a.sinceMidnight - b.sinceMidnight),
    );
  }
  const { anchor } = spec.schedule;
  const weekdays = [...slotsOfDay.keys()].toSorted((a, b) => a - b);
  const anchorDay = anchor === undefined ? undefined : parseLocalDate(anchor)!;
  const recurrence = { weekdays, everyWeeks: everyWeeksOf(spec), ...(anchorDay === undefined ? {} : { anchor: anchorDay }) };
  // An occurrence that runs at `from` began earlier: by its length, the day it lies in, and a day that a zone may have left out.
  const firstDay = dayOfLocalTime(from - LARGEST_OFFSET - longest) - 1;
  for (const day of recurringDays(recurrence, firstDay)) {
    const weekday = (((day + 3) % 7) + 7) % 7;
    for (const slot of slotsOfDay.get(weekday)!) yield occurrenceOn(zone, day * DAY, slot);
  }
}

function onceOccurrence(spec: MaintenanceWindowSpec, zone: string): Occurrence {
  const { date, start, duration } = spec.schedule.once!;
  const slot = { sinceMidnight: parseLocalTime(start)!, length: parseDuration(duration)!, endsByClock: false };
  return occurrenceOn(zone, parseLocalDate(date)! * DAY, slot);
}

/**
 * All occurrences that end after `from`, the one that runs then included, by start; also those of length 0, the slots that a gap has
 * swallowed (rule W1a), so that they can be told. Two that start at the same instant are one, with the later end.
 * The spec has no problems (`windowProblems`), and the zone is the one that `windowZone` answers.
 */
export function* nominalOccurrences(spec: MaintenanceWindowSpec, zone: string, from: Instant): Generator<Occurrence> {
  const all = spec.schedule.once === undefined ? weeklyOccurrences(spec, zone, from) : [onceOccurrence(spec, zone)];
  let held: Occurrence | undefined;
  for (const occurrence of all) {
    if (occurrence.end <= from && !(isSwallowed(occurrence) && occurrence.start >= from)) continue;
    if (held === undefined || held.start === occurrence.start) {
      held = held === undefined || occurrence.end > held.end ? occurrence : held;
      continue;
    }
    yield held;
    held = occurrence;
  }
  if (held !== undefined) yield held;
}

/** True for a slot that lies wholly in a gap: the clocks leave it out, so it does not occur (rule W1a). */
export function isSwallowed(occurrence: Occurrence): boolean {
  return occurrence.end <= occurrence.start;
}

/** The occurrences that really occur, from the one that runs at `from` on (rules W1, W1a, W8). */
export function* occurrences(spec: MaintenanceWindowSpec, zone: string, from: Instant): Generator<Occurrence> {
  for (const occurrence of nominalOccurrences(spec, zone, from)) if (!isSwallowed(occurrence)) yield occurrence;
}
