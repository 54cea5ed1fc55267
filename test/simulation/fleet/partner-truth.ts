import type { World } from "../../../src/simulation/world.ts";

/** The operator asks each PoP once a minute; what both have reported for so long it has to know, also one that has just begun. */
const KNOWN_AFTER = 150_000;

/** Which PoPs share a two-tunnel site, by what their data planes export themselves; what is reported once limits as long as the site stands. */
export class PartnerTruth {
  readonly #clock: World["clock"];
  /** Site → PoP → the elapsed instant of its first report. */
  readonly #sites = new Map<string, Map<string, number>>();

  constructor(clock: World["clock"]) {
    this.#clock = clock;
  }

  reported(site: string, pop: string): void {
    const pops = this.#sites.get(site) ?? new Map<string, number>();
    this.#sites.set(site, pops);
    if (!pops.has(pop)) pops.set(pop, this.#clock.elapsed());
  }

  /** A PoP that is deleted is asked no more, and told of no more. */
  popGone(pop: string): void {
    for (const pops of this.#sites.values()) pops.delete(pop);
  }

  /** With whom it shares a site at least since `KNOWN_AFTER` before the elapsed instant `by`. */
  partnersOf(pop: string, by = this.#clock.elapsed()): ReadonlySet<string> {
    const found = new Set<string>();
    for (const pops of this.#sites.values()) {
      const since = pops.get(pop);
      if (since === undefined) continue;
      for (const [other, otherSince] of pops) if (other !== pop && Math.max(since, otherSince) + KNOWN_AFTER <= by) found.add(other);
    }
    return found;
  }
}
