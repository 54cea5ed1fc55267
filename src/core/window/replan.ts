import type { Instant } from "../decision.ts";
import { HOUR } from "../time/civil.ts";

/** A change of a window, zone, notice or freeze counts once it has rested this long (rule W7). */
export const REST = HOUR;

/** A planned start as status keeps it. */
export interface PlannedStart {
  /** Undefined: the rule in force knows no usable occurrence. */
  readonly start: Instant | undefined;
  /** From here the notice of this start counts. */
  readonly announcedAt: Instant;
  /** Digest of all that the start was computed from: window, zone, notice, freezes, version of the time zone data. */
  readonly rule: string;
}

/** A change that was seen and has not settled. */
export interface SeenChange {
  readonly rule: string;
  readonly since: Instant;
}

/** Since when the rule has been what it is now: a further change begins the hour anew, and back to the planned rule is no change. */
export function seenChange(planned: PlannedStart, before: SeenChange | undefined, rule: string, now: Instant): SeenChange | undefined {
  if (rule === planned.rule) return undefined;
  return before?.rule === rule ? before : { rule, since: now };
}

export interface ReplanInput {
  readonly planned: PlannedStart;
  /** What `seenChange` answers. */
  readonly change: SeenChange | undefined;
  readonly now: Instant;
  /** The notice that the new rule promises, in milliseconds. */
  readonly notice: number;
  /** The first usable start of the new rule at or after an instant. */
  readonly firstStart: (notBefore: Instant) => Instant | undefined;
  /** The first Socket of the site has started: it finishes under the rule it started with. */
  readonly started: boolean;
}

export interface Replan {
  /** What counts from now on; equal to the input when nothing moves. */
  readonly planned: PlannedStart;
  /** The start to act upon: while a change rests, the later of both plans; undefined = none. */
  readonly start: Instant | undefined;
  /** One notice of the change is due. */
  readonly notify: boolean;
  /** When a resting change settles. */
  readonly wakeAt?: Instant;
}

/** No start at all is later than any. */
const order = (start: Instant | undefined): number => start ?? Infinity;

/** The plan that the new rule gives (rule W7): under the first announcement if that is not earlier, else with a notice of its own. */
function newPlan({ planned, change, now, notice, firstStart }: ReplanInput): PlannedStart {
  const { rule, since } = change!;
  const kept = firstStart(Math.max(planned.announcedAt + notice, now));
  if (order(kept) >= order(planned.start)) return { start: kept, announcedAt: planned.announcedAt, rule };
  return { start: firstStart(Math.max(since + notice, now)), announcedAt: since, rule };
}

/**
 * Moves a planned start after whatever moves it (rule W7). Later: at once, the first announcement still counts. Earlier: only an
 * occurrence with a full notice counted from the change; the old instant is not kept. Same instant: nothing is told. Until the
 * change has rested for an hour the later of both plans holds and no notice goes out, so there and back is no change.
 */
export function replan(input: ReplanInput): Replan {
  const { planned, change, now, started } = input;
  if (change === undefined || started) return { planned, start: planned.start, notify: false };
  const next = newPlan(input);
  const settlesAt = change.since + REST;
  if (now < settlesAt) {
    const start = order(next.start) > order(planned.start) ? next.start : planned.start;
    return { planned, start, notify: false, wakeAt: settlesAt };
  }
  return { planned: next, start: next.start, notify: next.start !== planned.start };
}
