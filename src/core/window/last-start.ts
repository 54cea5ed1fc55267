import type { Instant } from "../decision.ts";
import type { Occurrence } from "./occurrences.ts";
import { activeFreeze, freezeThatCuts, type FrozenSpan } from "./freeze.ts";

/** An occurrence as it can be used: after freezes, with the last instant at which a piece may start. All in [start, end). */
export interface UsableOccurrence {
  readonly start: Instant;
  /** The last instant at which the piece may start so that it ends by `end` (rule W4); before `start` when it does not fit. */
  readonly lastStart: Instant;
  readonly end: Instant;
  readonly occurrence: Occurrence;
  /** The freeze that ends it early. */
  readonly cutBy?: FrozenSpan;
}

/**
 * Applies freezes and a budget to an occurrence (rules W4, W6); undefined when it starts in a freeze and so cannot be used. `piece` is
 * the budget, in milliseconds, of the smallest piece that must not be cut.
 */
export function usableOccurrence(occurrence: Occurrence, spans: readonly FrozenSpan[], piece: number): UsableOccurrence | undefined {
  if (activeFreeze(spans, occurrence.start) !== undefined) return undefined;
  const cutBy = freezeThatCuts(spans, occurrence.start, occurrence.end);
  const end = cutBy?.from ?? occurrence.end;
  const usable = { start: occurrence.start, lastStart: end - piece, end, occurrence };
  return cutBy === undefined ? usable : { ...usable, cutBy };
}

/** Whether the piece fits into the occurrence at all; filling it to the last millisecond fits. */
export function fits(usable: UsableOccurrence): boolean {
  return usable.lastStart >= usable.start;
}
