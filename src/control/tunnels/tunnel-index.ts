import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { PartnerGraph } from "../../core/tunnel-site/partner-graph.ts";
import { sitePopOf } from "../../core/tunnel-site/pop.ts";
import { claimedPoPs } from "../../core/tunnel-site/tunnels.ts";
import type { HubCaches } from "../hub-caches.ts";
import { keyOf, splitKey } from "../object-key.ts";

export interface TunnelListeners {
  /** The site has to be looked at again: `<namespace>/<name>`. */
  site(key: string): void;
  /** Pairs of partners appeared or vanished: the PoPs that are in them. */
  partners(pops: readonly string[]): void;
}

/**
 * Which sites count, and which PoPs they tie together; kept current by what changes, so that the Fleet finds its partners counted.
 * A site counts in the namespace of an account alone. What stands in its status ties PoPs together, for it was reported; what stands
 * in its spec only says whom a change of a PoP concerns.
 */
export class TunnelIndex {
  readonly #caches: Pick<HubCaches, "pops" | "tunnelSites" | "namespaces">;
  readonly #fleetNamespace: string;
  readonly #listeners: TunnelListeners;
  readonly #graph = new PartnerGraph();
  /** Sites that count, by their key, and the PoPs that they name or that told of them. */
  readonly #popsOf = new Map<string, readonly string[]>();
  readonly #sitesOf = new Map<string, Set<string>>();
  readonly #inNamespace = new Map<string, Set<string>>();
  /** What sites see of each PoP: a roll changes a PoP's status often, and its plan once. */
  readonly #shown = new Map<string, string>();
  #names: readonly string[] | undefined;

  constructor(caches: Pick<HubCaches, "pops" | "tunnelSites" | "namespaces">, fleetNamespace: string, listeners: TunnelListeners) {
    this.#caches = caches;
    this.#fleetNamespace = fleetNamespace;
    this.#listeners = listeners;
    caches.tunnelSites.onChange((site) => this.#consider(keyOf(site)));
    caches.namespaces.onChange(({ metadata }) => {
      for (const key of this.#inNamespace.get(metadata.name) ?? []) this.#consider(key);
    });
    caches.pops.onChange((pop, deleted) => this.#popChanged(pop, deleted));
  }

  /** PoP → partner → how many sites they share (rule F2). */
  get partners(): PartnerGraph["partners"] {
    return this.#graph.partners;
  }

  /** Sites that have tunnels to two PoPs or more. */
  get dualSites(): number {
    return this.#graph.sites;
  }

  /** Sites that count. */
  get size(): number {
    return this.#popsOf.size;
  }

  /** The names of all PoPs, sorted. */
  get popNames(): readonly string[] {
    this.#names ??= [...this.#shown.keys()].toSorted();
    return this.#names;
  }

  believes(key: string): boolean {
    return this.#popsOf.has(key);
  }

  keys(): Iterable<string> {
    return this.#popsOf.keys();
  }

  sitesOf(pop: string): Iterable<string> {
    return this.#sitesOf.get(pop) ?? [];
  }

  /** Sites of a namespace, whether they count or not. */
  inNamespace(namespace: string): Iterable<string> {
    return this.#inNamespace.get(namespace) ?? [];
  }

  /** The account of a namespace; the provider's own is nobody's, whatever its labels say. */
  accountOf(namespace: string): string | undefined {
    return namespace === this.#fleetNamespace ? undefined : this.#caches.namespaces.get(namespace)?.metadata.labels?.[ACCOUNT_LABEL];
  }

  #consider(key: string): void {
    const [namespace, name] = splitKey(key);
    const site = this.#caches.tunnelSites.get(name, namespace);
    remember(this.#inNamespace, namespace, key, site !== undefined);
    const counts = site !== undefined && this.accountOf(namespace) !== undefined ? site : undefined;
    const reported = counts?.status?.tunnels?.map(({ pop }) => pop) ?? [];
    this.#keepPops(key, counts && [...new Set([...claimedPoPs(counts.spec), ...reported])]);
    const moved = this.#graph.set(key, reported);
    if (moved.length > 0) this.#listeners.partners(moved);
    this.#listeners.site(key);
  }

  #keepPops(key: string, pops: readonly string[] | undefined): void {
    for (const pop of this.#popsOf.get(key) ?? []) remember(this.#sitesOf, pop, key, false);
    for (const pop of pops ?? []) remember(this.#sitesOf, pop, key, true);
    if (pops) this.#popsOf.set(key, pops);
    else this.#popsOf.delete(key);
  }

  #popChanged(pop: PopCluster, deleted: boolean): void {
    const { name } = pop.metadata;
    const seen = sitePopOf(pop);
    const shown = deleted ? undefined : JSON.stringify(seen.planned ? seen : {});
    if (shown === this.#shown.get(name)) return;
    if (shown === undefined) this.#shown.delete(name);
    else this.#shown.set(name, shown);
    this.#names = undefined;
    for (const key of this.sitesOf(name)) this.#listeners.site(key);
  }
}

function remember(sets: Map<string, Set<string>>, of: string, key: string, is: boolean): void {
  const known = sets.get(of) ?? new Set<string>();
  if (is) known.add(key);
  else known.delete(key);
  if (known.size > 0) sets.set(of, known);
  else sets.delete(of);
}
