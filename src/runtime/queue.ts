import { backoffDelay } from "./backoff.ts";
import type { Clock } from "./clock.ts";
import { Schedule } from "./schedule.ts";

/** What can be measured of a queue; every hook is optional and must not throw. */
export interface QueueObserver {
  /** Keys that are due and wait for a worker. */
  depth?(keys: number): void;
  /** Milliseconds of elapsed time between due and taken. */
  waited?(key: string, milliseconds: number): void;
  /** A run ended; `error` is what it threw. */
  ran?(key: string, milliseconds: number, error?: unknown): void;
  /** A failed key will run again after `milliseconds`; `failures` in a row so far. */
  retrying?(key: string, milliseconds: number, failures: number, error: unknown): void;
}

export interface QueueSettings {
  readonly clock: Clock;
  /** Chance in [0, 1), injected so that a run can be replayed. */
  readonly random: () => number;
  /** Keys that run at the same time (default 4). */
  readonly workers?: number;
  /** First back-off of a failing key (default 5 ms). */
  readonly minimumBackoffMilliseconds?: number;
  /** Longest back-off of a failing key (default 60 s). */
  readonly maximumBackoffMilliseconds?: number;
  readonly observer?: QueueObserver;
}

/** Works on one key; what it throws is answered by a retry with back-off. The signal fires when nobody waits for it any more. */
export type Work = (key: string, signal: AbortSignal) => Promise<void>;

/**
 * So long the keys of a queue have the event loop in one turn, in milliseconds. Runs that wait for no answer from outside follow each other
 * without a turn: of 100,000 of them the lease was not renewed, the term lost, and every key looked at once more in the next one.
 */
const SLICE = 10;

/**
 * The work of an operator: one slot a key, the earliest time wins, and a key never runs twice at once. A key that is asked for
 * while it runs is held, and runs again afterwards: the run under way may have looked before the change.
 */
