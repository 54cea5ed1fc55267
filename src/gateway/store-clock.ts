import { type Clock, sleep } from "../runtime/clock.ts";
import type { Log } from "./log.ts";

export interface StoreClockSettings {
  /** The host's clock, whose calendar commands are given by. */
  readonly clock: Clock;
  /** The store's clock in calendar milliseconds; rejects while the store is away. */
  readonly storeTime: () => Promise<number>;
  readonly log: Log;
  /** Told of each comparison: seconds that the store is ahead of this host. */
  readonly onSkew?: (seconds: number) => void;
}

/** Notices, windows and last starts are minutes: so much moves nobody out of his window, and clocks that are set by NTP differ by less. */
const MOST_SKEW_MS = 5_000;
const EVERY_MS = 30_000;

/**
 * Whether this host's calendar can be believed (rules I3, G15). Each replica gives commands by its own clock, and a host whose clock is an
 * hour off would give them an hour off their window. So it is compared with the one clock that all replicas share, the store's: at the
 * start, every 30 s, and by elapsed time in between, so that a calendar that is set is noticed at once. While the store is away nothing is
 * given anyhow, and the last comparison counts.
 */
export class StoreClock {
  readonly #settings: StoreClockSettings;
  readonly #stopping = new AbortController();
  #work: Promise<void> | undefined;
  /** What to add to elapsed time to have the store's calendar; undefined: not compared yet. */
  #offset: number | undefined;
  #isTold = false;

  constructor(settings: StoreClockSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#work ??= this.#keepComparing();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
  }

  isTrue(): boolean {
    return this.#offset !== undefined && Math.abs(this.#skew(this.#offset)) <= MOST_SKEW_MS;
  }

  #skew(offset: number): number {
    const { clock } = this.#settings;
    return clock.elapsed() + offset - clock.now();
  }

  async #keepComparing(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#compare();
      await sleep(this.#settings.clock, EVERY_MS, this.#stopping.signal).catch(() => {});
    }
  }

  async #compare(): Promise<void> {
    const { clock, storeTime, onSkew } = this.#settings;
    const asked = clock.elapsed();
    const there = await storeTime().catch(() => undefined);
    const took = clock.elapsed() - asked;
    // One that took so long says less than the limit asks for.
    if (there === undefined || took > 2 * MOST_SKEW_MS) return;
    this.#offset = there - (asked + took / 2);
    const skew = this.#skew(this.#offset);
    onSkew?.(skew / 1_000);
    this.#tell(skew);
  }

  #tell(skew: number): void {
    const isOff = Math.abs(skew) > MOST_SKEW_MS;
    if (isOff === this.#isTold) return;
    this.#isTold = isOff;
    if (!isOff) return this.#settings.log("info", "this host's clock agrees with the inventory's again");
    const off = `${(Math.abs(skew) / 1_000).toFixed(1)} s ${skew < 0 ? "ahead of" : "behind"} the inventory's`;
    const then = `nothing is offered to devices until they are within ${MOST_SKEW_MS / 1_000} s: set both by NTP`;
    this.#settings.log("error", `this host's clock is ${off}; ${then}`);
  }
}
