import { POP_CLUSTER } from "../api/resources.ts";
import { type Probe, type ProbeResult, type Sample, sameResult } from "../core/health/probe.ts";
import { WorkQueue } from "../runtime/queue.ts";
import { reconcile, type DecisionShape, type Loop, type Reconciler } from "../runtime/reconcile.ts";
import { Sampler } from "../runtime/sampler.ts";
import { ApprovalReconciler } from "./approval-reconciler.ts";
import { FleetReconciler } from "./fleet-reconciler.ts";
import { ForecastKeeper } from "./forecast/keeper.ts";
import type { ClientAccountIndex } from "./clients/account-index.ts";
import { ClientWork } from "./clients/client-work.ts";
import { announce } from "./announce.ts";
import { tellFailing } from "./failing.ts";
import type { HubCaches } from "./hub-caches.ts";
import type { OperatorPorts } from "./operator-ports.ts";
import { PopReconciler } from "./pop-reconciler.ts";
import { isConflict } from "./ports.ts";
import { RolloutReconciler } from "./rollout-reconciler.ts";
import { runProbe } from "./run-probe.ts";
import type { SiteCacheSet } from "./site-caches.ts";
import type { SiteIndex } from "./sockets/site-index.ts";
import { SocketWork } from "./sockets/socket-work.ts";
import type { TunnelIndex } from "./tunnels/tunnel-index.ts";
import { TunnelReader } from "./tunnels/tunnel-reader.ts";
import { TunnelReconciler } from "./tunnels/tunnel-reconciler.ts";
import { windowKey, WindowReconciler } from "./window-reconciler.ts";

/** Results in a row that still wake: as many as checks ask for, as a rule. */
const SETTLES_AFTER = 8;
/** The longest run of good or bad answers that a check may ask for. */
const SAMPLES_KEPT = 100;
const STOP_GRACE = 5_000;

interface Queues {
  readonly pops: WorkQueue;
  readonly windows: WorkQueue;
  readonly fleets: WorkQueue;
  readonly rollouts: WorkQueue;
  readonly approvals: WorkQueue;
  readonly clients: WorkQueue;
  /** Sites of tenants have workers of their own: however many change at once, the fleet does not wait behind them. */
  readonly tunnels: WorkQueue;
}

export interface TermParts {
  readonly ports: OperatorPorts;
  readonly hubCaches: HubCaches;
  readonly siteCaches: SiteCacheSet;
  readonly tunnels: TunnelIndex;
  readonly socketSites: SiteIndex;
  readonly clientAccounts: ClientAccountIndex;
  readonly isLeader: () => boolean;
}

/** One term as leader: queues, sampler and what was heard begin anew with it. */
export class Term {
  readonly queues: Queues;
  readonly reader: TunnelReader;
  readonly sockets: SocketWork;
  readonly clients: ClientWork;
  readonly forecast: ForecastKeeper | undefined;
  readonly #ports: OperatorPorts;
  readonly #hubCaches: HubCaches;
  readonly #siteCaches: SiteCacheSet;
  readonly #tunnels: TunnelIndex;
  readonly #socketSites: SiteIndex;
  readonly #isLeader: () => boolean;
  readonly #sampler: Sampler<Probe, ProbeResult>;
  /** What the stages of rollouts ask; apart, because a PoP and a rollout may share a name. */
  readonly #evidence: Sampler<Probe, ProbeResult>;
  /** What pauses rollouts of Clients; apart for the same reason. */
  readonly #clientHealth: Sampler<Probe, ProbeResult>;
  readonly #wanted = new Map<string, readonly string[]>();
  #stopped = false;

