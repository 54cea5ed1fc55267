import type { FleetSpec } from "../../api/fleet.ts";
import type { Instant } from "../decision.ts";
import { DAY, formatLocalDate, HOUR, type LocalDay, parseLocalDate, weekdayOf } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";

type Train = NonNullable<FleetSpec["train"]>;

/** The westernmost clocks are twelve hours behind UTC: until then a date still lasts somewhere. */
const LAST_CLOCK = 12 * HOUR;
/** The easternmost clocks are fourteen hours ahead: there a date begins first. */
const FIRST_CLOCK = 14 * HOUR;
/** How long a rollout may start PoPs when no train says it: two Sundays. */
const WITHOUT_TRAIN = 14;
const SUNDAY = 6;

/** The earliest date that still lasts somewhere at this instant. */
export const lastingDay = (now: Instant): LocalDay => Math.floor((now - LAST_CLOCK) / DAY);
/** The first instant at which no clock shows this date, or an earlier one, any more. */
export const overEverywhere = (day: LocalDay): Instant => (day + 1) * DAY + LAST_CLOCK;
/** The first date that has not begun on any clock at this instant. */
const unbegunDay = (now: Instant): LocalDay => Math.ceil((now + FIRST_CLOCK) / DAY);

/** The first departure on this local day or later (rule W8); undefined where the anchor is no date. */
export function departureFrom({ anchor, everyWeeks }: Train, day: LocalDay): LocalDay | undefined {
  const anchored = parseLocalDate(anchor);
  if (anchored === undefined) return undefined;
  const every = 7 * everyWeeks;
  return anchored + Math.ceil((day - anchored) / every) * every;
}

/** The next departure that has not begun anywhere yet (rules F1, W8): a train that left somewhere is not boarded any more. */
export const nextDeparture = (train: Train, now: Instant): LocalDay | undefined => departureFrom(train, unbegunDay(now));
/** The first instant (milliseconds) at which this date has begun somewhere, so that `nextDeparture` names a later one. */
export const begunSomewhere = (day: LocalDay): Instant => day * DAY - FIRST_CLOCK + 1;

/** Does a train depart on this local date; without a train every Sunday will do (rule F1). */
export const isDeparture = (train: Train | undefined, day: LocalDay): boolean =>
  train === undefined ? weekdayOf(day) === SUNDAY : departureFrom(train, day) === day;

/** The local date on which a rollout that departs on this day may start nobody any more: [departure, end) (rule F1). */
export function endOfTrain(train: Train | undefined, departure: LocalDay): LocalDay {
  const length = train && parseDuration(train.length);
  return departure + (length === undefined ? WITHOUT_TRAIN : Math.ceil(length / DAY));
}

/** Two departures around a date, for a sentence: `2026-11-22 or 2026-12-06`. */
export function departuresAround(train: Train | undefined, day: LocalDay): string {
  if (train === undefined) {
    const sunday = day + ((SUNDAY - weekdayOf(day)) % 7);
    return `${formatLocalDate(sunday - 7)} or ${formatLocalDate(sunday)}`;
  }
  const next = departureFrom(train, day);
  return next === undefined ? "a departure" : `${formatLocalDate(next - 7 * train.everyWeeks)} or ${formatLocalDate(next)}`;
}
