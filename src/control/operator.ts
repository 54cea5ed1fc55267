import { fleetPopOf } from "../core/fleet/pop.ts";
import { AssignmentChanges } from "./assignment-changes.ts";
import { ClientAccountIndex } from "./clients/account-index.ts";
import { ClientChanges } from "./clients/client-changes.ts";
import { FleetChanges } from "./fleet-changes.ts";
import { type HubCaches, hubCacheList, openHubCaches } from "./hub-caches.ts";
import { excusedBeside } from "./observe/neighbours.ts";
import { rolloutPop } from "./observe/pop-rollout.ts";
import type { OperatorPorts } from "./operator-ports.ts";
import { PopChanges } from "./pop-changes.ts";
import { SiteCacheSet } from "./site-caches.ts";
import { SiteIndex } from "./sockets/site-index.ts";
import { SocketChanges } from "./sockets/socket-changes.ts";
import { Term } from "./term.ts";
import { throughSites } from "./through-sites.ts";
import { TunnelIndex } from "./tunnels/tunnel-index.ts";
import type { TunnelFacts } from "./tunnels/tunnel-reader.ts";
import { wakeRules } from "./wake-rules.ts";
import { windowKey, windowPopOf } from "./window-reconciler.ts";

export type { OperatorPorts } from "./operator-ports.ts";

/**
 * The controllers on their caches. Caches are open from `start` on, in a standby too; the queues work only during a term as leader.
 */
export class Operator {
  readonly #ports: OperatorPorts;
  readonly #hubCaches: HubCaches;
  readonly #siteCaches: SiteCacheSet;
  readonly #tunnels: TunnelIndex;
  readonly #socketSites: SiteIndex;
  readonly #clientAccounts: ClientAccountIndex;
  #term: Term | undefined;

