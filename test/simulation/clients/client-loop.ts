import type { ClientPolicies } from "../../../src/api/client-policy.ts";
import {
  type ClientNumbers,
  type ClientRollout,
  type ClientRolloutSpec,
  clientRolloutStatus,
  type ClientSystem,
} from "../../../src/api/client-rollout.ts";
import type { CountedClients, Eligible } from "../../../src/control/client-inventory.ts";
import { censusStage } from "../../../src/core/client/census.ts";
import { clientRollout } from "../../../src/core/client/client.examples.ts";
import { userKey } from "../../../src/core/client/cohort.ts";
import { ownPilotFailed } from "../../../src/core/client/policy.ts";
import { clientViews } from "../../../src/core/client/rollout-view.ts";
import { decide } from "../../../src/core/client-rollout/decide.ts";
import type { ObservedRollout } from "../../../src/core/client-rollout/observation.ts";
import type { Instant } from "../../../src/core/decision.ts";
import { HOUR } from "../../../src/core/time/civil.ts";
import { ClientFleet } from "../../../src/simulation/clients/client-fleet.ts";
import { type Fault, faultsOf } from "../../../src/simulation/clients/faults.ts";
import { type ClientHabits, type PlannedAccount, USUAL_HABITS } from "../../../src/simulation/clients/fleet-plan.ts";
import { accountView, type GatewayAccount, MemoryClientGateway } from "../../../src/simulation/clients/gateway.ts";
import { MemoryClientInventory } from "../../../src/simulation/clients/inventory.ts";

export interface LoopOptions {
  readonly accounts: readonly PlannedAccount[];
  readonly start: Instant;
  readonly faults?: Readonly<Record<string, Fault>>;
  readonly habits?: ClientHabits;
  readonly seed?: number;
  readonly slotMilliseconds?: number;
  /** So often a look at least; an hour unless told. */
  readonly lookEvery?: number;
}

/** Rows of a page; nobody else asks for them at once. */
const PAGE = 10_000;

/**
 * Clients, a gateway, the inventory, and the decisions about rollouts in a loop, each look an hour or so after the last one or when a decision
 * asked for it: what the controllers do, without an API server between. Calendar instants alone.
 */
export class ClientLoop {
  readonly inventory: MemoryClientInventory;
  readonly fleet: ClientFleet;
  readonly gateway: MemoryClientGateway;
  readonly accounts: Map<string, GatewayAccount>;
  rollouts: ClientRollout[] = [];
  fleetPaused = false;
  now: Instant;
  /** Each ledger of shares that was ever written, by rollout. */
  readonly shares = new Map<string, (readonly [accounts: number, users: number])[]>();
  readonly #lookEvery: number;
  #views = clientViews([]);
  #seenViews: readonly ClientRollout[] = [];

