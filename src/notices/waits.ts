const FIRST_WAIT_MS = 5_000;
/** Short: the sender waits for each notice too, and after a quarter of an hour an acceptance moves a start (rule W3). */
const LONGEST_WAIT_MS = 60_000;

interface Wait {
  readonly failures: number;
  /** Elapsed milliseconds. */
  readonly until: number;
}

/** Who is left alone until when after a refusal: twice as long each time, at most a minute. In memory; the oldest is forgotten first. */
export class Waits {
  readonly #most: number;
  readonly #waits = new Map<string, Wait>();

  constructor(most: number) {
    this.#most = most;
  }

  isOver(key: string, now: number): boolean {
    return (this.#waits.get(key)?.until ?? 0) <= now;
  }

  /** Answers whether it is the first refusal in a row. `atLeast`: as the receiver asked, in milliseconds. */
  failed(key: string, now: number, atLeast = 0): boolean {
    const failures = (this.#waits.get(key)?.failures ?? 0) + 1;
    const wait = Math.min(LONGEST_WAIT_MS, Math.max(atLeast, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 10)));
    this.#waits.delete(key);
    this.#waits.set(key, { failures, until: now + wait });
    const [oldest] = this.#waits.keys();
    if (this.#waits.size > this.#most && oldest !== undefined) this.#waits.delete(oldest);
    return failures === 1;
  }

  /** Answers whether it was left alone before. */
  succeeded(key: string): boolean {
    return this.#waits.delete(key);
  }
}

/** What happened once, in memory; the oldest is forgotten first. */
export class Remembered {
  readonly #most: number;
  readonly #keys = new Set<string>();

  constructor(most: number) {
    this.#most = most;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Answers whether it was new. */
  add(key: string): boolean {
    if (this.#keys.has(key)) return false;
    this.#keys.add(key);
    const [oldest] = this.#keys;
    if (this.#keys.size > this.#most && oldest !== undefined) this.#keys.delete(oldest);
    return true;
  }
}
