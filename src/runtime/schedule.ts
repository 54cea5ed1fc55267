interface Entry {
  readonly key: string;
  readonly at: number;
}

/** The time that a schedule follows: calendar or elapsed, never both. */
export interface ScheduleTime {
  now(): number;
  /** Calls back once at `at`; returns the cancellation. */
  wake(at: number, due: () => void): () => void;
}

/**
 * One instant a key, the earliest wins, and one timer for all of them: a hundred thousand sleeping keys cost a heap, not a
 * hundred thousand timers.
 */
export class Schedule {
  readonly #time: ScheduleTime;
  readonly #due: (key: string) => void;
  readonly #at = new Map<string, number>();
  #heap: Entry[] = [];
  #armedFor: number | undefined;
  #cancel: (() => void) | undefined;

  constructor(time: ScheduleTime, due: (key: string) => void) {
    this.#time = time;
    this.#due = due;
  }

  get size(): number {
    return this.#at.size;
  }

  get(key: string): number | undefined {
    return this.#at.get(key);
  }

  /** Asks for `key` at `at`; an earlier instant already asked for stays. */
  set(key: string, at: number): void {
    const known = this.#at.get(key);
    if (known !== undefined && known <= at) return;
    this.#at.set(key, at);
    this.#push({ key, at });
    this.#compact();
    this.#arm();
  }

  delete(key: string): void {
    // The heap entry stays and is skipped when it comes up: its instant is no longer the key's.
    this.#at.delete(key);
    if (this.#at.size === 0) this.clear();
  }

  clear(): void {
    this.#at.clear();
    this.#heap = [];
    this.#disarm();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (!first || first.at === this.#armedFor) return;
    this.#disarm();
    this.#armedFor = first.at;
    this.#cancel = this.#time.wake(first.at, () => this.#fire());
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = undefined;
  }

  #fire(): void {
    this.#disarm();
    const now = this.#time.now();
    const due: string[] = [];
    for (let first = this.#heap[0]; first && first.at <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#at.get(first.key) !== first.at) continue;
      this.#at.delete(first.key);
      due.push(first.key);
    }
    this.#arm();
    for (const key of due) this.#due(key);
  }

  /** Keys that are asked for again and again leave entries behind; without this the heap would grow until they come up. */
  #compact(): void {
    if (this.#heap.length < 2 * this.#at.size + 64) return;
    this.#heap = [...this.#at].map(([key, at]) => ({ key, at })).sort((one, other) => one.at - other.at);
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.at <= entry.at) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1]!.at < heap[child]!.at) child++;
      if (heap[child]!.at >= last.at) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
  }
}
