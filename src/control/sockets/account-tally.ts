import type { SocketSite } from "../../api/socket-site.ts";
import type { AccountPolicyObservation } from "../../core/account-policy/observation.ts";

/** What its account is told of one site; sites of which the same is told are one of these. */
interface Told {
  readonly sockets: number;
  readonly isUpToDate: boolean;
  readonly isPlanned: boolean;
  readonly isHaNotReady: boolean;
  readonly isNotConnected: boolean;
  readonly versions: readonly string[];
  readonly pop: string | undefined;
}

interface SitesAlike {
  readonly id: string;
  readonly told: Told;
  /** In all namespaces. */
  sites: number;
}

export interface ToldOfSites extends Pick<AccountPolicyObservation, "sites" | "singleSocket"> {
  /** Sites by the PoP that they are connected to. */
  readonly pops: ReadonlyMap<string, number>;
}

/**
 * The sites of each namespace, counted as they change: of 25,000 sites an account's numbers were seconds of work every few seconds, while
 * there are only some hundred different things to tell of a site.
 */
export class AccountTally {
  /** By their JSON; kept as long as a site is told so. */
  readonly #kinds = new Map<string, SitesAlike>();
  readonly #bySite = new Map<string, SitesAlike>();
  readonly #byNamespace = new Map<string, Map<SitesAlike, number>>();

  /** The site as it is now; undefined: it is gone. */
  set(key: string, namespace: string, site: SocketSite | undefined): void {
    const before = this.#bySite.get(key);
    const after = site && this.#kindOf(site);
    if (before === after) return;
    if (after === undefined) this.#bySite.delete(key);
    else {
      this.#bySite.set(key, after);
      this.#count(namespace, after, 1);
    }
    if (before !== undefined) this.#count(namespace, before, -1);
  }

  of(namespace: string): ToldOfSites {
    const all = [...(this.#byNamespace.get(namespace) ?? [])].map(([{ told }, sites]) => ({ ...told, sites }));
    const number = (is: (told: Told) => boolean) => all.reduce((sum, one) => sum + (is(one) ? one.sites : 0), 0);
    const [versions, pops] = [new Map<string, number>(), new Map<string, number>()];
    for (const { versions: own, pop, sites } of all) {
      for (const version of own) versions.set(version, (versions.get(version) ?? 0) + sites);
      if (pop !== undefined) pops.set(pop, (pops.get(pop) ?? 0) + sites);
    }
    return {
      sites: {
        sites: number(() => true),
        pairs: number(({ sockets }) => sockets === 2),
        upToDate: number(({ isUpToDate }) => isUpToDate),
        planned: number(({ isPlanned }) => isPlanned),
        haNotReady: number(({ isHaNotReady }) => isHaNotReady),
        notConnected: number(({ isNotConnected }) => isNotConnected),
        versions: [...versions].map(([version, sockets]) => ({ version, sockets })),
      },
      singleSocket: number(({ sockets }) => sockets === 1),
      pops,
    };
  }

  #kindOf(site: SocketSite): SitesAlike {
    const told = toldOf(site);
    const id = JSON.stringify(told);
    const kind = this.#kinds.get(id) ?? { id, told, sites: 0 };
    this.#kinds.set(id, kind);
    return kind;
  }

  #count(namespace: string, kind: SitesAlike, change: 1 | -1): void {
    const counts = this.#byNamespace.get(namespace) ?? new Map<SitesAlike, number>();
    this.#byNamespace.set(namespace, counts);
    const left = (counts.get(kind) ?? 0) + change;
    if (left > 0) counts.set(kind, left);
    else counts.delete(kind);
    if (counts.size === 0) this.#byNamespace.delete(namespace);
    kind.sites += change;
    if (kind.sites === 0) this.#kinds.delete(kind.id);
  }
}

function toldOf({ spec, status }: SocketSite): Told {
  const is = (type: string, value: string): boolean =>
    status?.conditions?.some((condition) => condition.type === type && condition.status === value) === true;
  return {
    sockets: spec.sockets.length,
    isUpToDate: is("UpToDate", "True"),
    isPlanned: status?.upgrade?.planned?.start !== undefined,
    isHaNotReady: status?.ha?.status === "NotReady",
    isNotConnected: is("Connected", "False"),
    versions: (status?.sockets ?? []).flatMap(({ version }) => version ?? []).toSorted(),
    pop: status?.pop,
  };
}
