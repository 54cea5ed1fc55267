import { ACCOUNT_POLICY, type AccountPolicy, type AccountPolicySpec } from "../../src/api/account-policy.ts";
import { type ClientPolicies, clientPolicies } from "../../src/api/client-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, type ClientRolloutSpec } from "../../src/api/client-rollout.ts";
import type { Fleet } from "../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../src/api/names.ts";
import { APPROVAL, FLEET } from "../../src/api/resources.ts";
import { NAMESPACE, type NamespaceObject } from "../../src/control/kinds.ts";
import type { KubernetesObject } from "../../src/control/ports.ts";
import { clientAccounts } from "../../src/core/client/accounts.ts";
import { failedPilotsOf } from "../../src/core/client/failed-pilots.ts";
import { clientViews } from "../../src/core/client/rollout-view.ts";
import { ClientFleet } from "../../src/simulation/clients/client-fleet.ts";
import { type Fault, faultsOf } from "../../src/simulation/clients/faults.ts";
import type { ClientHabits, PlannedAccount, PlannedClient } from "../../src/simulation/clients/fleet-plan.ts";
import { type GatewaySight, MemoryClientGateway } from "../../src/simulation/clients/gateway.ts";
import { FLEET_NAMESPACE, fleetDraft, World } from "../../src/simulation/world.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const MONDAY = "2026-11-02T09:00:00Z";

/** Every four hours, give or take, and never away: what is not reached in a day is not reached. */
const HABITS: ClientHabits = { every: 4 * HOUR, jitter: 0.5, away: { share: 0, from: DAY, to: DAY } };
/** So often counts are read: weeks have many ten seconds. */
const COUNTED_EVERY = 10 * MINUTE;

export interface StoryAccount {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Its AccountPolicy's `clients`; absent: it has no AccountPolicy. */
  readonly policies?: Readonly<Record<string, unknown>>;
  /** Computers, each of a user of its own; the first `pilots` users are in the group `it`. */
  readonly clients: number;
  readonly pilots?: number;
  readonly os?: PlannedClient["os"];
}

export interface ClientStoryOptions {
  readonly accounts: readonly StoryAccount[];
  readonly faults?: Readonly<Record<string, Fault>>;
  readonly version?: string;
  readonly operator?: boolean;
}

/** A gate that a few dozens of computers can pass. */
export const gate = { attemptedAtLeast: 5, failedPercentAtMost: 20, patience: "48h" };
export const phase = (accountsPercent: number, usersPercent: number, hours: number) => ({
  accountsPercent,
  usersPercent,
  for: `${hours}h`,
  gate,
});
/** Pilots for two weeks, then half of the users of all accounts for three days, then all of them. */
export const SPEC = {
  os: "Windows",
  generalAfter: "336h",
  pilot: { minimumDevices: 2, minimumDays: 14, failedPercentAtMost: 20, patience: "336h" },
  phases: [phase(100, 50, 72), phase(100, 100, 72)],
  health: { failedPercentAtMost: 10 },
};

/** Clients of some accounts, an honest gateway, and the whole operator over weeks. */
export class ClientStory {
  readonly world: World;
  readonly fleet: ClientFleet;
  readonly gateway: MemoryClientGateway;
  /** By UID of the rollout what is wrong with its file: the gateway answers by it; a test that tells the operator leaves a sign of life. */
  missing: ReadonlyMap<string, string> = new Map();
  /** Each offer as it was made, by the devices' own ledgers. */
  readonly #accounts: readonly PlannedAccount[];

  private constructor(world: World, { accounts, faults = {}, version = "5.11.0" }: ClientStoryOptions) {
    this.world = world;
    this.#accounts = accounts.map((account) => planned(account, version));
    this.gateway = new MemoryClientGateway({ checkIns: world.clients, sight: () => this.#sight() });
    this.fleet = new ClientFleet({
      accounts: this.#accounts,
      start: world.clock.now(),
      habits: HABITS,
      fateOf: faultsOf(faults),
      gateway: this.gateway,
      slotMilliseconds: HOUR,
    });
  }

  static async begin(options: ClientStoryOptions): Promise<ClientStory> {
    const world = await World.create({ start: MONDAY, clients: { countedEvery: COUNTED_EVERY } });
    const story = new ClientStory(world, options);
    await world.apply(FLEET, fleetDraft());
    for (const { name, labels, policies, members } of story.#accounts) {
      await world.apply(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name, labels: { ...labels } } });
      if (policies !== undefined) await story.write(ACCOUNT_POLICY, name, "account", { clients: policies });
      if (members.some(({ groups }) => groups.length > 0)) await world.clients.importDirectory(name, members);
    }
    await story.fleet.introduce(world.clients);
    if (options.operator !== false) world.startOperator();
    return story;
  }

