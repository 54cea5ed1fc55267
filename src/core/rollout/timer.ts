import type { Instant } from "../decision.ts";

/**
 * A timer that keeps its own start and what it has accumulated (rule G3): it runs only while things are healthy, and neither a
 * restart nor a bad spell makes it lose or gain time (I11).
 */
export interface Timer {
  /** Start of the spell that runs now; absent while the timer stands still. */
  readonly since?: string | undefined;
  /** Milliseconds of the spells before. */
  readonly accumulated: number;
}

export const STOPPED: Timer = { accumulated: 0 };

export function elapsedOf(timer: Timer | undefined, now: Instant): number {
  if (!timer) return 0;
  return timer.accumulated + (timer.since ? Math.max(0, now - Date.parse(timer.since)) : 0);
}

export function run(timer: Timer | undefined, now: Instant): Timer {
  if (timer?.since) return timer;
  return { since: new Date(now).toISOString(), accumulated: timer?.accumulated ?? 0 };
}

export function hold(timer: Timer | undefined, now: Instant): Timer | undefined {
  if (!timer?.since) return timer;
  // Whole milliseconds, as the ledger keeps them: an accelerated clock also shows parts of one, and the server would refuse the whole status.
  return { accumulated: Math.floor(elapsedOf(timer, now)) };
}
