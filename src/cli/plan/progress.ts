import { formatInstant } from "../../core/time/instant.ts";
import type { CliIo } from "../io.ts";

/** A plan that is there sooner needs no word. */
const SHOWN_AFTER = 1_000;
const SHOWN_EVERY = 250;

/**
 * Does a piece of work that tells how far it has come, and says so on a terminal once it takes longer than a second; the line is taken
 * away at the end. A look that begins anew, to find out what a rollout would need, is counted. Where nobody watches the work is not asked.
 */
export function withProgress<Result>(io: CliIo, until: number, work: (onStep?: (at: number) => void) => Result): Result {
  const { progress } = io;
  if (progress === undefined) return work();
  const began = io.now();
  let [shownAt, looks, last] = [0, 1, 0];
  const onStep = (at: number): void => {
    if (at < last) looks += 1;
    last = at;
    const now = io.now();
    if (now - began < SHOWN_AFTER || now - shownAt < SHOWN_EVERY) return;
    shownAt = now;
    const what = looks === 1 ? `at most until ${formatInstant(until)}` : `look ${looks}`;
    progress(`planning: the fleet at ${formatInstant(at)}, ${what}, ${Math.floor((now - began) / 1_000)} s`);
  };
  try {
    return work(onStep);
  } finally {
    if (shownAt > 0) progress("");
  }
}
