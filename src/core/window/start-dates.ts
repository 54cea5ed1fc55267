import type { Instant } from "../decision.ts";
import { DAY, dayOfLocalTime, formatLocalDate, type LocalDay, parseLocalDate } from "../time/civil.ts";
import { weekdayName } from "../time/format.ts";
import { startOfLocalDay } from "../time/local-start.ts";
import { localTimeAt } from "../time/offsets.ts";

/** On which local dates an occurrence may start, [from, to): the train of a rollout, in the dates of each PoP (rule F1). */
export interface StartDates {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Who says so, as messages name it: `r-2026-11-2`. */
  readonly of: string;
}

/** The same as days, in the zone in which they are dates. */
export interface StartDays {
  readonly zone: string;
  readonly from: LocalDay;
  readonly to: LocalDay;
}

/** Why the dates cannot be read, as sentences; empty when they can. */
export function startDateProblems({ from, to, of }: StartDates): string[] {
  return [from, to]
    .filter((date) => date !== undefined && parseLocalDate(date) === undefined)
    .map((date) => `${of} starts on ${JSON.stringify(date)}, which is no date; it should be one such as 2026-11-22`);
}

/** The dates have no problems. */
export const startDays = ({ from, to }: StartDates, zone: string): StartDays => ({
  zone,
  from: from === undefined ? -Infinity : parseLocalDate(from)!,
  to: to === undefined ? Infinity : parseLocalDate(to)!,
});

const dayAt = ({ zone }: StartDays, at: Instant): LocalDay => dayOfLocalTime(localTimeAt(zone, at));

/** The clock of the place reads a date before the first at that start (rule F1). */
export const isTooEarly = (days: StartDays | undefined, start: Instant): boolean => days !== undefined && dayAt(days, start) < days.from;

/** No occurrence that starts before this instant can be used. */
export const earliestStart = (days: StartDays | undefined): Instant =>
  days === undefined || days.from === -Infinity ? -Infinity : startOfLocalDay(days.zone, days.from);

/** Every occurrence that starts from here on starts too late. */
export const isTooLate = (days: StartDays | undefined, start: Instant): boolean => days !== undefined && dayAt(days, start) >= days.to;

/** `Sunday 2026-11-22` */
export const describeDay = (date: string): string => {
  const day = parseLocalDate(date)!;
  return `${weekdayName(day)} ${formatLocalDate(day)}`;
};

/** The last day on which something may start: the day before `to`. */
export const describeLastDay = (to: string): string => describeDay(formatLocalDate(dayOfLocalTime(parseLocalDate(to)! * DAY) - 1));
