/** PoP → partner → how many sites have tunnels to both. */
type Partners = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * Which PoPs share two-tunnel sites (rule F2), counted as sites come, change and go: a look at it costs nothing, however many sites
 * there are, and one site costs a few additions. The maps that it hands out are never changed afterwards.
 */
export class PartnerGraph {
  readonly #popsOf = new Map<string, readonly string[]>();
  readonly #counts = new Map<string, Map<string, number>>();
  readonly #changed = new Set<string>();
  #handedOut: Partners = new Map();

  /**
   * The PoPs that told of tunnels of a site; fewer than two are no pair. Answers the PoPs of pairs that appeared or vanished, empty
   * when only numbers changed.
   */
  set(site: string, pops: readonly string[]): readonly string[] {
    const before = this.#popsOf.get(site) ?? [];
    const after = [...new Set(pops)].toSorted();
    if (before.length === after.length && before.every((pop, index) => pop === after[index])) return [];
    if (after.length > 1) this.#popsOf.set(site, after);
    else this.#popsOf.delete(site);
    // Added before taken away: a pair that stays neither appears nor vanishes.
    const added = pairsOf(after).filter(([one, other]) => this.#add(one, other, 1));
    const removed = (before.length > 1 ? pairsOf(before) : []).filter(([one, other]) => this.#add(one, other, -1));
    return [...new Set([...added, ...removed].flat())];
  }

  delete(site: string): readonly string[] {
    return this.set(site, []);
  }

  /** Sites that have tunnels to two PoPs or more. */
  get sites(): number {
    return this.#popsOf.size;
  }

  get partners(): Partners {
    if (this.#changed.size === 0) return this.#handedOut;
    const next = new Map(this.#handedOut);
    for (const pop of this.#changed) {
      const counts = this.#counts.get(pop);
      if (counts === undefined) next.delete(pop);
      else next.set(pop, new Map(counts));
    }
    this.#changed.clear();
    this.#handedOut = next;
    return next;
  }

  /** True when the pair appears or vanishes by it. */
  #add(one: string, other: string, by: 1 | -1): boolean {
    this.#count(other, one, by);
    return this.#count(one, other, by);
  }

  #count(pop: string, partner: string, by: 1 | -1): boolean {
    const counts = this.#counts.get(pop) ?? new Map<string, number>();
    const sites = (counts.get(partner) ?? 0) + by;
    if (sites > 0) counts.set(partner, sites);
    else counts.delete(partner);
    if (counts.size > 0) this.#counts.set(pop, counts);
    else this.#counts.delete(pop);
    this.#changed.add(pop);
    return by > 0 ? sites === 1 : sites === 0;
  }
}

const pairsOf = (pops: readonly string[]): readonly (readonly [string, string])[] =>
  pops.flatMap((one, index) => pops.slice(index + 1).map((other) => [one, other] as const));
