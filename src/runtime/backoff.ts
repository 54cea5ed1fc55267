/** How long to wait after failures in a row: doubling from the minimum to the maximum, the later half of it by chance. */
export interface Backoff {
  readonly minimumMilliseconds: number;
  readonly maximumMilliseconds: number;
}

/**
 * Milliseconds to wait after the `failures`-th failure in a row (1 = the first). Between half and the whole of the doubled
 * delay, so that many clients that failed together do not come back together.
 */
export function backoffDelay(backoff: Backoff, failures: number, random: () => number): number {
  // 2^40 ms is beyond every maximum; without the cap the power would overflow to Infinity × 0 jitter.
  const doubled = backoff.minimumMilliseconds * 2 ** Math.min(failures - 1, 40);
  const whole = Math.min(doubled, backoff.maximumMilliseconds);
  return whole - (whole / 2) * random();
}
