import type { Clock } from "../../runtime/clock.ts";

/** Nothing longer is handed to `setTimeout` (rule G3): beyond 24.8 days it would fire at once, and a corrected clock is noticed. */
export const LONGEST_TIMER_MILLISECONDS = 3_600_000;

/** Calls back when `remaining()` has come down to zero, asking again at least every hour. Returns the cancellation. */
export function whenDue(remaining: () => number, wake: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const delay = Math.min(Math.max(0, Math.ceil(remaining())), LONGEST_TIMER_MILLISECONDS);
    timer = setTimeout(() => (remaining() > 0 ? arm() : wake()), delay);
  };
  arm();
  return () => clearTimeout(timer);
}

/** The machine's clock: calendar time by `Date.now`, elapsed time by `performance.now`. */
export class RealClock implements Clock {
  now(): number {
    return Date.now();
  }

  elapsed(): number {
    return performance.now();
  }

  at(at: number, wake: () => void): () => void {
    return whenDue(() => at - Date.now(), wake);
  }

  after(milliseconds: number, wake: () => void): () => void {
    const due = performance.now() + milliseconds;
    return whenDue(() => due - performance.now(), wake);
  }
}
