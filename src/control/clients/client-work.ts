import type { AccountPolicy } from "../../api/account-policy.ts";
import type { SeenClients } from "../../core/account-policy/observation.ts";
import { NOBODY } from "../../core/client/numbers.ts";
import type { Probe, Sample } from "../../core/health/probe.ts";
import { HOUR } from "../../core/time/civil.ts";
import type { WorkQueue } from "../../runtime/queue.ts";
import { type Loop, reconcile } from "../../runtime/reconcile.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { OperatorPorts } from "../operator-ports.ts";
import type { ClientAccountIndex } from "./account-index.ts";
import { Census } from "./census.ts";
import { ClientCounts } from "./client-counts.ts";
import { ClientRolloutReconciler } from "./client-rollout-reconciler.ts";

export interface ClientWorkParts {
  readonly ports: OperatorPorts;
  readonly hubCaches: HubCaches;
  readonly accounts: ClientAccountIndex;
  readonly isLeader: () => boolean;
  readonly queue: WorkQueue;
  readonly loop: (want: Loop<Probe>["want"]) => Loop<Probe>;
  readonly evidence: {
    want(key: string, probes: readonly Probe[]): void;
    samples(probe: string): readonly Sample[];
  };
  /** What an account is told has changed; `soon`: also what may hold it. */
  readonly onPolicy: (namespace: string, soon: boolean) => void;
}

/** Numbers of a rollout in flight are read at most this often; elapsed milliseconds. */
const COUNTED_EVERY = 10_000;

/** The part of one term as leader that is about Clients: their queue, what the inventory counts of them, the census. */
export class ClientWork {
  readonly #parts: ClientWorkParts;
  readonly #counts: ClientCounts | undefined;
  readonly #census: Census | undefined;
  #stopped = false;

  constructor(parts: ClientWorkParts) {
    this.#parts = parts;
    const { ports, hubCaches, accounts, isLeader } = parts;
    const { clients: inventory, clock, told, clientsCountedEvery: every = COUNTED_EVERY } = ports;
    if (inventory === undefined) return;
    const rollouts = () => hubCaches.clientRollouts.list();
    const onError = (message: string, error: unknown) => told.clientsFailed(message, error);
    const counts = new ClientCounts({
      clock,
      inventory,
      rollouts,
      every,
      onRollouts: (uids) => this.#wake(uids),
      onAccount: (account, pilots) => this.#tell(account, pilots),
      onRead: () => void this.#census?.look(),
      onVersions: (rows) => told.clientVersions(rows),
      onError,
    });
    this.#counts = counts;
    this.#census = new Census({
      clock,
      inventory,
      isLeader,
      rollouts,
      accounts: () => accounts.all,
      directories: () => counts.directories,
      // An hour at ten seconds; where numbers are read less often, the census keeps the same distance.
      every: Math.max(HOUR, (HOUR / COUNTED_EVERY) * every),
      onCounted: () => {
        void counts.refresh();
        this.#wake(rollouts().map(({ metadata }) => metadata.uid));
      },
      onError,
    });
  }

  /** Works as soon as the inventory was asked once: the first look would else say of every rollout that nobody counts. */
  async start(): Promise<void> {
    const { ports, queue, loop, evidence, hubCaches } = this.#parts;
    const asked = new Map<string, readonly string[]>();
    const reconciler = new ClientRolloutReconciler({
      ...this.#parts,
      ...ports,
      counts: this.#counts,
      census: this.#census,
      defaultPrometheus: ports.defaultPrometheus,
      samplesOf: (key) => new Map((asked.get(key) ?? []).map((probe) => [probe, evidence.samples(probe)])),
    });
    const want = (key: string, probes: readonly Probe[]): void => {
      asked.set(
        key,
        probes.map((probe) => probe.key),
      );
      evidence.want(key, probes);
    };
    await this.#counts?.start();
    if (this.#stopped) return;
    const ready = loop(want);
    queue.start((key) => reconcile(reconciler, ready, key));
    for (const { metadata } of hubCaches.clientRollouts.list()) queue.add(metadata.name);
  }

  stop(): void {
    this.#stopped = true;
    this.#counts?.stop();
    this.#census?.stop();
  }

  /** Every rollout looks again: they look at each other. */
  rollouts(): void {
    for (const { metadata } of this.#parts.hubCaches.clientRollouts.list()) this.rollout(metadata.name);
  }

  rollout(name: string): void {
    this.#parts.queue.add(name);
  }

  /** What decides who is eligible may have changed. */
  recount(): void {
    this.#census?.changed();
  }

  /** What is known of an account's Clients, for its AccountPolicy; undefined: there is no rollout of Clients. */
  async seenBy({ metadata, spec }: AccountPolicy, account: string): Promise<SeenClients | undefined> {
    const rollouts = this.#parts.hubCaches.clientRollouts.list();
    if (rollouts.length === 0) return undefined;
    const pauses = Object.values(spec.clients ?? {}).some((policy) => policy?.pause !== undefined);
    const replicas = pauses ? await this.#counts?.replicas() : undefined;
    const devices = this.#counts?.devicesOf(account);
    return {
      rollouts: rollouts.map((rollout) => {
        const counted = this.#counts?.of(rollout.metadata.uid);
        const numbers = counted && (counted.accounts.get(account) ?? { all: NOBODY, pilots: NOBODY });
        return { ...rollout, ...(numbers === undefined ? {} : { numbers }) };
      }),
      ...(devices === undefined ? {} : { devices }),
      policyTwice: this.#parts.accounts.all.get(account)?.generation === undefined,
      ...(replicas === undefined
        ? {}
        : {
            replicas: replicas.map(({ silentMilliseconds, policies }) => {
              const generation = policies.get(metadata.uid);
              return { silentMilliseconds, ...(generation === undefined ? {} : { generation }) };
            }),
          }),
    };
  }

  #wake(uids: readonly string[]): void {
    for (const { metadata } of this.#parts.hubCaches.clientRollouts.list()) if (uids.includes(metadata.uid)) this.rollout(metadata.name);
  }

  #tell(account: string, pilots: boolean): void {
    const found = this.#parts.accounts.all.get(account);
    if (found !== undefined) this.#parts.onPolicy(found.namespace, pilots);
  }
}