  get now(): number {
    return this.world.clock.now();
  }

  async write(kind: { readonly apiVersion: string; readonly kind: string }, namespace: string, name: string, spec: object): Promise<void> {
    const draft = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { namespace, name }, spec };
    await this.world.apply(kind as Parameters<World["apply"]>[0], draft);
  }

  /** The provider creates a rollout, announced now. */
  async rollout(version: string, given: Readonly<Record<string, unknown>> & { readonly os?: PlannedClient["os"] } = {}): Promise<string> {
    const name = `${(given.os ?? "Windows").toLowerCase()}-${version.replaceAll(".", "-")}`;
    const { generalAfter, ...rest } = SPEC;
    await this.write(CLIENT_ROLLOUT, FLEET_NAMESPACE, name, {
      ...rest,
      ...("supersedes" in given ? {} : { generalAfter }),
      version,
      announcedAt: new Date(this.now).toISOString(),
      artifact: { url: `https://artifacts.example.com/client-${version}.msi`, sha256: "9f86d081".repeat(8), size: 1_000 },
      ...given,
    });
    return name;
  }

  /** Hours pass: the operator works, and Clients check in each hour. */
  async pass(milliseconds: number): Promise<void> {
    const { clock } = this.world;
    for (const end = this.now + milliseconds; this.now < end;) {
      await clock.advance(Math.min(HOUR, end - this.now));
      await this.fleet.run(this.now);
    }
  }

  /** Hours pass until that is so. */
  async until(what: string, is: () => boolean, limit: number): Promise<void> {
    for (const end = this.now + limit; !is();) {
      if (this.now >= end) throw new Error(`waiting for ${what}: it did not come by ${new Date(this.now).toISOString()}\n${this.told()}`);
      await this.pass(HOUR);
    }
  }

  read(name: string): ClientRollout {
    return this.world.store.get(CLIENT_ROLLOUT, name, FLEET_NAMESPACE) as unknown as ClientRollout;
  }

  status(name: string): NonNullable<ClientRollout["status"]> {
    return this.read(name).status ?? {};
  }

  holds(name: string): string[] {
    return (this.status(name).holds ?? []).map(({ rule, reason }) => `${rule} ${reason}`);
  }

  condition(name: string, type: string): string {
    const found = this.status(name).conditions?.find((one) => one.type === type);
    return `${found?.status} ${found?.reason}`;
  }

  /** What the account reads of a rollout. */
  view(account: string, rollout: string) {
    const policy = this.world.store.get(ACCOUNT_POLICY, "account", account) as unknown as AccountPolicy | undefined;
    return policy?.status?.clients?.find((one) => one.rollout === rollout);
  }

  policyOf(account: string): AccountPolicy {
    return this.world.store.get(ACCOUNT_POLICY, "account", account) as unknown as AccountPolicy;
  }

  async edit(name: string, spec: Partial<ClientRolloutSpec>): Promise<void> {
    await this.#change(CLIENT_ROLLOUT, FLEET_NAMESPACE, name, spec);
  }

  async editFleet(spec: Partial<Fleet["spec"]>): Promise<void> {
    await this.#change(FLEET, FLEET_NAMESPACE, "fleet", spec);
  }

  /** What the account writes of one system. */
  async policy(account: string, windows: Readonly<Record<string, unknown>>): Promise<void> {
    const clients: ClientPolicies = clientPolicies.parse({ windows });
    await this.#change(ACCOUNT_POLICY, account, "account", { clients } satisfies Partial<AccountPolicySpec>);
  }

  async delete(name: string): Promise<void> {
    await this.world.while(this.world.kubectl.delete(CLIENT_ROLLOUT, name, FLEET_NAMESPACE));
  }

  /** Somebody decides on what waits. */
  async approve(rollout: string, name: string, decision: "Approve" | "Refuse" = "Approve"): Promise<void> {
    const { metadata, status } = this.read(rollout);
    await this.write(APPROVAL, FLEET_NAMESPACE, name, {
      for: { kind: "ClientRollout", name: rollout, uid: metadata.uid, digest: status!.digest },
      actions: ["Promote"],
      decision,
      reason: "looked at by hand",
      approvedBy: "second@example.com",
      expiresAt: new Date(this.now + DAY).toISOString(),
    });
  }

  approval(name: string): string {
    const approval = this.world.store.get(APPROVAL, name, FLEET_NAMESPACE) as {
      status?: { conditions?: { status: string; reason: string }[] };
    };
    const [accepted] = approval.status?.conditions ?? [];
    return `${accepted?.status} ${accepted?.reason}`;
  }

  /** Clients by what they run. */
  versions(account?: string): Record<string, number> {
    const found: Record<string, number> = {};
    for (const client of this.fleet.clients) {
      if (account !== undefined && client.account !== account) continue;
      found[client.version] = (found[client.version] ?? 0) + 1;
    }
    return found;
  }

  /** How many offers of a version were made between two instants, by the devices' own ledgers. */
  offers(version: string, { account, from = 0, to = Infinity }: { account?: string; from?: number; to?: number } = {}): number {
    return this.fleet.clients
      .filter((client) => account === undefined || client.account === account)
      .flatMap(({ ledger }) => ledger.offered)
      .filter((offer) => offer.version === version && offer.at > from && offer.at <= to).length;
  }

  /** Reasons of events about a rollout, in order. */
  events(name: string): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === name).map(({ event }) => event.reason);
  }

  /** Writes of a rollout's status until now. */
  writes(name: string): number {
    return Number(this.read(name).metadata.resourceVersion);
  }

  told(): string {
    const rollouts = this.world.store.list(CLIENT_ROLLOUT) as unknown as ClientRollout[];
    return rollouts.map(({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status, undefined, 1)}`).join("\n");
  }

  /** What a gateway sees of the cluster just now. */
  #sight(): GatewaySight {
    const { store } = this.world;
    const rollouts = store.list(CLIENT_ROLLOUT) as unknown as ClientRollout[];
    const namespaces = store.list(NAMESPACE) as unknown as NamespaceObject[];
    const policies = store.list(ACCOUNT_POLICY) as unknown as AccountPolicy[];
    const fleet = store.get(FLEET, "fleet", FLEET_NAMESPACE) as unknown as Fleet;
    const accounts = clientAccounts(
      namespaces.filter(({ metadata }) => metadata.labels?.[ACCOUNT_LABEL] !== undefined),
      policies,
      FLEET_NAMESPACE,
    );
    return {
      rollouts: clientViews(rollouts),
      accounts: new Map(
        [...accounts].map(([name, { labels, policies: clients, status }]) => [
          name,
          { labels, policies: clients, failedPilots: failedPilotsOf(status, rollouts) },
        ]),
      ),
      fleet: { fresh: true, paused: fleet.spec.paused, missing: this.missing },
    };
  }

  async #change(kind: object, namespace: string, name: string, spec: object): Promise<void> {
    const { kubectl } = this.world;
    const of = kind as Parameters<typeof kubectl.get>[0];
    for (let attempt = 0; ; attempt += 1) {
      const found = (await this.world.while(kubectl.get(of, name, namespace))) as unknown as { spec: object };
      const changed = { ...found, spec: { ...found.spec, ...spec } } as unknown as KubernetesObject;
      try {
        await this.world.while(kubectl.update(of, changed));
        return;
      } catch (error) {
        // The operator wrote in between.
        if (attempt > 5) throw error;
      }
    }
  }
}

function planned({ name, labels = {}, policies, clients, pilots = 0, os = "Windows" }: StoryAccount, version: string): PlannedAccount {
  const users = Array.from({ length: clients }, (_, nth) => `user-${nth}@${name}.example`);
  return {
    name,
    labels: { [ACCOUNT_LABEL]: name, ...labels },
    ...(policies === undefined ? {} : { policies: clientPolicies.parse(policies) }),
    members: users.map((user, nth) => ({ user, groups: nth < pilots ? ["it"] : [], devices: [`pc-${nth}`] })),
    clients: users.map((user, nth) => ({ account: name, device: `pc-${nth}`, user, os, version })),
  };
}
