import type { FleetSpec } from "../../api/fleet.ts";
import type { Instant } from "../decision.ts";
import { DAY, formatLocalDate, HOUR, parseLocalDate } from "../time/civil.ts";

const SHOWN = 5;
/** The westernmost clocks are twelve hours behind UTC: until then the date still lasts somewhere. */
const LAST_CLOCK = 12 * HOUR;

/** The next departures of the train (rule W8), as local dates of each PoP, and when the first of them is over everywhere. */
export function nextDepartures({ train }: FleetSpec, now: Instant): { readonly dates: readonly string[]; readonly until?: Instant } {
  const anchor = train && parseLocalDate(train.anchor);
  if (!train || anchor === undefined) return { dates: [] };
  const every = 7 * train.everyWeeks;
  const today = Math.floor((now - LAST_CLOCK) / DAY);
  const first = anchor + Math.ceil((today - anchor) / every) * every;
  const dates = Array.from({ length: SHOWN }, (_, index) => formatLocalDate(first + index * every));
  return { dates, until: (first + 1) * DAY + LAST_CLOCK };
}
