import { ApiError, type Cache, type KubernetesObject } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";

const FIRST_RETRY = 100;
const LONGEST_RETRY = 10_000;

/**
 * The loop of one controller of the simulated control plane: some time after a change it looks at everything once; never twice at the
 * same time. What the API server refuses is tried again with back-off; any other error is a bug in the simulator and ends the run.
 */
export class Worker {
  readonly #clock: Clock;
  readonly #reaction: number;
  readonly #sync: () => Promise<void>;
  readonly #releases: (() => void)[] = [];
  #armed: (() => void) | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  #retry = FIRST_RETRY;

  constructor(clock: Clock, reactionMilliseconds: number, sync: () => Promise<void>) {
    this.#clock = clock;
    this.#reaction = reactionMilliseconds;
    this.#sync = sync;
  }

  watch<T extends KubernetesObject>(cache: Cache<T>): Cache<T> {
    this.#releases.push(
      cache.onChange(() => this.wake()),
      () => cache.stop(),
    );
    return cache;
  }

  wake(milliseconds: number = this.#reaction): void {
    if (this.#stopped || this.#armed !== undefined) return;
    if (this.#running) this.#again = true;
    else {
      this.#armed = this.#clock.after(milliseconds, () => {
        this.#armed = undefined;
        void this.#run();
      });
    }
  }

  /** Looks again at a later time, whatever happens until then; `first` is done right before. */
  wakeLater(milliseconds: number, first?: () => void): void {
    const cancel = this.#clock.after(milliseconds, () => {
      first?.();
      this.wake(0);
    });
    this.#releases.push(cancel);
  }

  stop(): void {
    this.#stopped = true;
    this.#armed?.();
    for (const release of this.#releases) release();
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#again = false;
    let retry: number | undefined;
    try {
      await this.#sync();
      this.#retry = FIRST_RETRY;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      retry = this.#retry;
      this.#retry = Math.min(LONGEST_RETRY, retry * 2);
    }
    this.#running = false;
    if (retry !== undefined) this.wake(retry);
    else if (this.#again) this.wake();
  }
}