export class WorkQueue {
  readonly #settings: QueueSettings;
  readonly #calendar: Schedule;
  readonly #elapsed: Schedule;
  /** Due keys in order, with the elapsed instant at which each became due. */
  readonly #ready = new Map<string, number>();
  readonly #running = new Set<string>();
  readonly #askedAgain = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #abort = new AbortController();
  #work: Work | undefined;
  #pumping = false;
  /** The elapsed instant at which this turn of the event loop was first used; undefined: not yet. */
  #turnBegan: number | undefined;
  /** What waits for the next turn. */
  #nextTurn: (() => void) | undefined;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(settings: QueueSettings) {
    const { clock } = settings;
    this.#settings = settings;
    const due = (key: string) => this.#makeReady(key);
    this.#calendar = new Schedule({ now: () => clock.now(), wake: (at, wake) => clock.at(at, wake) }, due);
    this.#elapsed = new Schedule({ now: () => clock.elapsed(), wake: (at, wake) => clock.after(at - clock.elapsed(), wake) }, due);
  }

  /** Keys that are due and wait for a worker. */
  get depth(): number {
    return this.#ready.size;
  }

  /** Keys that a worker has in hand. */
  get running(): number {
    return this.#running.size;
  }

  /** Keys that sleep until an instant. */
  get sleeping(): number {
    return this.#calendar.size + this.#elapsed.size;
  }

  /** Asks for `key` now, or at the calendar instant `at` (milliseconds since the epoch). An earlier instant already asked for stays. */
  add(key: string, at?: number): void {
    if (this.#stopped) return;
    if (at === undefined || at <= this.#settings.clock.now()) this.#makeReady(key);
    else if (!this.#ready.has(key)) this.#calendar.set(key, at);
  }

  /** Asks for `key` after `milliseconds` of elapsed time. */
  addAfter(key: string, milliseconds: number): void {
    if (this.#stopped) return;
    if (milliseconds <= 0) this.#makeReady(key);
    else if (!this.#ready.has(key)) this.#elapsed.set(key, this.#settings.clock.elapsed() + milliseconds);
  }

  /** Asks for `key` after its back-off, which doubles with every call until `forget`. Answers the delay in milliseconds. */
  retry(key: string): number {
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const { minimumBackoffMilliseconds = 5, maximumBackoffMilliseconds = 60_000, random } = this.#settings;
    const backoff = { minimumMilliseconds: minimumBackoffMilliseconds, maximumMilliseconds: maximumBackoffMilliseconds };
    const delay = backoffDelay(backoff, failures, random);
    this.addAfter(key, delay);
    return delay;
  }

  /** Starts the back-off of `key` from the beginning. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Takes `key` out: its object is gone. A run under way ends, and is not repeated. */
  remove(key: string): void {
    this.#failures.delete(key);
    this.#calendar.delete(key);
    this.#elapsed.delete(key);
    this.#askedAgain.delete(key);
    if (this.#ready.delete(key)) this.#reportDepth();
  }

  /** The next due key, now in the caller's hand until `done`; undefined when there is none. Workers do this by themselves. */
  take(): string | undefined {
    for (const [key, since] of this.#ready) {
      this.#ready.delete(key);
      // The run decides anew when to wake; an older wish would only make it run for nothing.
      this.#calendar.delete(key);
      this.#elapsed.delete(key);
      this.#running.add(key);
      this.#reportDepth();
      this.#settings.observer?.waited?.(key, this.#settings.clock.elapsed() - since);
      return key;
    }
    return undefined;
  }

  /** Gives `key` back; if it was asked for meanwhile it is due again. */
  done(key: string): void {
    if (!this.#running.delete(key)) return;
    if (this.#askedAgain.delete(key)) this.#makeReady(key);
    if (this.#running.size === 0) this.#idle?.();
    this.#schedulePump();
  }

  /** Lets the workers begin. Keys asked for before have waited. */
  start(work: Work): void {
    if (this.#work) throw new Error("the work queue was started twice; make a new queue for a new term of work");
    this.#work = work;
    this.#schedulePump();
  }

  /**
   * Takes no further key and waits for the running ones, at most `graceMilliseconds` of elapsed time; then their signal fires.
   * Answers whether all of them ended in time.
   */
  async stop(graceMilliseconds: number): Promise<boolean> {
    this.#stopped = true;
    this.#calendar.clear();
    this.#elapsed.clear();
    this.#ready.clear();
    this.#askedAgain.clear();
    this.#reportDepth();
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#settings.clock.after(graceMilliseconds, resolve);
        this.#idle = () => {
          cancel();
          resolve();
        };
      });
    }
    const finished = this.#running.size === 0;
    this.#abort.abort(new Error(`the work queue stopped and waited ${graceMilliseconds} ms for running work`));
    return finished;
  }

  #makeReady(key: string): void {
    if (this.#stopped) return;
    if (this.#running.has(key)) {
      this.#askedAgain.add(key);
    } else if (!this.#ready.has(key)) {
      this.#ready.set(key, this.#settings.clock.elapsed());
      this.#reportDepth();
      this.#schedulePump();
    }
  }

  #reportDepth(): void {
    this.#settings.observer?.depth?.(this.#ready.size);
  }

  /** Later, not inside `add`: a burst of changes to one key becomes one run, and a caller never finds work running in its own call. */
  #schedulePump(): void {
    if (this.#pumping || !this.#work || this.#stopped) return;
    this.#pumping = true;
    const pump = (): void => {
      this.#pumping = false;
      const workers = this.#settings.workers ?? 4;
      while (this.#running.size < workers && !this.#stopped) {
        const key = this.take();
        if (key === undefined) return;
        void this.#run(key, this.#work!);
      }
    };
    if (this.#isTurnUsed()) this.#nextTurn = pump;
    else queueMicrotask(pump);
  }

  /** Whether this turn of the event loop has to end, because timers and answers wait for it. A virtual clock stands still in a turn. */
  #isTurnUsed(): boolean {
    const now = this.#settings.clock.elapsed();
    if (this.#turnBegan === undefined) {
      this.#turnBegan = now;
      setImmediate(() => {
        this.#turnBegan = undefined;
        const next = this.#nextTurn;
        this.#nextTurn = undefined;
        next?.();
      });
    }
    return now - this.#turnBegan >= SLICE;
  }

  async #run(key: string, work: Work): Promise<void> {
    const { clock, observer } = this.#settings;
    const started = clock.elapsed();
    try {
      await work(key, this.#abort.signal);
      this.forget(key);
      observer?.ran?.(key, clock.elapsed() - started);
    } catch (error) {
      observer?.ran?.(key, clock.elapsed() - started, error);
      const delay = this.retry(key);
      observer?.retrying?.(key, delay, this.#failures.get(key)!, error);
    } finally {
      this.done(key);
    }
  }
}
