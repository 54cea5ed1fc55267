interface Bucket {
  tokens: number;
  /** Elapsed time at which `tokens` was right. */
  at: number;
}

export interface Rate {
  readonly perSecond: number;
  /** So many at once, after a rest. */
  readonly burst: number;
}

/** Whoever is not heard for a while has a full bucket again, and needs none. Above this number those are forgotten. */
const SWEEP_ABOVE = 10_000;

/** How often one key may come: a bucket of tokens each. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #elapsed: () => number;
  readonly #buckets = new Map<string, Bucket>();
  #sweepAt = SWEEP_ABOVE;

  /** `elapsed` in milliseconds. */
  constructor(rate: Rate, elapsed: () => number) {
    this.#rate = rate;
    this.#elapsed = elapsed;
  }

  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one; answers 0, or the milliseconds until there is one. */
  take(key: string): number {
    const { perSecond, burst } = this.#rate;
    const now = this.#elapsed();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      this.#sweep(now);
      bucket = { tokens: burst, at: now };
      this.#buckets.set(key, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1_000) * perSecond);
    bucket.at = now;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / perSecond) * 1_000);
    bucket.tokens -= 1;
    return 0;
  }

  #sweep(now: number): void {
    if (this.#buckets.size < this.#sweepAt) return;
    const { perSecond, burst } = this.#rate;
    for (const [key, { tokens, at }] of this.#buckets) {
      if (tokens + ((now - at) / 1_000) * perSecond >= burst) this.#buckets.delete(key);
    }
    // As many again before the next sweep: a sweep a request would be the attack.
    this.#sweepAt = Math.max(SWEEP_ABOVE, 2 * this.#buckets.size);
  }
}
