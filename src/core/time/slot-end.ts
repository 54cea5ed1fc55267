import type { Instant } from "../decision.ts";
import type { LocalTime } from "./civil.ts";
import { localStart } from "./local-start.ts";

/**
 * Rule W1a: the end of a slot (`start` and `end` as local times). It is the earlier of start + nominal length elapsed and the first
 * instant, not before the start, at which the local clock reads at or after the nominal end. A result equal to `start` says that
 * a gap has swallowed the slot: it does not occur.
 */
export function slotEnd(zone: string, start: Instant, nominalStart: LocalTime, nominalEnd: LocalTime): Instant {
  return Math.min(start + (nominalEnd - nominalStart), localStart(zone, nominalEnd, start));
}
