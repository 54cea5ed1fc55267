import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { SocketRollout } from "../../api/socket-rollout.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import { contributionOf, rampPlace } from "../../core/socket-rollout/contribution.ts";
import type { HubCaches } from "../hub-caches.ts";
import { keyOf, splitKey } from "../object-key.ts";
import { AccountTally, type ToldOfSites } from "./account-tally.ts";
import { rolloutViewOf } from "./rollout-views.ts";
import { SiteTally } from "./site-tally.ts";

type Caches = Pick<HubCaches, "socketSites" | "socketRollouts" | "accountPolicies" | "namespaces">;

export interface SiteListeners {
  /** The site has to be looked at again. */
  site(key: string): void;
  /** A window became too short for a site of this namespace, or long enough again. */
  tooShort(namespace: string): void;
}

/** What is remembered of a site, so that what it leaves can be told from what it joins. */
interface Entry {
  readonly serials: readonly string[];
  readonly pop: string | undefined;
  readonly isTooShort: boolean;
  readonly isActive: boolean;
}

/** Something is planned or in hand: what moves a start, or holds it, is seen there at once. */
const isActive = ({ spec, status }: SocketSite): boolean => {
  const upgrade = status?.upgrade;
  return upgrade?.planned !== undefined || upgrade?.command !== undefined || spec.requests?.upgradeNow !== undefined || hasBegun(upgrade);
};

const hasBegun = (upgrade: NonNullable<SocketSite["status"]>["upgrade"]): boolean =>
  upgrade?.step === "InProgress" || upgrade?.step === "Verifying";

/**
 * The sites of all accounts by what concerns them, kept current by what changes: nothing here looks through 100,000 sites but the first
 * count of a rollout. Listeners hear of a change after it is found here.
 */
export class SiteIndex {
  readonly #caches: Caches;
  readonly #fleetNamespace: string;
  readonly #listeners: SiteListeners;
  readonly #entries = new Map<string, Entry>();
  readonly #bySerial = new Groups();
  readonly #byNamespace = new Groups();
  readonly #byPop = new Groups();
  /** Sites for which their window is too short: the window names them (rule W4). */
  readonly #tooShort = new Groups();
  readonly #active = new Set<string>();
  /** By the UID of the rollout. */
  readonly #tallies = new Map<string, SiteTally>();
  readonly #told = new AccountTally();
  /** The models that each rollout was seen to be for last, by its UID. */
  readonly #models = new Map<string, string | undefined>();