  private constructor({
    accounts,
    start,
    faults = {},
    habits = USUAL_HABITS,
    seed = 1,
    slotMilliseconds = HOUR,
    lookEvery = HOUR,
  }: LoopOptions) {
    this.#lookEvery = lookEvery;
    this.now = start;
    this.inventory = new MemoryClientInventory(() => this.now);
    this.accounts = new Map(accounts.map(({ name, labels, policies }) => [name, { labels, policies, failedPilots: new Set<string>() }]));
    this.gateway = new MemoryClientGateway({
      checkIns: this.inventory,
      sight: () => ({ rollouts: this.#current(), accounts: this.accounts, fleet: { fresh: true, paused: this.fleetPaused } }),
    });
    this.fleet = new ClientFleet({ accounts, start, habits, fateOf: faultsOf(faults), gateway: this.gateway, slotMilliseconds, seed });
  }

  /** Every Client has been seen, and every directory is imported. */
  static async begin(options: LoopOptions): Promise<ClientLoop> {
    const loop = new ClientLoop(options);
    for (const { name, members } of options.accounts) await loop.inventory.importDirectory(name, members);
    await loop.fleet.introduce(loop.inventory);
    return loop;
  }

  /** A rollout that the provider creates now. */
  create(name: string, spec: Readonly<Record<string, unknown>>): ClientRollout {
    const made = clientRollout({ name, spec });
    const rollout = { ...made, metadata: { ...made.metadata, creationTimestamp: new Date(this.now).toISOString() } };
    this.rollouts = [...this.rollouts, rollout];
    return rollout;
  }

  edit(name: string, spec: Partial<ClientRolloutSpec>): void {
    this.#change(name, ({ metadata, ...rest }) => ({
      ...rest,
      metadata: { ...metadata, generation: (metadata.generation ?? 1) + 1 },
      spec: { ...rest.spec, ...spec },
    }));
  }

  policies(account: string, policies: ClientPolicies | undefined): void {
    this.accounts.set(account, { ...this.accounts.get(account)!, policies });
  }

  rollout(name: string): ClientRollout {
    return this.rollouts.find(({ metadata }) => metadata.name === name)!;
  }

  /** Check-ins and looks in turn. */
  async pass(until: Instant): Promise<void> {
    while (this.now < until) {
      const wake = await this.#look();
      const next = Math.min(until, this.now + this.#lookEvery, Math.max(wake, this.now + 1_000));
      await this.fleet.run(next);
      this.now = next;
    }
    await this.#look();
  }

  async #look(): Promise<number> {
    let wake = Infinity;
    for (const { metadata } of this.rollouts) {
      const { name, uid } = metadata;
      await this.#census(this.rollout(name));
      const rows = (await this.inventory.counted(uid))!.rows;
      this.#judgePilots(this.rollout(name), rows);
      const { status, wakeAt } = decide(this.#seen(name, rows), this.now);
      if (wakeAt !== undefined) wake = Math.min(wake, wakeAt);
      if (status === undefined) continue;
      const written = clientRolloutStatus.parse(JSON.parse(JSON.stringify(status)));
      this.#change(name, (rollout) => ({ ...rollout, status: written }));
      const { reached } = written;
      const known = this.shares.get(name) ?? [];
      if (reached) this.shares.set(name, [...known, [reached.accountsPercent, reached.usersPercent]]);
    }
    return wake;
  }

  #seen(name: string, rows: readonly CountedClients[]) {
    const rollout = this.rollout(name);
    const numbers = new Map<string, ClientNumbers>();
    for (const row of rows) numbers.set(row.stage, sum(numbers.get(row.stage), row.numbers));
    return {
      rollout: { ...observed(rollout), generation: rollout.metadata.generation! },
      others: this.rollouts.filter((other) => other !== rollout).map(observed),
      fleetPaused: this.fleetPaused,
      numbers,
      approvals: [],
      samples: new Map(),
    };
  }

  /** Who is eligible, counted anew where shares or stages have changed. */
  readonly #censusOf = new Map<string, string>();
  async #census({ metadata: { name, uid }, spec }: ClientRollout): Promise<void> {
    const view = this.#current().find((one) => one.uid === uid);
    const key = JSON.stringify([view?.reached?.stage, view?.reached?.phase, view?.firstPhase, Math.floor(this.now / (24 * HOUR))]);
    if (view === undefined || this.#censusOf.get(name) === key) return;
    this.#censusOf.set(name, key);
    const counts = new Map<string, Map<string, number>>();
    for (const stage of ["exposed", "pilot", ...spec.phases.map((_, index) => `phase-${index + 1}`)]) counts.set(stage, new Map());
    for (const known of await this.inventory.clients(spec.os, undefined, PAGE)) {
      const account = this.accounts.get(known.account);
      if (account === undefined) continue;
      const groups = known.user === undefined ? [] : ((await this.#groups(known.account)).get(userKey(known.user)) ?? []);
      const reached = (rollout: string) => known.attempts.find((attempt) => attempt.rollout === rollout)?.stage;
      const stage = censusStage(view, { ...known, groups, reached }, accountView(account, spec.os));
      if (stage === undefined) continue;
      const byAccount = counts.get(stage) ?? new Map<string, number>();
      counts.set(stage, byAccount.set(known.account, (byAccount.get(known.account) ?? 0) + 1));
    }
    const anybody = [...this.accounts.keys()][0]!;
    const eligible = [...counts].flatMap(([stage, byAccount]): Eligible[] =>
      byAccount.size === 0
        ? [{ stage, account: anybody, devices: 0 }]
        : [...byAccount].map(([account, devices]) => ({ stage, account, devices })),
    );
    await this.inventory.recordCensus(uid, this.now, eligible);
  }

  async #groups(account: string) {
    return (await this.inventory.directory(account)).groups;
  }

  /** An account's own pilots hold it (rule C2). */
  #judgePilots({ metadata: { uid }, spec }: ClientRollout, rows: readonly CountedClients[]): void {
    for (const [name, account] of this.accounts) {
      const pilots = rows
        .filter((row) => row.account === name)
        .reduce<ClientNumbers | undefined>((all, row) => sum(all, row.pilots), undefined);
      const failed = pilots !== undefined && ownPilotFailed(pilots, spec.pilot.failedPercentAtMost);
      if (failed === account.failedPilots.has(uid)) continue;
      const failedPilots = new Set([...account.failedPilots].filter((one) => one !== uid).concat(failed ? [uid] : []));
      this.accounts.set(name, { ...account, failedPilots });
    }
  }

  #change(name: string, change: (rollout: ClientRollout) => ClientRollout): void {
    this.rollouts = this.rollouts.map((rollout) => (rollout.metadata.name === name ? change(rollout) : rollout));
  }

  #current() {
    if (this.#seenViews !== this.rollouts) this.#views = clientViews(this.rollouts);
    this.#seenViews = this.rollouts;
    return this.#views;
  }
}

const NUMBERS = ["eligible", "offered", "attempted", "confirmed", "failed", "unreachable"] as const;

const sum = (one: ClientNumbers | undefined, other: ClientNumbers): ClientNumbers =>
  one === undefined ? other : (Object.fromEntries(NUMBERS.map((name) => [name, one[name] + other[name]])) as ClientNumbers);

const observed = ({ metadata, spec, status }: ClientRollout): ObservedRollout => ({
  name: metadata.name,
  uid: metadata.uid,
  createdAt: Date.parse(metadata.creationTimestamp!),
  spec,
  status: status ?? {},
});

/** Clients of one system. */
export const clientsOf = ({ fleet }: ClientLoop, os: ClientSystem) => fleet.clients.filter((client) => client.os === os);