  constructor({ ports, hubCaches, siteCaches, tunnels, socketSites, clientAccounts, isLeader }: TermParts) {
    this.#ports = ports;
    this.#hubCaches = hubCaches;
    this.#siteCaches = siteCaches;
    this.#tunnels = tunnels;
    this.#socketSites = socketSites;
    this.#isLeader = () => !this.#stopped && isLeader();
    this.queues = {
      pops: this.#queue("PoPCluster", 4),
      windows: this.#queue("MaintenanceWindow", 1),
      fleets: this.#queue("Fleet", 1),
      rollouts: this.#queue("PoPRollout", 1),
      approvals: this.#queue("Approval", 1),
      clients: this.#queue("ClientRollout", 1),
      tunnels: this.#queue("TunnelSite", 2),
    };
    this.reader = new TunnelReader({
      ...ports,
      defaultPrometheus: ports.defaultPrometheus,
      pops: hubCaches.pops,
      index: tunnels,
      onChange: (site) => this.queues.tunnels.add(site),
      onUnanswered: ({ metadata }, unanswered) => {
        if (this.#isLeader()) announce(ports.events, [unanswered], { ...POP_CLUSTER, metadata });
      },
    });
    this.#clientHealth = this.#newSampler(this.queues.clients);
    const clients = new ClientWork({
      ports,
      hubCaches,
      accounts: clientAccounts,
      isLeader: this.#isLeader,
      queue: this.queues.clients,
      loop: (want) => this.#loop<Probe>(this.queues.clients, want),
      evidence: this.#clientHealth,
      onPolicy: (namespace, soon) => this.sockets.clientsOf(namespace, soon),
    });
    this.clients = clients;
    this.sockets = new SocketWork({
      ports,
      hubCaches,
      index: socketSites,
      tunnels,
      isLeader: this.#isLeader,
      queue: (kind, workers) => this.#queue(kind, workers),
      loop: (queue) => this.#loop(queue, () => {}),
      clientsSeenBy: (policy, account) => clients.seenBy(policy, account),
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
    const windows = new WindowReconciler({ hub, hubCaches: this.#hubCaches, sites: this.#socketSites, events, namespace });
    const partners = () => this.#tunnels.partners;
    const fleets = new FleetReconciler({ hub, hubCaches: this.#hubCaches, events, told, namespace, tzdata, partners });
    const tunnels = new TunnelReconciler({ hub, hubCaches: this.#hubCaches, index: this.#tunnels, reader: this.reader, namespace });
    this.#work(this.queues.pops, pops, (key, probes) => this.#want(key, probes));
    this.#work(this.queues.windows, windows, () => {});
    this.#work(this.queues.fleets, fleets, () => {});
    const approvals = new ApprovalReconciler({ hub, hubCaches: this.#hubCaches, events, told, namespace });
    this.#work(this.queues.approvals, approvals, () => {});
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
    this.sockets.start();
    void this.clients.start();
    this.forecast?.look();
    for (const { metadata } of this.#hubCaches.rollouts.list()) this.queues.rollouts.add(metadata.name);
    for (const { metadata } of this.#hubCaches.approvals.list()) this.queues.approvals.add(metadata.name);
    for (const pop of this.#hubCaches.pops.list()) this.queues.pops.add(pop.metadata.name);
    for (const window of this.#hubCaches.accountWindows.list()) this.queues.windows.add(windowKey(window));
    for (const fleet of this.#hubCaches.fleets.list()) this.queues.fleets.add(fleet.metadata.name);
    for (const { metadata } of this.#hubCaches.tunnelSites.list()) this.queues.tunnels.add(`${metadata.namespace}/${metadata.name}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#sampler.stop();
    this.#evidence.stop();
    this.#clientHealth.stop();
    this.reader.stop();
    this.sockets.stop();
    this.clients.stop();
    this.forecast?.stop();
    await Promise.all([...Object.values(this.queues), ...this.sockets.queues].map((queue: WorkQueue) => queue.stop(STOP_GRACE)));
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
    const { clock, random, told, events, namespace } = this.#ports;
    const observer = told.queue(kind);
    const tell = tellFailing(kind, { hubCaches: this.#hubCaches, events, namespace, isLeader: this.#isLeader });
    return new WorkQueue({
      clock,
      random,
      workers,
      observer: {
        ...observer,
        retrying: (...retry) => {
          observer.retrying?.(...retry);
          tell(...retry);
        },
      },
    });
  }

  #work<Observation, Status, Action, Decision extends DecisionShape<Status, Action, Probe>>(
    queue: WorkQueue,
    kind: Reconciler<Observation, Status, Action, Probe, Decision>,
    want: (key: string, probes: readonly Probe[]) => void,
  ): void {
    const loop = this.#loop<Probe>(queue, want);
    queue.start((key) => reconcile(kind, loop, key));
  }

  #loop<Asked>(queue: WorkQueue, want: Loop<Asked>["want"]): Loop<Asked> {
    return {
      clock: this.#ports.clock,
      isLeader: this.#isLeader,
      want,
      wakeAt: (key, at) => queue.add(key, at),
      wakeAfter: (key, milliseconds) => queue.addAfter(key, milliseconds),
      isConflict,
    };
  }
}
