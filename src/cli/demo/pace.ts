import { setTimeout as sleep } from "node:timers/promises";
import type { DemoClock } from "./ports.ts";
import type { Rhythm } from "./rhythm.ts";

const LOOK_MILLISECONDS = 50;
/** What the machine may be late with a change of pace, which at this pace are days: the rest of the way is jumped. */
const SLACK_MILLISECONDS = 1_500;
/** Ways shorter than this are jumped over: a change of pace itself takes half a second. */
const SHORT_MILLISECONDS = 60_000;

/** Takes the calendar from one event to the next. */
export class Pace {
  readonly #clock: DemoClock;
  readonly #rhythm: Rhythm;
  readonly #stretchMilliseconds: number;

  constructor(clock: DemoClock, rhythm: Rhythm, stretchMilliseconds: number) {
    this.#clock = clock;
    this.#rhythm = rhythm;
    this.#stretchMilliseconds = stretchMilliseconds;
  }

  /** `isOver` is asked at each look: true, or an exception, ends it. */
  async passTo(target: number, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const now = this.#clock.now();
      if (now >= target) break;
      if (this.#rhythm.isBusy()) {
        await this.#setRate(1);
        await sleep(LOOK_MILLISECONDS);
        continue;
      }
      const starts = this.#rhythm.starts().map((start) => Math.max(now, start - this.#rhythm.aheadMilliseconds));
      const stop = Math.min(target, ...starts.filter((start) => start > now));
      const nearStart = starts.some((start) => start <= now);
      if (nearStart) await sleep(LOOK_MILLISECONDS);
      else await this.#goTo(stop, isOver);
    }
    await this.#setRate(1);
  }

  /** Fast for most of the way, so that hours are seen to pass, then right to the instant. */
  async #goTo(stop: number, isOver: () => boolean): Promise<void> {
    const way = stop - this.#clock.now();
    if (way > SHORT_MILLISECONDS) {
      await this.#setRate(Math.max(1, Math.round(way / (this.#stretchMilliseconds + SLACK_MILLISECONDS))));
      const end = performance.now() + this.#stretchMilliseconds;
      while (performance.now() < end && !this.#rhythm.isBusy() && !isOver()) await sleep(LOOK_MILLISECONDS);
      await this.#setRate(1);
    }
    if (!isOver() && !this.#rhythm.isBusy() && this.#clock.now() < stop) {
      await this.#clock.jumpTo(stop).catch(ignorePassed);
      this.#rhythm.moved();
    }
  }

  async #setRate(rate: number): Promise<void> {
    if (this.#clock.rate !== rate) await this.#clock.setRate(rate);
  }
}

/** The instant passed while the jump was being announced: so much the better. */
function ignorePassed(): void {}
