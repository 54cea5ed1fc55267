import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../../core/decision.ts";
import { dayOfLocalTime, formatLocalDate, parseLocalDate, weekdayOf } from "../../core/time/civil.ts";
import { localTimeAt } from "../../core/time/offsets.ts";

/** The local date of an instant at a place. */
export const dateAt = (zone: string, at: Instant): string => formatLocalDate(dayOfLocalTime(localTimeAt(zone, at)));

const WORDS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
export const numberWord = (count: number): string => WORDS[count] ?? String(count);
export const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;

const SUNDAY = 6;

/** What a train gives a rollout: its Sundays, or its weeks where it does not begin on one. */
export function trainDates({ startDate, endDate }: PopRolloutStatus): { readonly dates: readonly string[]; readonly text: string } {
  const [first, end] = [parseLocalDate(startDate ?? ""), parseLocalDate(endDate ?? "")];
  if (first === undefined || end === undefined) return { dates: [], text: "its train" };
  const dates = Array.from({ length: Math.max(0, Math.ceil((end - first) / 7)) }, (_, week) => formatLocalDate(first + 7 * week));
  const what = weekdayOf(first) === SUNDAY ? "Sunday" : "week";
  return { dates, text: `${numberWord(dates.length)} ${what}${dates.length === 1 ? "" : "s"}` };
}

/** Names for a sentence, the rest as a number. */
export function some(names: readonly string[], most = 4, between = ", "): string {
  const rest = names.length - most;
  return rest > 1 ? `${names.slice(0, most).join(between)} and ${rest} more` : names.join(between);
}

/** How many of what, the most first: `eu-west (12), us-east (3)`. */
export function counted(values: readonly string[], most = 6): string {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return some(
    sorted.map(([value, count]) => `${value} (${count})`),
    most,
  );
}
