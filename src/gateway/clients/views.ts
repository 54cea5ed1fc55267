import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, type ClientSystem } from "../../api/client-rollout.ts";
import type { Fleet } from "../../api/fleet.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { FLEET } from "../../api/resources.ts";
import type { ClientCheckIns } from "../../control/client-inventory.ts";
import { NAMESPACE, type NamespaceObject } from "../../control/kinds.ts";
import type { Cluster } from "../../control/ports.ts";
import { type ClientAccount, clientAccounts } from "../../core/client/accounts.ts";
import type { AccountView } from "../../core/client/check-in.ts";
import { failedPilotsOf } from "../../core/client/failed-pilots.ts";
import { policyFor } from "../../core/client/policy.ts";
import { type ClientRolloutView, clientViews } from "../../core/client/rollout-view.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import type { Log } from "../log.ts";

/** What check-ins are answered by, of one moment. The same object as long as nothing in it has changed. */
export interface ClientsSeen {
  readonly rollouts: readonly ClientRolloutView[];
  readonly fleetPaused: boolean;
  accountView(account: string, os: ClientSystem): AccountView;
}

export interface ClientViews {
  /** As it was last seen, however long ago; undefined: never. */
  seen(): ClientsSeen | undefined;
  /** Whether anything may be offered by it (rules C5, G15); asked again right before an offer is written. */
  mayOffer(): boolean;
}

export interface ClusterClientViewsSettings {
  readonly hub: Pick<Cluster, "get" | "list">;
  /** The fleet namespace. */
  readonly namespace: string;
  readonly checkIns: Pick<ClientCheckIns, "beat" | "leave">;
  /** Unlike every other replica's. */
  readonly replica: string;
  readonly clock: Clock;
  readonly log: Log;
  /** By UID of the rollout what is wrong with its file; the operator is told with the sign of life. */
  readonly missing?: () => ReadonlyMap<string, string>;
  /** Told after each look that was answered, to read what changes as seldom. Its errors are its own. */
  readonly alongside?: () => Promise<void>;
  /** Elapsed milliseconds between two looks (default 5 s). */
  readonly everyMilliseconds?: number;
}

interface Read {
  readonly fleet: Fleet | undefined;
  readonly rollouts: readonly ClientRollout[];
  readonly policies: readonly AccountPolicy[];
  readonly namespaces: readonly NamespaceObject[];
}

const EVERY_MS = 5_000;
/** After so long a look is no look any more, and a replica that was not heard for so long counts as fenced. */
const FRESH_MS = 10_000;

/**
 * What gateways see of ClientRollouts and accounts, by live lists every 5 s (as ClusterViews, rule G15), and this replica's sign of life
 * in the inventory, which tells the operator which pauses it obeys (rule C5). A replica offers only while the operator counts it as alive,
 * and by a look that began after it was: else it could offer, by a view of before a pause, what everybody takes for paused.
 */
export class ClusterClientViews implements ClientViews {
  readonly #settings: ClusterClientViewsSettings;
  readonly #stopping = new AbortController();
  #work: Promise<void> | undefined;
  #read: Read | undefined;
  #seen: ClientsSeen | undefined;
  /** Elapsed time at which the server was asked for what is seen. */
  #askedAt = -Infinity;
  /** Elapsed time at which the last sign of life that was taken was sent. */
  #beatAt = -Infinity;
  /** Elapsed time since when one sign has followed the other within 10 s. */
  #aliveSince = Infinity;
  readonly #trouble = new Map<"look" | "beat" | "alongside", true>();

  constructor(settings: ClusterClientViewsSettings) {
    this.#settings = settings;
  }

  start(): void {
    this.#work ??= this.#keepLooking();
  }

