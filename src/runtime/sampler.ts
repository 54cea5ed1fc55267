import type { Clock } from "./clock.ts";
import { Schedule } from "./schedule.ts";

/** A probe that somebody wants; `key` says what is asked of whom, so that two owners share one. */
export interface WantedProbe {
  readonly key: string;
  readonly intervalMilliseconds: number;
  /** How many results whoever decides looks back on: so many in a row that mean the same still wake him. */
  readonly keep?: number;
}

export interface Sample<Result> {
  /** Elapsed milliseconds since the probe that gave this result was *started*: the result is evidence of nothing earlier. */
  readonly ageMilliseconds: number;
  readonly result: Result;
}

export interface SamplerSettings<Probe extends WantedProbe, Result> {
  readonly clock: Clock;
  /** Runs a probe. A bad answer is a result, not an exception: what it throws is reported to `onError` and gives no sample. */
  readonly run: (probe: Probe, signal: AbortSignal) => Promise<Result>;
  /** Whether two results in a row mean the same; only a difference wakes the owners. */
  readonly equal: (one: Result, other: Result) => boolean;
  /**
   * How many results in a row that mean the same still wake the owners at least (default 1; more where a probe says `keep`): a verdict that needs three good answers in a
   * row has to be told of all three, and of none after.
   */
  readonly settlesAfter?: number;
  /** Called for every owner of a key whose result differs from the one before, is the first, or has not settled. */
  readonly onChange: (owner: string, key: string) => void;
  readonly onError?: (key: string, error: unknown) => void;
  /** Probes that run at the same time (default 64). */
  readonly concurrency?: number;
  /** Results kept a key (default 64). */
  readonly kept?: number;
}

interface Slot<Probe, Result> {
  probe: Probe;
  /** As each owner asked for it; the shortest interval counts, and the longest look back. */
  readonly owners: Map<string, Probe>;
  readonly samples: { readonly startedAt: number; readonly result: Result }[];
  /** Results in a row that mean the same. */
  alike: number;
  running: AbortController | undefined;
  startedAt: number | undefined;
}

/** Runs exactly the probes that decisions want, and keeps their last results. After a restart there are none: nobody is guessed healthy. */
export class Sampler<Probe extends WantedProbe, Result> {
  readonly #settings: SamplerSettings<Probe, Result>;
  readonly #slots = new Map<string, Slot<Probe, Result>>();
  readonly #wantedBy = new Map<string, Set<string>>();
  readonly #schedule: Schedule;
  /** Due keys that wait for one of the concurrent places. */
  readonly #due = new Set<string>();
  #running = 0;
  #stopped = false;

  constructor(settings: SamplerSettings<Probe, Result>) {
    this.#settings = settings;
    const { clock } = settings;
    this.#schedule = new Schedule({ now: () => clock.elapsed(), wake: (at, due) => clock.after(at - clock.elapsed(), due) }, (key) => {
      this.#due.add(key);
      this.#pump();
    });
  }

  /** Replaces what `owner` wants. New probes run at once; what nobody wants any more is dropped with its results. */
  want(owner: string, probes: readonly Probe[]): void {
    if (this.#stopped) return;
    const before = this.#wantedBy.get(owner) ?? new Set<string>();
    const wanted = new Set(probes.map((probe) => probe.key));
    for (const key of before) if (!wanted.has(key)) this.#release(owner, key);
    if (wanted.size > 0) this.#wantedBy.set(owner, wanted);
    else this.#wantedBy.delete(owner);
    for (const probe of probes) this.#hold(owner, probe);
    this.#pump();
  }

  /** The kept results of a key, oldest first. */
  samples(key: string): readonly Sample<Result>[] {
    const now = this.#settings.clock.elapsed();
    const kept = this.#slots.get(key)?.samples ?? [];
    return kept.map(({ startedAt, result }) => ({ ageMilliseconds: now - startedAt, result }));
  }

  /** Ends everything; no owner is called afterwards. */
  stop(): void {
    this.#stopped = true;
    for (const slot of this.#slots.values()) slot.running?.abort();
    this.#slots.clear();
    this.#wantedBy.clear();
    this.#due.clear();
    this.#schedule.clear();
  }

  #hold(owner: string, probe: Probe): void {
    const slot = this.#slots.get(probe.key);
    if (!slot) {
      const owners = new Map([[owner, probe]]);
      this.#slots.set(probe.key, { probe, owners, samples: [], alike: 0, running: undefined, startedAt: undefined });
      this.#due.add(probe.key);
      return;
    }
    slot.probe = probe;
    slot.owners.set(owner, probe);
    // A run under way plans the next one by itself when it ends.
    if (!slot.running && !this.#due.has(probe.key)) this.#plan(probe.key, slot);
  }

  #release(owner: string, key: string): void {
    const slot = this.#slots.get(key);
    if (!slot) return;
    slot.owners.delete(owner);
    if (slot.owners.size > 0) return;
    slot.running?.abort();
    this.#slots.delete(key);
    this.#due.delete(key);
    this.#schedule.delete(key);
  }

  /** The interval counts from start to start; a probe slower than its interval runs again as soon as it has ended. */
  #plan(key: string, slot: Slot<Probe, Result>): void {
    const interval = Math.min(...[...slot.owners.values()].map(({ intervalMilliseconds }) => intervalMilliseconds));
    const next = (slot.startedAt ?? this.#settings.clock.elapsed()) + interval;
    this.#schedule.delete(key);
    this.#schedule.set(key, Math.max(next, this.#settings.clock.elapsed()));
  }

  #pump(): void {
    for (const key of this.#due) {
      if (this.#running >= (this.#settings.concurrency ?? 64)) return;
      this.#due.delete(key);
      const slot = this.#slots.get(key);
      if (slot) void this.#run(key, slot);
    }
  }

  async #run(key: string, slot: Slot<Probe, Result>): Promise<void> {
    const startedAt = this.#settings.clock.elapsed();
    const abort = new AbortController();
    slot.running = abort;
    slot.startedAt = startedAt;
    this.#running++;
    let owners: readonly string[] = [];
    try {
      const result = await this.#settings.run(slot.probe, abort.signal);
      if (this.#slots.get(key) === slot) owners = this.#keep(slot, startedAt, result);
    } catch (error) {
      if (!abort.signal.aborted) this.#settings.onError?.(key, error);
    }
    slot.running = undefined;
    this.#running--;
    if (this.#slots.get(key) === slot) this.#plan(key, slot);
    for (const owner of owners) this.#wake(owner, key);
    this.#pump();
  }

  #wake(owner: string, key: string): void {
    try {
      this.#settings.onChange(owner, key);
    } catch (error) {
      this.#settings.onError?.(key, error);
    }
  }

  /** Keeps a result; answers the owners to be woken. */
  #keep(slot: Slot<Probe, Result>, startedAt: number, result: Result): readonly string[] {
    const last = slot.samples.at(-1);
    slot.samples.push({ startedAt, result });
    if (slot.samples.length > (this.#settings.kept ?? 64)) slot.samples.shift();
    slot.alike = last && this.#settings.equal(last.result, result) ? slot.alike + 1 : 1;
    const settlesAfter = Math.max(this.#settings.settlesAfter ?? 1, ...[...slot.owners.values()].map(({ keep }) => keep ?? 0));
    return slot.alike > settlesAfter ? [] : [...slot.owners.keys()];
  }
}
