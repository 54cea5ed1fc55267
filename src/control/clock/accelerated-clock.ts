import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Clock } from "../../runtime/clock.ts";
import { LONGEST_TIMER_MILLISECONDS, RealClock } from "./real-clock.ts";

/** A straight piece of calendar time: at the machine's `real` it is `calendar`, and it runs `rate` times as fast from there. */
export interface Pace {
  /** Calendar milliseconds since the epoch. */
  readonly calendar: number;
  /** Milliseconds since the epoch by `Date.now()`. */
  readonly real: number;
  /** Calendar milliseconds per real millisecond; 0 = the calendar stands. */
  readonly rate: number;
}

/** The content of the shared file. Until `real`, `before` still holds: so every process changes pace at the same instant. */
interface PaceFile extends Pace {
  readonly before?: Pace;
}

/** How long a change is announced in the file before it takes effect; others look every `POLL_MILLISECONDS`. */
const NOTICE_MILLISECONDS = 150;
const POLL_MILLISECONDS = 50;

interface Armed {
  readonly at: number;
  readonly wake: () => void;
  timer: NodeJS.Timeout | undefined;
}

const valueOf = (pace: Pace, real: number): number => pace.calendar + (real - pace.real) * pace.rate;

function parse(text: string): PaceFile {
  const pace = JSON.parse(text) as PaceFile;
  for (const part of pace.before ? [pace, pace.before] : [pace]) {
    const numbers = [part.calendar, part.real, part.rate];
    if (!numbers.every(Number.isFinite) || part.rate < 0)
      throw new Error(`expected {"calendar", "real", "rate"} as numbers, rate ≥ 0, found ${text}`);
  }
  return pace;
}

/**
 * Calendar time at another pace, shared by several processes through a small file (`{calendar, real, rate}`), so that an
 * operator, its demo and its virtual nodes agree on the hour. Elapsed time stays the machine's. One process at a time changes
 * the pace. The calendar never runs backwards: a reader that was ahead stands until the others have caught up.
 */
export class AcceleratedClock implements Clock {
  readonly #file: string;
  readonly #real = new RealClock();
  readonly #armed = new Set<Armed>();
  readonly #poll: NodeJS.Timeout;
  readonly #onError: (error: unknown) => void;
  #text = "";
  #complained = "";
  #pace: PaceFile;
  #latest = Number.NEGATIVE_INFINITY;
  #changing: Promise<void> = Promise.resolve();

  private constructor(file: string, onError: (error: unknown) => void) {
    this.#file = file;
    this.#onError = onError;
    this.#text = readFileSync(file, "utf8");
    this.#pace = parse(this.#text);
    this.#poll = setInterval(() => this.#look(), POLL_MILLISECONDS);
    this.#poll.unref();
  }

  /** Writes the file and follows it. `start`: the calendar now, in milliseconds since the epoch. */
  static create(file: string, options: { readonly start: number; readonly rate: number }): AcceleratedClock {
    replace(file, { calendar: options.start, real: Date.now(), rate: options.rate });
    return AcceleratedClock.open(file);
  }

  /** Follows a file that another process wrote. Throws when it is missing or is not a pace; later faults only call `onError`. */
  static open(file: string, onError: (error: unknown) => void = () => {}): AcceleratedClock {
    return new AcceleratedClock(file, onError);
  }

  now(): number {
    const real = Date.now();
    const pace = this.#pace.before && real < this.#pace.real ? this.#pace.before : this.#pace;
    this.#latest = Math.max(this.#latest, Math.floor(valueOf(pace, real)));
    return this.#latest;
  }

  elapsed(): number {
    return this.#real.elapsed();
  }

  at(at: number, wake: () => void): () => void {
    const armed: Armed = { at, wake, timer: undefined };
    this.#armed.add(armed);
    this.#arm(armed);
    return () => {
      clearTimeout(armed.timer);
      this.#armed.delete(armed);
    };
  }

  after(milliseconds: number, wake: () => void): () => void {
    return this.#real.after(milliseconds, wake);
  }

