import type { Instant } from "../decision.ts";
import { DAY, dayOfLocalTime, formatClock, formatLocalDate } from "../time/civil.ts";
import { formatDuration } from "../time/duration.ts";
import { weekdayName } from "../time/format.ts";
import { localTimeAt, offsetSpanAt } from "../time/offsets.ts";
import type { Occurrence } from "./occurrences.ts";

interface ClockChange {
  readonly at: Instant;
  /** Milliseconds by which the clock jumps; negative when it goes back. */
  readonly jump: number;
}

/** The first change of the zone's clocks in (from, to], if any. */
function changeBetween(zone: string, from: Instant, to: Instant): ClockChange | undefined {
  let span = offsetSpanAt(zone, from);
  while (span.to <= to) {
    const next = offsetSpanAt(zone, span.to);
    if (next.offset !== span.offset) return { at: next.from, jump: next.offset - span.offset };
    span = next;
  }
  return undefined;
}

function startNote({ start, nominalStart }: Occurrence, zone: string): string | undefined {
  const local = localTimeAt(zone, start);
  if (local !== nominalStart) {
    const [nominalDay, day] = [dayOfLocalTime(nominalStart), dayOfLocalTime(local)];
    const otherDay = nominalDay !== day;
    const missed = otherDay ? `${formatLocalDate(nominalDay)} ${formatClock(nominalStart)}` : formatClock(nominalStart);
    const found = otherDay ? `${weekdayName(day)} ${formatLocalDate(day)} ${formatClock(local)}` : formatClock(local);
    return `clocks go forward, there is no ${missed}: it starts at ${found}`;
  }
  // A clock goes back by less than a day; where its reading comes again, the second pass begins within one.
  const change = changeBetween(zone, start, start + DAY);
  const comesAgain = change !== undefined && change.jump < 0 && localTimeAt(zone, change.at) <= nominalStart;
  return comesAgain ? `clocks go back, ${formatClock(nominalStart)} comes twice: it starts at the first` : undefined;
}

function lengthNote({ start, end, nominalLength }: Occurrence, zone: string): string | undefined {
  const change = changeBetween(zone, start, end);
  const length = end - start;
  if (change === undefined && length === nominalLength) return undefined;
  const lasts = `it lasts ${formatDuration(length)} and ends at ${formatClock(localTimeAt(zone, end))}`;
  if (change === undefined) return lasts;
  return `clocks go ${change.jump > 0 ? "forward" : "back"} by ${formatDuration(Math.abs(change.jump))}: ${lasts}`;
}

/** What a change of the clocks does to this occurrence (rules W1, W1a), in words; empty on an ordinary day. */
export function clockNotes(occurrence: Occurrence, zone: string): readonly string[] {
  return [startNote(occurrence, zone), lengthNote(occurrence, zone)].filter((note) => note !== undefined);
}

/** Why a slot does not occur: a gap has swallowed it whole (rule W1a). */
export function swallowedNote({ nominalStart, nominalEnd }: Occurrence): string {
  const day = dayOfLocalTime(nominalStart);
  const slot = `${formatClock(nominalStart)}–${formatClock(nominalEnd ?? nominalStart)}`;
  return `clocks leave out ${slot} on ${weekdayName(day)} ${formatLocalDate(day)}: the window does not occur then`;
}
