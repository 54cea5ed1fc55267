import { fleetPopOf } from "../core/fleet/pop.ts";
import { type Probe, type ProbeResult, type Sample, sameResult } from "../core/health/probe.ts";
import type { Clock } from "../runtime/clock.ts";
import { WorkQueue } from "../runtime/queue.ts";
import { reconcile, type DecisionShape, type Loop, type Reconciler } from "../runtime/reconcile.ts";
import { Sampler } from "../runtime/sampler.ts";
import { AssignmentChanges } from "./assignment-changes.ts";
import { FleetReconciler } from "./fleet-reconciler.ts";
import { FleetChanges } from "./fleet-changes.ts";
import { ForecastKeeper } from "./forecast/keeper.ts";
import { type HubCaches, hubCacheList, openHubCaches } from "./hub-caches.ts";
import { excusedBeside } from "./observe/neighbours.ts";
import { rolloutPop } from "./observe/pop-rollout.ts";
import { PopReconciler } from "./pop-reconciler.ts";
import { PopChanges } from "./pop-changes.ts";
import { type Cluster, type EventSink, type Forecast, isConflict, type Prober } from "./ports.ts";
import { RolloutReconciler } from "./rollout-reconciler.ts";
import { runProbe, type ReadSecret } from "./run-probe.ts";
import { SiteCacheSet } from "./site-caches.ts";
import type { Sites } from "./sites.ts";
import type { Told } from "./told.ts";
import { TunnelIndex } from "./tunnels/tunnel-index.ts";
import { type TunnelFacts, TunnelReader } from "./tunnels/tunnel-reader.ts";
import { TunnelReconciler } from "./tunnels/tunnel-reconciler.ts";
import { wakeRules } from "./wake-rules.ts";
import { windowPopOf, WindowReconciler } from "./window-reconciler.ts";

export interface OperatorPorts {
  readonly clock: Clock;
  /** Chance, for jitter only. */
  readonly random: () => number;
  readonly hub: Cluster;
  readonly sites: Sites;
  readonly prober: Prober;
  readonly events: EventSink;
  readonly told: Told;
  readonly readSecret: ReadSecret;
  readonly namespace: string;
  readonly tzdata: string;
  readonly defaultPrometheus?: string | undefined;
  /** Looks ahead; without it no forecast stands in status. */
  readonly forecast?: Forecast;
}

/** Results in a row that still wake: as many as checks ask for, as a rule. */
const SETTLES_AFTER = 8;
/** The longest run of good or bad answers that a check may ask for. */
const SAMPLES_KEPT = 100;
const STOP_GRACE = 5_000;

/**
 * The controllers on their caches. Caches are open from `start` on, in a standby too; the queues work only during a term as leader.
 */
export class Operator {
  readonly #ports: OperatorPorts;
  readonly #hubCaches: HubCaches;
  readonly #siteCaches: SiteCacheSet;
  readonly #tunnels: TunnelIndex;
  #term: Term | undefined;

