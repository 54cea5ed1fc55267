import type { Instant } from "../decision.ts";
import { DAY, type LocalDay, type LocalTime } from "./civil.ts";
import { LARGEST_OFFSET, offsetSpanAt } from "./offsets.ts";

/**
 * Rule W1: the earliest instant at which the local clock reads at or after `nominal`. One rule, no special cases: in a gap it is the
 * first instant after it (02:30 → 03:00), in an overlap the first pass, for a day that does not exist the first instant of the next.
 * It stands on the zone's offsets alone, so it knows no "today" and no zone of the machine (rule W2).
 * With `notBefore` it is the earliest such instant that is not before that one.
 */
export function localStart(zone: string, nominal: LocalTime, notBefore: Instant = -Infinity): Instant {
  // Before this instant no clock on earth can read the nominal time.
  let at = Math.max(nominal - LARGEST_OFFSET, notBefore);
  for (;;) {
    const span = offsetSpanAt(zone, at);
    const reached = Math.max(at, nominal - span.offset);
    if (reached < span.to) return reached;
    at = span.to;
  }
}

/** The first instant at which the clock has reached this local day. */
export function startOfLocalDay(zone: string, day: LocalDay): Instant {
  return localStart(zone, day * DAY);
}

/**
 * The instant from which on the clock never reads this local day, or an earlier one, again. It differs from the start of the next day
 * where clocks go back over midnight: the hour that is passed twice still belongs to the day (rule W6 freezes whole days).
 */
export function endOfLocalDay(zone: string, day: LocalDay): Instant {
  const midnight = (day + 1) * DAY;
  let at = midnight - LARGEST_OFFSET;
  let end = at;
  while (at < midnight + LARGEST_OFFSET) {
    const span = offsetSpanAt(zone, at);
    if (at + span.offset < midnight) end = Math.min(span.to, midnight - span.offset);
    at = span.to;
  }
  return end;
}
