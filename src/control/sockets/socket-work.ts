import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import type { SeenClients } from "../../core/account-policy/observation.ts";
import type { Notice } from "../../core/socket/notice.ts";
import type { WorkQueue } from "../../runtime/queue.ts";
import { type Loop, reconcile } from "../../runtime/reconcile.ts";
import { announce } from "../announce.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { OperatorPorts } from "../operator-ports.ts";
import type { TunnelIndex } from "../tunnels/tunnel-index.ts";
import { AccountPolicyReconciler } from "./account-policy-reconciler.ts";
import { DeviceSweep } from "./device-sweep.ts";
import { InventoryFeed } from "./inventory-feed.ts";
import { InventoryWatch } from "./inventory-watch.ts";
import { NoticeSender } from "./notice-sender.ts";
import { keyOf } from "../object-key.ts";
import type { SiteIndex } from "./site-index.ts";
import { SocketReconciler } from "./socket-reconciler.ts";
import { SocketRolloutReconciler } from "./socket-rollout-reconciler.ts";

export interface SocketWorkParts {
  readonly ports: OperatorPorts;
  readonly hubCaches: HubCaches;
  readonly index: SiteIndex;
  readonly tunnels: TunnelIndex;
  readonly isLeader: () => boolean;
  readonly queue: (kind: string, workers: number) => WorkQueue;
  readonly loop: (queue: WorkQueue) => Loop<never>;
  /** What its AccountPolicy tells an account of its Clients. */
  readonly clientsSeenBy: (policy: AccountPolicy, account: string) => Promise<SeenClients | undefined>;
}

/** Sites that are looked at side by side: a look at a new site waits for the API server's write most of its time, and sites are many. */
const SITES_AT_ONCE = 16;
/** What sites do is counted for a rollout at most this often; elapsed milliseconds. */
const COUNT_EVERY = 60_000;
/** What an account sees of its sites may be this old. */
const TELL_AFTER = 5_000;
/** Numbers of Clients move all the time in all accounts: each is told of its own this often. */
const TELL_CLIENTS_AFTER = 60_000;

/** The part of one term as leader that is about Sockets: its queues, what it heard of the inventory, the notices on their way. */
export class SocketWork {
  readonly #parts: SocketWorkParts;
  readonly #sites: WorkQueue;
  readonly #rollouts: WorkQueue;
  readonly #policies: WorkQueue;
  readonly #watch: InventoryWatch | undefined;
  readonly #feed: InventoryFeed | undefined;
  readonly #sweep: DeviceSweep | undefined;
  readonly #sender: NoticeSender | undefined;
  readonly #reconciler: SocketReconciler;

