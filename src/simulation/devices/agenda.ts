import type { Clock } from "../../runtime/clock.ts";

export interface AgendaOptions {
  readonly clock: Clock;
  /** What falls into one slot is done together; elapsed milliseconds. */
  readonly slotMilliseconds?: number;
  /** So many pieces of work are under way at once; the others wait in the order in which they were due. */
  readonly inFlight?: number;
}

type Work = () => Promise<void>;

/**
 * When each of thousands of devices wakes next, on one timer of the clock: what is due in the same slot is woken together, and no more
 * than `inFlight` calls are under way, so that a simulated fleet does not take its own machine down before the gateway's limits are met.
 */
export class Agenda {
  readonly #clock: Clock;
  readonly #slot: number;
  readonly #inFlight: number;
  readonly #slots = new Map<number, Set<Work>>();
  readonly #waiting: Work[] = [];
  #underWay = 0;
  #armed: { readonly slot: number; readonly cancel: () => void } | undefined;
  #stopped = false;

  constructor({ clock, slotMilliseconds = 1_000, inFlight = 64 }: AgendaOptions) {
    this.#clock = clock;
    this.#slot = slotMilliseconds;
    this.#inFlight = inFlight;
  }

  /** Does the work once, not before `milliseconds` of elapsed time have passed and at most a slot later. Returns its cancellation. */
  after(milliseconds: number, work: Work): () => void {
    if (this.#stopped) return () => undefined;
    const slot = Math.ceil((this.#clock.elapsed() + milliseconds) / this.#slot);
    const entry: Work = () => work();
    const there = this.#slots.get(slot);
    if (there === undefined) this.#slots.set(slot, new Set([entry]));
    else there.add(entry);
    this.#arm(slot);
    return () => void this.#slots.get(slot)?.delete(entry);
  }

  /** Wakes nobody any more; what is under way ends by itself. */
  stop(): void {
    this.#stopped = true;
    this.#armed?.cancel();
    this.#slots.clear();
    this.#waiting.length = 0;
  }

  #arm(slot: number): void {
    if (this.#armed !== undefined && this.#armed.slot <= slot) return;
    this.#armed?.cancel();
    const cancel = this.#clock.after(Math.max(0, slot * this.#slot - this.#clock.elapsed()), () => this.#due(slot));
    this.#armed = { slot, cancel };
  }

  #due(slot: number): void {
    this.#armed = undefined;
    const due = this.#slots.get(slot);
    this.#slots.delete(slot);
    for (const work of due ?? []) this.#waiting.push(work);
    const next = Math.min(...this.#slots.keys());
    if (next !== Infinity) this.#arm(next);
    this.#goOn();
  }

  #goOn(): void {
    while (this.#underWay < this.#inFlight && this.#waiting.length > 0) {
      const work = this.#waiting.shift()!;
      this.#underWay += 1;
      void work().finally(() => {
        this.#underWay -= 1;
        this.#goOn();
      });
    }
  }
}