  /** Ends the looks, and tells that nobody is answered any more: call it when that is so. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#work;
    const { checkIns, replica, log } = this.#settings;
    await checkIns.leave(replica).catch((error: unknown) => {
      log("warn", `the inventory could not be told that this gateway ends, and counts it as silent for 10 s: ${said(error)}`);
    });
  }

  seen(): ClientsSeen | undefined {
    return this.#seen;
  }

  mayOffer(): boolean {
    const now = this.#settings.clock.elapsed();
    return now - this.#askedAt <= FRESH_MS && now - this.#beatAt <= FRESH_MS && this.#askedAt >= this.#aliveSince;
  }

  async #keepLooking(): Promise<void> {
    const { clock, everyMilliseconds = EVERY_MS, alongside } = this.#settings;
    while (!this.#stopping.signal.aborted) {
      if (await this.#tried("look", () => this.#look(), LOOK_FAILS)) {
        const alive = this.#aliveSince;
        await this.#tried("beat", () => this.#beat(), BEAT_FAILS);
        // Alive only now: a look that began before says nothing of what was paused since.
        if (this.#aliveSince !== alive) await this.#tried("look", () => this.#look(), LOOK_FAILS);
        if (alongside !== undefined) await this.#tried("alongside", alongside, ALONGSIDE_FAILS);
      }
      await sleep(clock, everyMilliseconds, this.#stopping.signal).catch(() => {});
    }
  }

  async #look(): Promise<void> {
    const { hub, namespace, clock } = this.#settings;
    const askedAt = clock.elapsed();
    const [fleet, rollouts, policies, namespaces] = await Promise.all([
      hub.get<Fleet>(FLEET, "fleet", namespace),
      hub.list<ClientRollout>(CLIENT_ROLLOUT, { namespace }),
      hub.list<AccountPolicy>(ACCOUNT_POLICY),
      hub.list<NamespaceObject>(NAMESPACE, { labelSelector: ACCOUNT_LABEL }),
    ]);
    const read = { fleet, rollouts, policies, namespaces };
    if (this.#read === undefined || !isSame(this.#read, read)) {
      this.#read = read;
      this.#seen = seenOf(read, namespace);
    }
    this.#askedAt = askedAt;
  }

  async #beat(): Promise<void> {
    const { checkIns, replica, clock, missing } = this.#settings;
    const { rollouts = [], policies = [] } = this.#read ?? {};
    const sentAt = clock.elapsed();
    await checkIns.beat({
      name: replica,
      pauses: new Map(rollouts.flatMap(({ metadata, status }) => (status?.pause ? [[metadata.uid, status.pause.id] as const] : []))),
      policies: new Map(policies.map(({ metadata }) => [metadata.uid, metadata.generation ?? 0])),
      ...(missing === undefined ? {} : { missing: missing() }),
    });
    if (clock.elapsed() - this.#beatAt > FRESH_MS) this.#aliveSince = clock.elapsed();
    this.#beatAt = sentAt;
  }

  /** Does it, and says once that it fails and once that it works again. */
  async #tried(what: "look" | "beat" | "alongside", act: () => Promise<void>, sentence: string): Promise<boolean> {
    const { log } = this.#settings;
    try {
      await act();
      if (this.#trouble.delete(what)) log("info", `${sentence} no longer`);
      return true;
    } catch (error) {
      if (!this.#trouble.has(what)) log("warn", `${sentence}: ${said(error)}`);
      this.#trouble.set(what, true);
      return false;
    }
  }
}

const LOOK_FAILS = "ClientRollouts, AccountPolicies or namespaces could not be read, and Clients are offered nothing until they are";
const BEAT_FAILS = "the inventory does not take this gateway's sign of life, and Clients are offered nothing until it does";
const ALONGSIDE_FAILS = "the inventory does not tell directories and counts of devices, and the last ones are used";

const isSame = (one: Read, other: Read): boolean =>
  isSameList(one.fleet ? [one.fleet] : [], other.fleet ? [other.fleet] : []) &&
  isSameList(one.rollouts, other.rollouts) &&
  isSameList(one.policies, other.policies) &&
  isSameList(one.namespaces, other.namespaces);

interface Versioned {
  readonly metadata: { readonly uid?: string; readonly resourceVersion?: string };
}

const isSameList = (one: readonly Versioned[], other: readonly Versioned[]): boolean =>
  one.length === other.length &&
  one.every(({ metadata }, index) => {
    const { uid, resourceVersion } = other[index]!.metadata;
    return metadata.uid === uid && metadata.resourceVersion === resourceVersion;
  });

/** Of no account is known that its own pilots failed: most of them. */
const NONE: ReadonlySet<string> = new Set();

export function seenOf({ fleet, rollouts, policies, namespaces }: Read, fleetNamespace: string): ClientsSeen {
  const accounts = clientAccounts(namespaces, policies, fleetNamespace);
  const failed = new Map([...accounts].map(([name, { status }]) => [name, failedPilotsOf(status, rollouts)]));
  // What is being deleted is offered to nobody, and goes on to supersede what it mends: the faulty version must not come back.
  const leaving = new Set(rollouts.flatMap(({ metadata }) => (metadata.deletionTimestamp === undefined ? [] : [metadata.uid])));
  return {
    rollouts: clientViews(rollouts).filter(({ uid }) => !leaving.has(uid)),
    fleetPaused: fleet === undefined || fleet.spec.paused || fleet.metadata.deletionTimestamp !== undefined,
    accountView: (account, os) => accountView(accounts.get(account), os, failed.get(account) ?? NONE),
  };
}

function accountView(account: ClientAccount | undefined, os: ClientSystem, failedPilots: ReadonlySet<string>): AccountView {
  const policy = policyFor(account?.policies, os);
  return { labels: account?.labels ?? {}, failedPilots, ...(policy === undefined ? {} : { policy }) };
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));
