import type { FleetSpec } from "../../api/fleet.ts";
import type { Instant } from "../decision.ts";
import { begunSomewhere, nextDeparture } from "../rollout/train.ts";
import { formatLocalDate } from "../time/civil.ts";

const SHOWN = 5;

/**
 * The departures that a release may still take (rules F1, W8), as local dates of each PoP, and when the first of them begins somewhere:
 * a date that has begun would be read as one to come, and the next day as one that somebody forgot to take away.
 */
export function nextDepartures({ train }: FleetSpec, now: Instant): { readonly dates: readonly string[]; readonly until?: Instant } {
  const first = train && nextDeparture(train, now);
  if (!train || first === undefined) return { dates: [] };
  const dates = Array.from({ length: SHOWN }, (_, index) => formatLocalDate(first + index * 7 * train.everyWeeks));
  return { dates, until: begunSomewhere(first) };
}