  /** The pace that holds now, in calendar milliseconds per real one. */
  get rate(): number {
    return this.#pace.before && Date.now() < this.#pace.real ? this.#pace.before.rate : this.#pace.rate;
  }

  /** Runs `rate` times as fast from about 150 ms from now on; resolves when it does, in this process and all others. */
  setRate(rate: number): Promise<void> {
    return this.#change((calendar) => ({ calendar, rate }));
  }

  /** Goes on at `calendar` from about 150 ms from now on; resolves when it does. An instant that has passed is refused. */
  jumpTo(calendar: number): Promise<void> {
    return this.#change((current, rate) => {
      if (calendar < current) {
        const [wanted, found] = [calendar, current].map((at) => new Date(at).toISOString());
        throw new Error(
          `clock ${this.#file}: asked to jump to ${wanted}, it is ${found} already; a calendar never runs backwards, nothing was changed`,
        );
      }
      return { calendar, rate };
    });
  }

  /** Ends following the file and all timers of the calendar. The file stays. */
  close(): void {
    clearInterval(this.#poll);
    for (const armed of this.#armed) clearTimeout(armed.timer);
    this.#armed.clear();
  }

  #change(next: (calendar: number, rate: number) => { calendar: number; rate: number }): Promise<void> {
    const change = this.#changing.then(async () => {
      this.#look();
      // One announced change at a time: a second would need the first as its past.
      await this.#effective();
      const { calendar, real, rate } = this.#pace;
      const before: Pace = { calendar, real, rate };
      const at = Date.now() + NOTICE_MILLISECONDS;
      replace(this.#file, { ...next(valueOf(before, at), rate), real: at, before });
      this.#look();
      await this.#effective();
    });
    this.#changing = change.catch(() => {});
    return change;
  }

  /** A timer may fire a millisecond before the calendar clock of the machine says so: asked once, a caller would still find the old pace. */
  async #effective(): Promise<void> {
    for (let left = this.#left(); left > 0; left = this.#left()) await new Promise((resolve) => void setTimeout(resolve, left));
  }

  /** Real milliseconds until the announced change holds. */
  #left(): number {
    return this.#pace.real - Date.now();
  }

  /** Reading 150 bytes tells more surely of a change than a watch or a time stamp does: neither survives every file system. */
  #look(): void {
    try {
      const text = readFileSync(this.#file, "utf8");
      if (text === this.#text) return;
      this.#pace = parse(text);
      this.#text = text;
      for (const armed of this.#armed) this.#arm(armed);
    } catch (error) {
      // The last pace holds; each distinct fault is told once, not twenty times a second.
      if (String(error) !== this.#complained) this.#onError(error);
      this.#complained = String(error);
    }
  }

  #arm(armed: Armed): void {
    clearTimeout(armed.timer);
    const delay = Math.min(this.#realDelay(armed.at), LONGEST_TIMER_MILLISECONDS);
    armed.timer = setTimeout(() => {
      if (this.now() < armed.at) return this.#arm(armed);
      this.#armed.delete(armed);
      armed.wake();
    }, delay);
  }

  /** Real milliseconds until the calendar shows `at`; an hour at most when it stands or the pace is about to change. */
  #realDelay(at: number): number {
    const real = Date.now();
    const changeIn = this.#pace.before && real < this.#pace.real ? this.#pace.real - real : undefined;
    const rate = this.rate;
    const missing = at - this.now();
    if (missing <= 0) return 0;
    const delay = rate > 0 ? Math.max(1, Math.ceil(missing / rate)) : LONGEST_TIMER_MILLISECONDS;
    return changeIn === undefined ? delay : Math.min(delay, Math.ceil(changeIn));
  }
}

/** Whole or not at all: a reader never sees half a file. */
function replace(file: string, pace: PaceFile): void {
  const text = JSON.stringify(pace);
  parse(text);
  const fresh = `${file}.${process.pid}.new`;
  try {
    writeFileSync(fresh, text);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}
