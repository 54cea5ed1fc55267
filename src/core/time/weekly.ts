import { dayOf, type LocalDay, weekOf } from "./civil.ts";

/** The last day of which dates are written with four digits. */
const LAST_DAY = dayOf({ year: 9999, month: 12, day: 31 });

/** Days of the week that recur every n weeks (rule W8). */
export interface WeeklyRecurrence {
  /** 0 for Monday to 6 for Sunday, ascending, each once. */
  readonly weekdays: readonly number[];
  readonly everyWeeks: number;
  /** Any day of a week (Monday to Sunday) that counts. It fixes the rhythm, in both directions; it is no first day. */
  readonly anchor?: LocalDay;
}

/** The days of the recurrence from `from` on, ascending, without end but that of the calendar. */
export function* recurringDays({ weekdays, everyWeeks, anchor = 0 }: WeeklyRecurrence, from: LocalDay): Generator<LocalDay> {
  const first = weekOf(from);
  const behind = (((weekOf(anchor) - first) % everyWeeks) + everyWeeks) % everyWeeks;
  for (let week = first + behind; ; week += everyWeeks) {
    // Week 0 is the one of 1970-01-01, a Thursday; its Monday is day -3.
    const monday = week * 7 - 3;
    for (const weekday of weekdays) {
      const day = monday + weekday;
      if (day > LAST_DAY) return;
      if (day >= from) yield day;
    }
  }
}
