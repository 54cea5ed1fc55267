import type { Clock } from "./clock.ts";

/** The answer of a health endpoint: `ok`, and a sentence for each thing that is missing. */
export interface HealthReport {
  readonly ok: boolean;
  readonly problems: readonly string[];
}

export interface HealthSettings {
  readonly clock: Clock;
  /** How often the event loop must come round (default 1 s). */
  readonly beatMilliseconds?: number;
  /** Silence of the beat that counts as dead (default 15 s). */
  readonly deadAfterMilliseconds?: number;
}

/**
 * Liveness and readiness are two questions. Liveness asks only whether the event loop comes round: an operator with a long
 * backlog, or without its API server, is alive, and killing it would make the backlog longer. Readiness asks whether it can do
 * its work: caches synced, the leader known.
 */
export class Health {
  readonly #settings: HealthSettings;
  readonly #requirements = new Map<string, () => string | undefined>();
  #lastBeat: number;
  #cancel: (() => void) | undefined;

  constructor(settings: HealthSettings) {
    this.#settings = settings;
    this.#lastBeat = settings.clock.elapsed();
  }

  start(): void {
    const beat = () => {
      this.#lastBeat = this.#settings.clock.elapsed();
      this.#cancel = this.#settings.clock.after(this.#settings.beatMilliseconds ?? 1_000, beat);
    };
    beat();
  }

  stop(): void {
    this.#cancel?.();
  }

  /** Adds a requirement of readiness: a function that answers a sentence while something is missing. Returns its removal. */
  require(name: string, missing: () => string | undefined): () => void {
    this.#requirements.set(name, missing);
    return () => void this.#requirements.delete(name);
  }

  liveness(): HealthReport {
    const silent = this.#settings.clock.elapsed() - this.#lastBeat;
    const limit = this.#settings.deadAfterMilliseconds ?? 15_000;
    if (silent <= limit) return { ok: true, problems: [] };
    return { ok: false, problems: [`the event loop has not come round for ${Math.round(silent)} ms, the limit is ${limit} ms`] };
  }

  readiness(): HealthReport {
    const problems: string[] = [];
    for (const [name, missing] of this.#requirements) {
      const sentence = missing();
      if (sentence !== undefined) problems.push(`${name}: ${sentence}`);
    }
    return { ok: problems.length === 0, problems };
  }
}
