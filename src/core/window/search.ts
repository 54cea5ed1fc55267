import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { Instant } from "../decision.ts";
import { DAY, WEEK } from "../time/civil.ts";
import { activeFreeze, type FrozenSpan } from "./freeze.ts";
import { fits, usableOccurrence, type UsableOccurrence } from "./last-start.ts";
import { occurrences } from "./occurrences.ts";
import { everyWeeksOf } from "./parse.ts";
import { earliestStart, isTooEarly, isTooLate, type StartDays } from "./start-dates.ts";

/** A window, where it is read, what it must hold. The spec and the freezes have no problems. */
export interface WindowSearch {
  readonly spec: MaintenanceWindowSpec;
  readonly zone: string;
  readonly spans: readonly FrozenSpan[];
  /** The budget of the smallest piece that must not be cut, in milliseconds (rule W4). */
  readonly piece: number;
  /** Only occurrences that start on these dates (rule F1); left out: on any. */
  readonly days?: StartDays | undefined;
}

/** More than a year, so that every change of the clocks is seen; and a good number of turns of a rare window. */
function horizon(spec: MaintenanceWindowSpec): number {
  return Math.max(400 * DAY, 5 * everyWeeksOf(spec) * WEEK);
}

/**
 * The occurrences from the one that runs at `from` on that start in no freeze, each as it can be used, also those that the piece does
 * not fit. Ends after a horizon of more than a year of time that is not frozen; a freeze is stepped over, not walked through.
 */
export function* usableOccurrences({ spec, zone, spans, piece, days }: WindowSearch, from: Instant): Generator<UsableOccurrence> {
  let begin = Math.max(from, earliestStart(days));
  let until = begin + horizon(spec);
  for (let jumped = true; jumped;) {
    jumped = false;
    for (const occurrence of occurrences(spec, zone, begin)) {
      if (occurrence.start > until || isTooLate(days, occurrence.start)) return;
      if (isTooEarly(days, occurrence.start)) continue;
      const freeze = activeFreeze(spans, occurrence.start);
      if (freeze !== undefined && freeze.to > occurrence.start + 4 * WEEK) {
        [begin, until, jumped] = [freeze.to, Math.max(until, freeze.to + horizon(spec)), true];
        break;
      }
      const usable = usableOccurrence(occurrence, spans, piece);
      if (usable !== undefined) yield usable;
    }
  }
}

/**
 * The next occurrence that starts at or after `notBefore` and that the piece fits (rules W3, W4, W6): one that has begun is never
 * chosen. Undefined when there is none within the horizon.
 */
export function nextUsableStart(search: WindowSearch, notBefore: Instant): UsableOccurrence | undefined {
  for (const usable of usableOccurrences(search, notBefore)) if (usable.start >= notBefore && fits(usable)) return usable;
  return undefined;
}