  constructor(ports: OperatorPorts) {
    this.#ports = { ...ports, prober: throughSites(ports.prober, ports.sites) };
    this.#hubCaches = openHubCaches(ports.hub, ports.namespace);
    this.#tunnels = new TunnelIndex(this.#hubCaches, ports.namespace, {
      site: (key) => {
        this.#term?.queues.tunnels.add(key);
        // Nobody is asked without a site: the first one, and the last to go, change that.
        if (this.#tunnels.size < 2) this.#term?.reader.refresh();
      },
      partners: (pops) => {
        this.#term?.queues.fleets.add("fleet");
        for (const pop of pops) this.#term?.queues.pops.add(pop);
        this.#term?.forecast?.look();
      },
    });
    this.#socketSites = new SiteIndex(this.#hubCaches, ports.namespace, {
      site: (key) => this.#term?.sockets.site(key),
      tooShort: (namespace) => this.#windowsOf(namespace, ports.namespace),
    });
    new SocketChanges(this.#hubCaches, this.#socketSites, ports.namespace, () => this.#term?.sockets).listen();
    this.#clientAccounts = new ClientAccountIndex(this.#hubCaches, ports.namespace);
    const wakes = {
      policy: (namespace: string) => this.#term?.sockets.clientsOf(namespace, true),
      approval: (name: string) => this.#term?.queues.approvals.add(name),
    };
    new ClientChanges(this.#hubCaches, ports.namespace, () => this.#term?.clients, wakes).listen();
    const wake = (pop: string) => this.#term?.queues.pops.add(pop);
    this.#siteCaches = new SiteCacheSet({
      node: (node, before) => wakeRules.popsOfNode(node, before, this.#hubCaches.pops.list()).forEach(wake),
      pod: (pod, node) => wakeRules.popsOfPod(pod, node, this.#hubCaches.pops.list()).forEach(wake),
      // Which PoPs are of that cluster only their Secrets tell; a silence is rare, and a look at each PoP is cheap.
      silence: () => this.#hubCaches.pops.list().forEach(({ metadata }) => wake(metadata.name)),
      daemonSet: (set) => wakeRules.popsOfDaemonSet(set, this.#hubCaches.pops.list()).forEach(wake),
    });
    this.#wire();
  }

  /** Kinds that are not in sync yet, for readiness, each once, also where there are two views of it; empty when all are. */
  unsynced(): readonly string[] {
    const waiting = hubCacheList(this.#hubCaches).filter(([, cache]) => !cache.synced);
    return [...new Set(waiting.map(([kind]) => kind))];
  }

  /** Ages of the views, by kind, for the metric and the alert of silent watches. */
  ages(): readonly (readonly [string, number])[] {
    return [...hubCacheList(this.#hubCaches), ...this.#siteCaches.named()].map(([kind, cache]) => [kind, cache.age] as const);
  }

  /** What was heard of tunnels, for metrics; nothing in a standby. */
  tunnels(): { readonly dualSites: number; readonly pops: readonly TunnelFacts[] } {
    return { dualSites: this.#tunnels.dualSites, pops: this.#term?.reader.facts() ?? [] };
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    await Promise.all(hubCacheList(this.#hubCaches).map(([, cache]) => cache.whenSynced(signal)));
  }

  /** Works until the term ends. `isLeader` is asked right before every write. */
  async lead(term: AbortSignal, isLeader: () => boolean): Promise<void> {
    await this.whenSynced(term);
    if (term.aborted) return;
    const work = new Term({
      ports: this.#ports,
      hubCaches: this.#hubCaches,
      siteCaches: this.#siteCaches,
      tunnels: this.#tunnels,
      socketSites: this.#socketSites,
      clientAccounts: this.#clientAccounts,
      isLeader,
    });
    this.#term = work;
    try {
      work.start();
      await new Promise<void>((resolve) => term.addEventListener("abort", () => resolve(), { once: true }));
    } finally {
      // Also one that did not start whole: what of it works would go on as long as the lease lasts.
      this.#term = undefined;
      await work.stop();
      // A standby looks at no Secret, so it would not learn that a kubeconfig was rotated, and watch with the old one for ever.
      this.#siteCaches.stop();
    }
  }

  stop(): void {
    for (const [, cache] of hubCacheList(this.#hubCaches)) cache.stop();
    this.#siteCaches.stop();
  }

  /** The windows that a site of this namespace may have, the provider's default among them. */
  #windowsOf(...namespaces: readonly string[]): void {
    for (const window of this.#hubCaches.accountWindows.list())
      if (namespaces.includes(window.metadata.namespace ?? "")) this.#term?.queues.windows.add(windowKey(window));
  }

  /** Which change looks again at what. A change only wakes: what is to be done is decided from what is read then. */
  #wire(): void {
    const { pops, windows, accountWindows, fleets, records, rollouts, approvals } = this.#hubCaches;
    const seen = {
      byRollouts: new PopChanges(rolloutPop),
      byFleet: new PopChanges(fleetPopOf),
      byWindow: new PopChanges(windowPopOf),
      byApprovals: new PopChanges(({ spec }) => spec.windowRef.name),
    };
    /** The region that each PoP was seen in last, by UID: those that it excused there hear that it has left. */
    const regions = new Map<string, string | undefined>();
    const lookAhead = () => this.#term?.forecast?.look();
    for (const cache of [pops, windows, fleets, rollouts, approvals]) cache.onChange(lookAhead);
    const wakeRollouts = () => rollouts.list().forEach(({ metadata }) => this.#term?.queues.rollouts.add(metadata.name));
    pops.onChange((pop, deleted) => {
      this.#term?.queues.pops.add(pop.metadata.name);
      if (seen.byRollouts.matters(pop, deleted)) wakeRollouts();
      if (seen.byFleet.matters(pop, deleted)) this.#term?.queues.fleets.add("fleet");
      // Also the one that it names no more.
      if (seen.byWindow.matters(pop, deleted)) for (const window of windows.list()) this.#term?.queues.windows.add(windowKey(window));
      // They name the freezes of the windows that PoPs have.
      if (seen.byApprovals.matters(pop, deleted))
        for (const { metadata } of approvals.list()) this.#term?.queues.approvals.add(metadata.name);
      for (const { metadata } of excusedBeside(pop, pops.list(), regions.get(pop.metadata.uid))) this.#term?.queues.pops.add(metadata.name);
      if (deleted) regions.delete(pop.metadata.uid);
      else regions.set(pop.metadata.uid, pop.spec.region);
    });
    windows.onChange((window) => {
      wakeRollouts();
      // They name its freezes.
      for (const { metadata } of approvals.list()) this.#term?.queues.approvals.add(metadata.name);
      for (const pop of pops.list()) if (pop.spec.windowRef.name === window.metadata.name) this.#term?.queues.pops.add(pop.metadata.name);
    });
    // The provider's own among them.
    accountWindows.onChange((window) => this.#term?.queues.windows.add(windowKey(window)));
    const ofFleet = new FleetChanges();
    fleets.onChange((fleet, deleted) => {
      this.#term?.queues.fleets.add(fleet.metadata.name);
      const { everybody, pops: concerned } = ofFleet.of(fleet, deleted, this.#tunnels.partners);
      for (const name of everybody ? pops.list().map(({ metadata }) => metadata.name) : concerned) this.#term?.queues.pops.add(name);
      if (everybody) wakeRollouts();
      if (everybody) for (const { metadata } of approvals.list()) this.#term?.queues.approvals.add(metadata.name);
    });
    approvals.onChange(({ spec, metadata }) => {
      if (spec.for.kind === "PoPRollout") this.#term?.queues.rollouts.add(spec.for.name);
      this.#term?.queues.approvals.add(metadata.name);
    });
    const changes = new AssignmentChanges();
    rollouts.onChange((rollout, deleted) => {
      changes.popsOf(rollout, deleted).forEach((pop) => this.#term?.queues.pops.add(pop));
      for (const { metadata, spec } of approvals.list())
        if (spec.for.kind === "PoPRollout" && spec.for.name === rollout.metadata.name) this.#term?.queues.approvals.add(metadata.name);
      wakeRollouts();
    });
    records.onChange((record) => wakeRules.popsOfRecord(record).forEach((pop) => this.#term?.queues.pops.add(pop)));
  }
}
