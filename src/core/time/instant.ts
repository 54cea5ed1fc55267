import type { Instant } from "../decision.ts";
import { DAY, dayOfLocalTime, formatLocalDate, HOUR, MINUTE, pad, parseLocalDate, SECOND } from "./civil.ts";

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d)(?:\.(\d{1,9}))?)?(?:([Zz])|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Reads an instant: RFC 3339 with any offset, seconds may be left out (`2023-03-03T18:00+09:00`). Undefined when it is none: also
 * without an offset, because it would then mean something else on every machine. Below a millisecond is cut off.
 */
export function parseInstant(text: string): Instant | undefined {
  const match = INSTANT.exec(text.trim());
  if (!match) return undefined;
  const [, date, hours, minutes, seconds, fraction, , sign, offsetHours, offsetMinutes] = match;
  const day = parseLocalDate(date!);
  if (day === undefined) return undefined;
  const milliseconds = Number((fraction ?? "").padEnd(3, "0").slice(0, 3));
  const local = day * DAY + Number(hours) * HOUR + Number(minutes) * MINUTE + Number(seconds ?? 0) * SECOND + milliseconds;
  const offset = sign === undefined ? 0 : Number(offsetHours) * HOUR + Number(offsetMinutes) * MINUTE;
  return sign === "-" ? local + offset : local - offset;
}

/** An instant as it stands in status and on the command line: `2023-03-11T16:00:00Z`, whole seconds, UTC. */
export function formatInstant(instant: Instant): string {
  const day = dayOfLocalTime(instant);
  const sinceMidnight = instant - day * DAY;
  const clock = [HOUR, MINUTE, SECOND].map((unit, index) => pad(Math.floor(sinceMidnight / unit) % (index === 0 ? 24 : 60)));
  return `${formatLocalDate(day)}T${clock.join(":")}Z`;
}
