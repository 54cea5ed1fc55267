/**
 * The proleptic Gregorian calendar, without zones. A **local time** is a number here: the milliseconds that the wall clock shows,
 * counted as if it hung in UTC. Zones come in only in `offsets.ts`. `Date` is not used: it reads years below 100 as 19xx.
 */

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;
export const WEEK = 7 * DAY;

/** Milliseconds of a wall clock, as if it hung in UTC. */
export type LocalTime = number;
/** Days since 1970-01-01. */
export type LocalDay = number;

export interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

// The year is taken to begin in March, so that the leap day is the last one; 400 years have 146,097 days.
const DAYS_PER_ERA = 146_097;
/** From 0000-03-01 to 1970-01-01. */
const EPOCH_OFFSET = 719_468;

/** The day number of a calendar date; the date must exist. */
export function dayOf({ year, month, day }: CivilDate): LocalDay {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * DAYS_PER_ERA + dayOfEra - EPOCH_OFFSET;
}

/** The calendar date of a day number. */
export function dateOf(localDay: LocalDay): CivilDate {
  const shifted = localDay + EPOCH_OFFSET;
  const era = Math.floor(shifted / DAYS_PER_ERA);
  const dayOfEra = shifted - era * DAYS_PER_ERA;
  const leapDays = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = ((monthFromMarch + 2) % 12) + 1;
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** 0 for Monday to 6 for Sunday. 1970-01-01 was a Thursday. */
export function weekdayOf(localDay: LocalDay): number {
  return (((localDay + 3) % 7) + 7) % 7;
}

/** The number of the week, Monday to Sunday, counted from the one of 1970-01-01. */
export function weekOf(localDay: LocalDay): number {
  return Math.floor((localDay + 3) / 7);
}

/** The day on which a local time falls. */
export function dayOfLocalTime(local: LocalTime): LocalDay {
  return Math.floor(local / DAY);
}

/** `2026-11-22` → its day; undefined when the calendar has no such day (2026-02-30) or the text is no date. */
export function parseLocalDate(text: string): LocalDay | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  const date = { year: Number(match[1]), month: Number(match[2]), day: Number(match[3]) };
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return undefined;
  const localDay = dayOf(date);
  return dateOf(localDay).day === date.day ? localDay : undefined;
}

/** `01:00` → milliseconds after midnight; undefined when it is no time of day. */
export function parseLocalTime(text: string): number | undefined {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  return match ? Number(match[1]) * HOUR + Number(match[2]) * MINUTE : undefined;
}

export const pad = (value: number, width = 2): string => String(value).padStart(width, "0");

/** A day as `2026-11-22`. */
export function formatLocalDate(localDay: LocalDay): string {
  const { year, month, day } = dateOf(localDay);
  return `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
}

/** A local time's clock as `01:00`, with seconds only when there are any (`01:00:30`). */
export function formatClock(local: LocalTime): string {
  const sinceMidnight = local - dayOfLocalTime(local) * DAY;
  const clock = `${pad(Math.floor(sinceMidnight / HOUR))}:${pad(Math.floor(sinceMidnight / MINUTE) % 60)}`;
  const seconds = Math.floor(sinceMidnight / SECOND) % 60;
  return seconds === 0 ? clock : `${clock}:${pad(seconds)}`;
}
