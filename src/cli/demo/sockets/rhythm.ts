import type { Clock } from "../../../runtime/clock.ts";
import type { Rhythm } from "../rhythm.ts";
import { DAYS } from "./cast.ts";

/** Elapsed milliseconds after a jump of the calendar in which the operator sees where it is, writes and sends. */
const SEEING = 120_000;

const NIGHTS = DAYS.nights.map(({ from, to }) => ({ from: Date.parse(from), to: Date.parse(to) }));
const STEPS = DAYS.steps.map((at) => Date.parse(at));

/** Sundays are played from end to end, for there is always somebody's window; the days between them are jumped over. */
export class SundayRhythm implements Rhythm {
  readonly aheadMilliseconds = 0;
  readonly #clock: Clock;
  #movedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#movedAt = clock.elapsed();
  }

  isBusy(): boolean {
    const now = this.#clock.now();
    return NIGHTS.some(({ from, to }) => now >= from && now < to) || this.#clock.elapsed() - this.#movedAt < SEEING;
  }

  events(): readonly number[] {
    const now = this.#clock.now();
    return [...NIGHTS.map(({ from }) => from), ...STEPS].filter((at) => at > now);
  }

  starts(): readonly number[] {
    return this.events();
  }

  moved(): void {
    this.#movedAt = this.#clock.elapsed();
  }

  whenSynced(): Promise<void> {
    return Promise.resolve();
  }

  stop(): void {}
}