  constructor(parts: SocketWorkParts) {
    this.#parts = parts;
    const { ports, queue, index } = parts;
    this.#sites = queue("SocketSite", SITES_AT_ONCE);
    this.#rollouts = queue("SocketRollout", 1);
    this.#policies = queue("AccountPolicy", 1);
    const { inventory, clock } = ports;
    if (inventory !== undefined) {
      const watch = new InventoryWatch({
        clock,
        inventory,
        onFell: (key) => this.#sites.add(key),
        onBack: (keys) => this.#inventoryIsBack(keys),
      });
      this.#watch = watch;
      this.#feed = new InventoryFeed({
        clock,
        watch,
        subscribe: (listener) => inventory.onChange(listener),
        sitesOf: (serial) => index.withSerial(serial),
        wake: (key) => this.#sites.add(key),
      });
      this.#sweep = new DeviceSweep({ clock, watch, index, sites: parts.hubCaches.socketSites, wake: (key) => this.#sites.add(key) });
      this.#sender = this.#newSender(watch);
    }
    this.#reconciler = new SocketReconciler({
      ...parts,
      ...ports,
      serving: this.#watch && { watch: this.#watch, sender: this.#sender },
      wake: (key) => this.#sites.add(key),
    });
  }

  /** Its queues, to be stopped with the others of the term. */
  get queues(): readonly WorkQueue[] {
    return [this.#sites, this.#rollouts, this.#policies];
  }

  start(): void {
    const { ports, hubCaches, index, loop } = this.#parts;
    const [sites, rollouts, policies] = [this.#sites, this.#rollouts, this.#policies].map(loop) as [Loop<never>, Loop<never>, Loop<never>];
    const ofRollouts = new SocketRolloutReconciler({
      ...this.#parts,
      ...ports,
      watch: this.#watch,
      onAdmitted: (keys) => keys.forEach((key) => this.#sites.add(key)),
    });
    const ofPolicies = new AccountPolicyReconciler({ ...this.#parts, ...ports });
    this.#rollouts.start((key) => reconcile(ofRollouts, rollouts, key));
    this.#policies.start((key) => reconcile(ofPolicies, policies, key));
    this.#sites.start(async (key) => {
      const told = this.#feed?.begins(key) ?? [];
      await reconcile(this.#reconciler, sites, key);
      this.#feed?.ended(key, told);
    });
    this.#feed?.start();
    this.#sweep?.start();
    for (const { metadata } of hubCaches.socketRollouts.list()) this.rollout(metadata.name);
    // What is planned or in hand first: the others have nothing to lose by waiting.
    for (const key of index.active()) this.site(key);
    for (const key of index.keys()) this.site(key);
    for (const policy of hubCaches.accountPolicies.list()) this.policy(keyOf(policy));
  }

  stop(): void {
    this.#feed?.stop();
    this.#sweep?.stop();
    this.#sender?.stop();
    this.#watch?.stop();
  }

  site(key: string): void {
    this.#sites.add(key);
  }

  siteDeleted(key: string, site: SocketSite): void {
    this.#reconciler.deleted(key, site);
    this.#sites.add(key);
  }

  rollout(name: string): void {
    this.#rollouts.add(name);
  }

  /** A site of it changed: it is counted before long. */
  recount(name: string): void {
    this.#rollouts.addAfter(name, COUNT_EVERY);
  }

  policy(key: string): void {
    this.#policies.add(key);
  }

  /** A site of it changed: the account is told before long. */
  retell(key: string): void {
    this.#policies.addAfter(key, TELL_AFTER);
  }

  /** What the account is told of its Clients has changed; `soon`: what may hold it, too. */
  clientsOf(namespace: string, soon: boolean): void {
    const key = `${namespace}/account`;
    if (soon) this.#policies.add(key);
    else this.#policies.addAfter(key, TELL_CLIENTS_AFTER);
  }

  #inventoryIsBack(keys: readonly string[]): void {
    for (const key of keys) this.#sites.add(key);
    void this.#feed?.pump();
  }

  #newSender(watch: InventoryWatch): NoticeSender | undefined {
    const { ports, isLeader } = this.#parts;
    const { clock, random, notices } = ports;
    if (notices === undefined) return undefined;
    const wake = (key: string, after?: number) => (after === undefined ? this.#sites.add(key) : this.#sites.addAfter(key, after));
    const onNotTaken = ({ site }: Notice, problem: string) => this.#tellNotTaken(site.namespace, problem);
    return new NoticeSender({ clock, random, notices, watch, isLeader, wake, onNotTaken });
  }

  #tellNotTaken(namespace: string, problem: string): void {
    const { ports, hubCaches } = this.#parts;
    const policy = hubCaches.accountPolicies.get("account", namespace);
    const message = `${problem}. Notices are sent again until they are taken, and the upgrades that they announce wait for it and for the whole notice after it.`;
    const told = { type: "Warning", reason: "NoticeNotTaken", action: "SendNotice", message } as const;
    if (policy !== undefined) announce(ports.events, [told], { ...ACCOUNT_POLICY, metadata: policy.metadata });
  }
}