  constructor(ports: OperatorPorts) {
    this.#ports = ports;
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

  /** What is not in sync yet, for readiness; empty when all is. */
  unsynced(): readonly string[] {
    return hubCacheList(this.#hubCaches)
      .filter(([, cache]) => !cache.synced)
      .map(([kind]) => kind);
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
    const work = new Term(this.#ports, this.#hubCaches, this.#siteCaches, this.#tunnels, isLeader);
    this.#term = work;
    work.start();
    await new Promise<void>((resolve) => term.addEventListener("abort", () => resolve(), { once: true }));
    this.#term = undefined;
    await work.stop();
  }

  stop(): void {
    for (const [, cache] of hubCacheList(this.#hubCaches)) cache.stop();
    this.#siteCaches.stop();
  }

  /** Which change looks again at what. A change only wakes: what is to be done is decided from what is read then. */
  #wire(): void {
    const { pops, windows, fleets, records, rollouts, approvals } = this.#hubCaches;
    const seen = { byRollouts: new PopChanges(rolloutPop), byFleet: new PopChanges(fleetPopOf), byWindow: new PopChanges(windowPopOf) };
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
      if (seen.byWindow.matters(pop, deleted)) for (const { metadata } of windows.list()) this.#term?.queues.windows.add(metadata.name);
      for (const { metadata } of excusedBeside(pop, pops.list(), regions.get(pop.metadata.uid))) this.#term?.queues.pops.add(metadata.name);
      if (deleted) regions.delete(pop.metadata.uid);
      else regions.set(pop.metadata.uid, pop.spec.region);
    });
    windows.onChange((window) => {
      this.#term?.queues.windows.add(window.metadata.name);
      wakeRollouts();
      for (const pop of pops.list()) if (pop.spec.windowRef.name === window.metadata.name) this.#term?.queues.pops.add(pop.metadata.name);
    });
    const ofFleet = new FleetChanges();
    fleets.onChange((fleet, deleted) => {
      this.#term?.queues.fleets.add(fleet.metadata.name);
      const { everybody, pops: concerned } = ofFleet.of(fleet, deleted, this.#tunnels.partners);
      for (const name of everybody ? pops.list().map(({ metadata }) => metadata.name) : concerned) this.#term?.queues.pops.add(name);
      if (everybody) wakeRollouts();
    });
    approvals.onChange(({ spec }) => this.#term?.queues.rollouts.add(spec.for.name));
    const changes = new AssignmentChanges();
    rollouts.onChange((rollout, deleted) => {
      changes.popsOf(rollout, deleted).forEach((pop) => this.#term?.queues.pops.add(pop));
      wakeRollouts();
    });
    records.onChange((record) => wakeRules.popsOfRecord(record).forEach((pop) => this.#term?.queues.pops.add(pop)));
  }
}

interface Queues {
  readonly pops: WorkQueue;
  readonly windows: WorkQueue;
  readonly fleets: WorkQueue;
  readonly rollouts: WorkQueue;
  /** Sites of tenants have workers of their own: however many change at once, the fleet does not wait behind them. */
  readonly tunnels: WorkQueue;
}

/** One term as leader: queues, sampler and what was heard begin anew with it. */
class Term {
  readonly queues: Queues;
  readonly reader: TunnelReader;
  readonly forecast: ForecastKeeper | undefined;
  readonly #ports: OperatorPorts;
  readonly #hubCaches: HubCaches;
  readonly #siteCaches: SiteCacheSet;
  readonly #tunnels: TunnelIndex;
  readonly #isLeader: () => boolean;
  readonly #sampler: Sampler<Probe, ProbeResult>;
  /** What the stages of rollouts ask; apart, because a PoP and a rollout may share a name. */
  readonly #evidence: Sampler<Probe, ProbeResult>;
  readonly #wanted = new Map<string, readonly string[]>();
  #stopped = false;

  constructor(ports: OperatorPorts, hubCaches: HubCaches, siteCaches: SiteCacheSet, tunnels: TunnelIndex, isLeader: () => boolean) {
    this.#ports = ports;
    this.#hubCaches = hubCaches;
    this.#siteCaches = siteCaches;
    this.#tunnels = tunnels;
    this.#isLeader = () => !this.#stopped && isLeader();
    this.queues = {
      pops: this.#queue("PoPCluster", 4),
      windows: this.#queue("MaintenanceWindow", 1),
      fleets: this.#queue("Fleet", 1),
      rollouts: this.#queue("PoPRollout", 1),
      tunnels: this.#queue("TunnelSite", 2),
    };
    this.reader = new TunnelReader({
      ...ports,
      defaultPrometheus: ports.defaultPrometheus,
      pops: hubCaches.pops,
      index: tunnels,
      onChange: (site) => this.queues.tunnels.add(site),
    });
    this.forecast = this.#newForecast();
    this.#sampler = this.#newSampler(this.queues.pops);
    this.#evidence = this.#newSampler(this.queues.rollouts);
  }

  start(): void {
    const { hub, events, told, namespace, tzdata } = this.#ports;
    const pops = new PopReconciler({
      ...this.#ports,
      defaultPrometheus: this.#ports.defaultPrometheus,
      hubCaches: this.#hubCaches,
      siteCaches: this.#siteCaches,
      partnersOf: (pop) => this.#tunnels.partners.get(pop),
      samplesOf: (key) => ({ keys: this.#wanted.get(key) ?? [], samples: (probe): readonly Sample[] => this.#sampler.samples(probe) }),
    });
    const windows = new WindowReconciler({ hub, hubCaches: this.#hubCaches, events, namespace });
    const partners = () => this.#tunnels.partners;
    const fleets = new FleetReconciler({ hub, hubCaches: this.#hubCaches, events, told, namespace, tzdata, partners });
    const tunnels = new TunnelReconciler({ hub, hubCaches: this.#hubCaches, index: this.#tunnels, reader: this.reader, namespace });
    this.#work(this.queues.pops, pops, (key, probes) => this.#want(key, probes));
    this.#work(this.queues.windows, windows, () => {});
    this.#work(this.queues.fleets, fleets, () => {});
    const asked = new Map<string, readonly string[]>();
    const rollouts = new RolloutReconciler({
      ...this.#ports,
      hubCaches: this.#hubCaches,
      defaultPrometheus: this.#ports.defaultPrometheus,
      samplesOf: (key) => new Map((asked.get(key) ?? []).map((probe) => [probe, this.#evidence.samples(probe)])),
      forecastOf: (uid) => this.forecast?.of(uid),
    });
    this.#work(this.queues.rollouts, rollouts, (key, probes) => {
      asked.set(
        key,
        probes.map((probe) => probe.key),
      );
      this.#evidence.want(key, probes);
    });
    this.#work(this.queues.tunnels, tunnels, () => {});
    this.reader.start();
    this.forecast?.look();
    for (const { metadata } of this.#hubCaches.rollouts.list()) this.queues.rollouts.add(metadata.name);
    for (const pop of this.#hubCaches.pops.list()) this.queues.pops.add(pop.metadata.name);
    for (const window of this.#hubCaches.windows.list()) this.queues.windows.add(window.metadata.name);
    for (const fleet of this.#hubCaches.fleets.list()) this.queues.fleets.add(fleet.metadata.name);
    for (const { metadata } of this.#hubCaches.tunnelSites.list()) this.queues.tunnels.add(`${metadata.namespace}/${metadata.name}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sampler.stop();
    this.#evidence.stop();
    this.reader.stop();
    this.forecast?.stop();
    await Promise.all(Object.values(this.queues).map((queue: WorkQueue) => queue.stop(STOP_GRACE)));
  }

  #newForecast(): ForecastKeeper | undefined {
    const { clock, forecast, namespace, told } = this.#ports;
    if (forecast === undefined) return undefined;
    const { fleets, windows, pops, rollouts, approvals } = this.#hubCaches;
    return new ForecastKeeper({
      clock,
      forecast,
      input: () => {
        const fleet = fleets.get("fleet", namespace);
        const objects = { windows: windows.list(), pops: pops.list(), rollouts: rollouts.list(), approvals: approvals.list() };
        return { namespace, ...(fleet ? { fleet } : {}), ...objects, partners: this.#tunnels.partners };
      },
      onChange: (uids) => {
        for (const { metadata } of rollouts.list()) if (uids.includes(metadata.uid)) this.queues.rollouts.add(metadata.name);
      },
      onError: (message, error) => told.forecastFailed(message, error),
    });
  }

  #newSampler(queue: WorkQueue): Sampler<Probe, ProbeResult> {
    const { clock, prober, readSecret } = this.#ports;
    return new Sampler<Probe, ProbeResult>({
      clock,
      run: (probe) => runProbe(probe, prober, readSecret),
      equal: sameResult,
      kept: SAMPLES_KEPT,
      settlesAfter: SETTLES_AFTER,
      onChange: (owner) => queue.add(owner),
    });
  }

  #want(key: string, probes: readonly Probe[]): void {
    this.#wanted.set(
      key,
      probes.map((probe) => probe.key),
    );
    this.#sampler.want(key, probes);
  }

  #queue(kind: string, workers: number): WorkQueue {
    const { clock, random, told } = this.#ports;
    return new WorkQueue({
      clock,
      random,
      workers,
      observer: told.queue(kind),
    });
  }

  #work<Observation, Status, Action, Decision extends DecisionShape<Status, Action, Probe>>(
    queue: WorkQueue,
    kind: Reconciler<Observation, Status, Action, Probe, Decision>,
    want: (key: string, probes: readonly Probe[]) => void,
  ): void {
    const loop: Loop<Probe> = {
      clock: this.#ports.clock,
      isLeader: this.#isLeader,
      want,
      wakeAt: (key, at) => queue.add(key, at),
      wakeAfter: (key, milliseconds) => queue.addAfter(key, milliseconds),
      isConflict,
    };
    queue.start((key) => reconcile(kind, loop, key));
  }
}
