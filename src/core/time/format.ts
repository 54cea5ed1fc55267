import type { Instant } from "../decision.ts";
import { dayOfLocalTime, formatClock, formatLocalDate, HOUR, MINUTE, pad, SECOND, weekdayOf } from "./civil.ts";
import { localTimeAt, offsetAt } from "./offsets.ts";

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

/** The English name of the weekday of a local day number from `civil.ts`. */
export function weekdayName(localDay: number): (typeof WEEKDAYS)[number] {
  return WEEKDAYS[weekdayOf(localDay)]!;
}

/** An offset in milliseconds as `+09:00`; seconds only where history had them (`-00:44:30`). */
export function formatOffset(offset: number): string {
  const size = Math.abs(offset);
  const seconds = Math.floor(size / SECOND) % 60;
  const clock = `${pad(Math.floor(size / HOUR))}:${pad(Math.floor(size / MINUTE) % 60)}`;
  return `${offset < 0 ? "-" : "+"}${clock}${seconds === 0 ? "" : `:${pad(seconds)}`}`;
}

/**
 * An instant as the people of the zone see it, by RFC 9557: `2023-03-12T01:00+09:00[Asia/Tokyo]`. This is `localStart` in status and
 * on the command line: date, clock and offset tell overlapping hours apart, and Temporal reads it as it stands.
 */
export function formatZoned(instant: Instant, zone: string): string {
  const local = localTimeAt(zone, instant);
  return `${formatLocalDate(dayOfLocalTime(local))}T${formatClock(local)}${formatOffset(offsetAt(zone, instant))}[${zone}]`;
}

/** An instant inside a sentence: `Sunday 2023-03-12 01:00 Asia/Tokyo`. */
export function describeInstant(instant: Instant, zone: string): string {
  const local = localTimeAt(zone, instant);
  const day = dayOfLocalTime(local);
  return `${weekdayName(day)} ${formatLocalDate(day)} ${formatClock(local)} ${zone}`;
}
