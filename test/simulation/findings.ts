import type { World } from "../../src/simulation/world.ts";

export interface Finding {
  readonly invariant: string;
  readonly at: number;
  readonly message: string;
}

/**
 * What the oracles have found. `races` are no violations: the node died, was cordoned, replaced or came back between the live list and
 * the effect that followed it. No protocol over the API server can close that gap; rule G5 only bounds it.
 */
export class Findings {
  readonly violations: Finding[] = [];
  readonly races: Finding[] = [];
  readonly #clock: World["clock"];
  readonly #print: ((line: string) => void) | undefined;
  readonly #once = new Map<string, number>();

  constructor(clock: World["clock"], print: ((line: string) => void) | undefined) {
    this.#clock = clock;
    this.#print = print;
  }

  /** Throws with every violation found so far. */
  check(): void {
    if (this.violations.length === 0) return;
    const lines = this.violations.map(({ invariant, at, message }) => `${new Date(at).toISOString()} ${invariant}: ${message}`);
    throw new Error(`${lines.length} violations:\n${lines.slice(0, 12).join("\n")}`);
  }

  onlyOnce(invariant: string, effect: string): void {
    const times = (this.#once.get(effect) ?? 0) + 1;
    this.#once.set(effect, times);
    if (times > 1) this.violated(invariant, `a second effect: ${effect} (${times} times)`);
  }

  violated(invariant: string, message: string): void {
    this.found(false, invariant, message);
  }

  found(race: boolean, invariant: string, message: string): void {
    (race ? this.races : this.violations).push({ invariant, at: this.#clock.now(), message });
    this.trace(`${race ? "race" : "VIOLATION"} ${invariant}: ${message}`);
  }

  /** For the replay of a seed; a line with the seconds that have elapsed. */
  trace(line: string): void {
    this.#print?.(`${(this.#clock.elapsed() / 1_000).toFixed(3).padStart(9)} ${line}`);
  }
}
