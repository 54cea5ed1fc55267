import type { FleetSpec } from "../../api/fleet.ts";
import type { Instant } from "../decision.ts";
import { departureFrom, lastingDay, overEverywhere } from "../rollout/train.ts";
import { formatLocalDate } from "../time/civil.ts";

const SHOWN = 5;

/** The next departures of the train (rule W8), as local dates of each PoP, and when the first of them is over everywhere. */
export function nextDepartures({ train }: FleetSpec, now: Instant): { readonly dates: readonly string[]; readonly until?: Instant } {
  const first = train && departureFrom(train, lastingDay(now));
  if (!train || first === undefined) return { dates: [] };
  const dates = Array.from({ length: SHOWN }, (_, index) => formatLocalDate(first + index * 7 * train.everyWeeks));
  return { dates, until: overEverywhere(first) };
}
