import type { Clock } from "../runtime/clock.ts";

interface Timer {
  /** Elapsed virtual milliseconds since the clock's start. */
  due: number;
  /** Asked for by the calendar: comes earlier when the calendar skips. */
  readonly calendar: boolean;
  /** Decides among timers of the same instant: by order of asking, or shuffled when the clock has a seed. */
  readonly rank: number;
  readonly sequence: number;
  readonly wake: () => void;
  cancelled: boolean;
}

export interface VirtualClockOptions {
  /** Shuffles timers of the same instant, alike for the same seed. Without it they fire in the order in which they were asked for. */
  readonly seed?: number;
}

export interface RunOptions {
  /** Virtual milliseconds after which the run gives up; default 28 days. */
  readonly limitMilliseconds?: number;
  /** Timers fired after which the run gives up: somebody re-arms a timer for ever. */
  readonly maxSteps?: number;
  /** What the run waits for, for the message when it does not come. */
  readonly waitingFor?: string;
}

const DEFAULT_LIMIT = 28 * 24 * 3_600_000;
const DEFAULT_STEPS = 5_000_000;
/** One turn of the event loop drains every promise chain; the second one catches code that itself waited a turn. */
const QUIET_TURNS = 2;
/** More turns than this without rest: code that spins on setImmediate. The run goes on, it does not hang. */
const MOST_TURNS = 200;

/**
 * A clock whose time stands still until somebody moves it: weeks pass in milliseconds, and the same seed gives the same run.
 * Calendar and elapsed time move together. Between two timers all pending promises get to settle, so the order of effects
 * depends on the timers alone, never on the machine.
 */
export class VirtualClock implements Clock {
  readonly #start: number;
  readonly #random: (() => number) | undefined;
  readonly #timers: Timer[] = [];
  #passed = 0;
  /** What the calendar has gone ahead of elapsed time. */
  #skipped = 0;
  #sequence = 0;
  #cancelled = 0;

  constructor(startMilliseconds: number, options: VirtualClockOptions = {}) {
    this.#start = startMilliseconds;
    this.#random = options.seed === undefined ? undefined : seededRandom(options.seed);
  }

  now(): number {
    return this.#start + this.#passed + this.#skipped;
  }

  elapsed(): number {
    return this.#passed;
  }

  at(at: number, wake: () => void): () => void {
    return this.#arm(at - this.#start - this.#skipped, wake, true);
  }

  after(milliseconds: number, wake: () => void): () => void {
    return this.#arm(this.#passed + milliseconds, wake, false);
  }

  /** Timers that are armed and not cancelled. */
  get pending(): number {
    return this.#timers.length - this.#cancelled;
  }

  /** The calendar instant of the next timer, or undefined when nothing is left to happen. */
  get next(): number | undefined {
    this.#dropCancelled();
    const timer = this.#timers[0];
    return timer === undefined ? undefined : this.#start + timer.due + this.#skipped;
  }

  /** Lets everything happen that is due within the next `milliseconds`, then stands at their end. */
  async advance(milliseconds: number, options: { readonly maxSteps?: number } = {}): Promise<void> {
    const end = this.#passed + milliseconds;
    const maxSteps = options.maxSteps ?? DEFAULT_STEPS;
    await this.settle();
    for (let step = 0; await this.#fireNext(end); step++) {
      if (step >= maxSteps) throw this.#stuck(`advancing by ${milliseconds} ms`, step);
    }
    this.#passed = Math.max(this.#passed, end);
  }