  /** Made together with the caches, before anybody else listens to them. */
  constructor(caches: Caches, fleetNamespace: string, listeners: SiteListeners) {
    this.#caches = caches;
    this.#fleetNamespace = fleetNamespace;
    this.#listeners = listeners;
    caches.socketSites.onChange((site, deleted) => this.#changed(site, deleted));
    caches.namespaces.onChange(({ metadata }) => {
      for (const key of this.#besides(metadata.name)) listeners.site(key);
    });
    caches.socketRollouts.onChange(({ metadata, spec }, deleted) => {
      const models = deleted ? undefined : JSON.stringify(spec.models);
      // Which sites it is for is another question now: they are counted anew.
      if (deleted || this.#models.get(metadata.uid) !== models) this.#tallies.delete(metadata.uid);
      if (deleted) this.#models.delete(metadata.uid);
      else this.#models.set(metadata.uid, models);
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  inNamespace(namespace: string): Iterable<string> {
    return this.#byNamespace.of(namespace);
  }

  /** What the accounts of a namespace's sites are told of them together. */
  told(namespace: string): ToldOfSites {
    return this.#told.of(namespace);
  }

  withSerial(serial: string): Iterable<string> {
    return this.#bySerial.of(serial);
  }

  /** Sites with something planned or in hand: all, or those that are connected to one PoP. */
  *active(pop?: string): Iterable<string> {
    for (const key of pop === undefined ? this.#active : this.#byPop.of(pop)) if (this.#active.has(key)) yield key;
  }

  connectedTo(pop: string): Iterable<string> {
    return this.#byPop.of(pop);
  }

  /** Sites that hold WindowTooShort, of those whose window this may be: an account's by its namespace, the provider's of all. */
  tooShort(namespace: string): Iterable<string> {
    return namespace === this.#fleetNamespace ? this.#tooShort.all() : this.#tooShort.of(namespace);
  }

  /** The account of a namespace; the provider's own is nobody's, whatever its labels say. */
  accountOf(namespace: string): string | undefined {
    return namespace === this.#fleetNamespace ? undefined : this.#caches.namespaces.get(namespace)?.metadata.labels?.[ACCOUNT_LABEL];
  }

  /**
   * Serials that another site of the same account names too (rule S3). What another account writes changes nothing here: the registry
   * says whose a serial is, and there it is foreign (rule I15).
   */
  claimedTwice(site: SocketSite): ReadonlyMap<string, { readonly sameAccount: string }> {
    const own = keyOf(site);
    const account = this.accountOf(site.metadata.namespace ?? "");
    const twice = site.spec.sockets.flatMap(({ serial }) => {
      const others = [...this.#bySerial.of(serial)].filter((key) => key !== own && this.accountOf(splitKey(key)[0]) === account);
      return others.length === 0 ? [] : [[serial, { sameAccount: others.toSorted()[0]! }] as const];
    });
    return new Map(account === undefined ? [] : twice);
  }

  /** The sites of a rollout, counted; the first time by one look at all of them, from then on as they change. */
  tallyOf(rollout: SocketRollout): SiteTally {
    const known = this.#tallies.get(rollout.metadata.uid);
    if (known !== undefined) return known;
    const tally = new SiteTally();
    const view = rolloutViewOf(rollout);
    for (const site of this.#caches.socketSites.list()) tally.set(keyOf(site), contributionOf(site, view));
    this.#tallies.set(rollout.metadata.uid, tally);
    return tally;
  }

  /** Admits late joiners in the order of their hash, and answers which (rule G4). */
  admit(rollout: SocketRollout, sites: number): readonly string[] {
    const view = rolloutViewOf(rollout);
    const rankOf = (key: string): number => {
      const [namespace, name] = splitKey(key);
      return rampPlace(this.#caches.socketSites.get(name, namespace)?.metadata.uid ?? "", view);
    };
    return this.tallyOf(rollout).admit(sites, rankOf);
  }

  /** The sites of a namespace, and those of others that name the same serials: whose they are depends on its label. */
  #besides(namespace: string): ReadonlySet<string> {
    const own = [...this.#byNamespace.of(namespace)];
    const serials = own.flatMap((key) => this.#entries.get(key)?.serials ?? []);
    return new Set([...own, ...serials.flatMap((serial) => [...this.#bySerial.of(serial)])]);
  }

  #changed(site: SocketSite, deleted: boolean): void {
    const key = keyOf(site);
    const before = this.#entries.get(key);
    const entry = deleted ? undefined : entryOf(site);
    this.#keep(key, before, entry);
    this.#told.set(key, site.metadata.namespace ?? "", deleted ? undefined : site);
    for (const rollout of this.#tallies.size === 0 ? [] : this.#caches.socketRollouts.list()) {
      this.#tallies.get(rollout.metadata.uid)?.set(key, deleted ? undefined : contributionOf(site, rolloutViewOf(rollout)));
    }
    const serials = new Set([...(before?.serials ?? []), ...(entry?.serials ?? [])]);
    const shared = before?.serials.join() === entry?.serials.join() ? [] : [...serials].flatMap((serial) => [...this.#bySerial.of(serial)]);
    for (const other of new Set([key, ...shared])) this.#listeners.site(other);
    if ((before?.isTooShort ?? false) !== (entry?.isTooShort ?? false)) this.#listeners.tooShort(site.metadata.namespace ?? "");
  }

  #keep(key: string, before: Entry | undefined, entry: Entry | undefined): void {
    const [namespace] = splitKey(key);
    for (const serial of before?.serials ?? []) this.#bySerial.remove(serial, key);
    for (const serial of entry?.serials ?? []) this.#bySerial.add(serial, key);
    if (before?.pop !== undefined && before.pop !== entry?.pop) this.#byPop.remove(before.pop, key);
    if (entry?.pop !== undefined) this.#byPop.add(entry.pop, key);
    if (entry?.isTooShort === true) this.#tooShort.add(namespace, key);
    else this.#tooShort.remove(namespace, key);
    if (entry?.isActive === true) this.#active.add(key);
    else this.#active.delete(key);
    if (entry === undefined) {
      this.#byNamespace.remove(namespace, key);
      this.#entries.delete(key);
    } else {
      this.#byNamespace.add(namespace, key);
      this.#entries.set(key, entry);
    }
  }
}

const entryOf = (site: SocketSite): Entry => ({
  serials: site.spec.sockets.map(({ serial }) => serial),
  pop: site.status?.pop,
  isTooShort: site.status?.holds?.some(({ reason }) => reason === "WindowTooShort") === true,
  isActive: isActive(site),
});

/** Keys by a term; an only key stands for itself, because most serials are of one site. */
class Groups {
  readonly #keys = new Map<string, string | Set<string>>();

  add(term: string, key: string): void {
    const known = this.#keys.get(term);
    if (known === undefined) this.#keys.set(term, key);
    else if (typeof known !== "string") known.add(key);
    else if (known !== key) this.#keys.set(term, new Set([known, key]));
  }

  remove(term: string, key: string): void {
    const known = this.#keys.get(term);
    if (known === key) this.#keys.delete(term);
    else if (known !== undefined && typeof known !== "string" && known.delete(key) && known.size === 0) this.#keys.delete(term);
  }

  of(term: string): Iterable<string> {
    const known = this.#keys.get(term);
    return known === undefined ? [] : typeof known === "string" ? [known] : known;
  }

  *all(): Iterable<string> {
    for (const known of this.#keys.values()) {
      if (typeof known === "string") yield known;
      else yield* known;
    }
  }
}