  /**
   * Jumps from timer to timer until the predicate holds; it is asked after each timer, when all promises have settled.
   * Rejects when the limit has passed, when nothing is left to happen, or after maxSteps timers.
   */
  async runUntil(predicate: () => boolean, options: RunOptions = {}): Promise<void> {
    const limit = options.limitMilliseconds ?? DEFAULT_LIMIT;
    const maxSteps = options.maxSteps ?? DEFAULT_STEPS;
    const waitingFor = options.waitingFor ?? "the awaited condition";
    const end = this.#passed + limit;
    await this.settle();
    for (let step = 0; !predicate(); step++) {
      if (step >= maxSteps) throw this.#stuck(`waiting for ${waitingFor}`, step);
      if (await this.#fireNext(end)) continue;
      if (this.pending === 0) throw new Error(`Waiting for ${waitingFor}: no timer is left at ${this.#timestamp()}, so it can never come.`);
      this.#passed = end;
      throw new Error(
        `Waiting for ${waitingFor}: it did not come within ${limit} ms of virtual time; the clock stands at ${this.#timestamp()}.`,
      );
    }
  }

  /**
   * The calendar goes on to the instant while no time elapses, as the accelerated clock's does in a jump: what is due by the calendar
   * until then comes at once, polls and deadlines stay where they were. Weeks in which nothing happens but polling cost nothing.
   */
  async skipTo(calendar: number): Promise<void> {
    const skipped = calendar - this.now();
    if (skipped < 0)
      throw new Error(
        `The calendar stands at ${this.#timestamp()} and never runs backwards; asked for ${new Date(calendar).toISOString()}.`,
      );
    this.#skipped += skipped;
    for (const timer of this.#timers) if (timer.calendar) timer.due = Math.max(this.#passed, timer.due - skipped);
    this.#timers.sort((a, b) => (before(a, b) ? -1 : 1)); // a sorted array is a heap
    await this.settle();
  }

  /** Lets pending promises settle without moving time: turns of the event loop until two in a row armed or cancelled no timer. */
  async settle(): Promise<void> {
    for (let turn = 0, quiet = 0; quiet < QUIET_TURNS && turn < MOST_TURNS; turn++) {
      const changes = this.#sequence + this.#cancelled;
      await new Promise<void>((resolve) => setImmediate(resolve));
      quiet = this.#sequence + this.#cancelled === changes ? quiet + 1 : 0;
    }
  }

  #arm(due: number, wake: () => void, calendar: boolean): () => void {
    // NaN would sit in the heap and break its order for all others.
    if (Number.isNaN(due)) throw new Error("A timer was asked for at an instant that is not a number.");
    const sequence = this.#sequence++;
    const timer: Timer = { due: Math.max(due, this.#passed), calendar, rank: this.#random?.() ?? 0, sequence, wake, cancelled: false };
    push(this.#timers, timer);
    return () => {
      if (timer.cancelled) return;
      timer.cancelled = true;
      this.#cancelled++;
      this.#compact();
    };
  }

  /** Fires the next timer that is due no later than `end`; false when there is none. */
  async #fireNext(end: number): Promise<boolean> {
    this.#dropCancelled();
    const next = this.#timers[0];
    if (next === undefined || next.due > end) return false;
    pop(this.#timers);
    next.cancelled = true; // a cancellation that comes after the wake is no news
    this.#passed = next.due;
    next.wake();
    await this.settle();
    return true;
  }

  #dropCancelled(): void {
    while (this.#timers[0]?.cancelled) {
      pop(this.#timers);
      this.#cancelled--;
    }
  }

  /** Cancelled timers far in the future would pile up over simulated weeks: thrown out when they are the majority. */
  #compact(): void {
    if (this.#cancelled < 1024 || this.#cancelled * 2 < this.#timers.length) return;
    const live = this.#timers.filter((timer) => !timer.cancelled).sort((a, b) => (before(a, b) ? -1 : 1));
    this.#timers.splice(0, this.#timers.length, ...live); // a sorted array is a heap
    this.#cancelled = 0;
  }

  #stuck(doing: string, steps: number): Error {
    return new Error(
      `The virtual clock fired ${steps} timers while ${doing} and stands at ${this.#timestamp()}: a timer seems to re-arm itself.`,
    );
  }

  #timestamp(): string {
    return new Date(this.now()).toISOString();
  }
}

/** A small seeded generator (splitmix32): the same seed gives the same sequence of numbers in [0, 1) on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

function before(a: Timer, b: Timer): boolean {
  if (a.due !== b.due) return a.due < b.due;
  if (a.rank !== b.rank) return a.rank < b.rank;
  return a.sequence < b.sequence;
}

function push(heap: Timer[], timer: Timer): void {
  let index = heap.push(timer) - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if (!before(timer, heap[parent]!)) break;
    heap[index] = heap[parent]!;
    index = parent;
  }
  heap[index] = timer;
}

function pop(heap: Timer[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, last)) break;
    heap[index] = heap[child]!;
    index = child;
  }
  heap[index] = last;
}
