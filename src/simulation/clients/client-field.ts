import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../../api/client-rollout.ts";
import type { Fleet } from "../../api/fleet.ts";
import { FLEET } from "../../api/resources.ts";
import { NAMESPACE, type NamespaceObject } from "../../control/kinds.ts";
import type { Cache } from "../../control/ports.ts";
import { clientAccounts } from "../../core/client/accounts.ts";
import { failedPilotsOf } from "../../core/client/failed-pilots.ts";
import { clientViews } from "../../core/client/rollout-view.ts";
import { FLEET_NAMESPACE, type World } from "../world.ts";
import type { FateOf } from "./client-device.ts";
import { countedClientGateway } from "./counted-gateway.ts";
import { ClientFleet } from "./client-fleet.ts";
import type { ClientHabits, PlannedAccount } from "./fleet-plan.ts";
import { type GatewaySight, MemoryClientGateway } from "./gateway.ts";

export interface PlannedClients {
  readonly accounts: readonly PlannedAccount[];
  readonly habits: ClientHabits;
  readonly fateOf: FateOf;
  /** Calendar milliseconds that check-ins are gathered for. */
  readonly slotMilliseconds: number;
  readonly seed?: number;
}

/** A gateway's name in the inventory, and how often it says that it lives; elapsed milliseconds. */
const REPLICA = "gateway-1";
const BEAT = 5_000;

/** The Clients of a world in memory, by its calendar, behind one honest gateway that sees what stands in the API server. */
export class ClientField {
  readonly fleet: ClientFleet;
  readonly accounts: readonly PlannedAccount[];
  readonly #world: World;
  readonly #rollouts: Cache<ClientRollout>;
  readonly #policies: Cache<AccountPolicy>;
  readonly #namespaces: Cache<NamespaceObject>;
  readonly #fleets: Cache<Fleet>;
  #sight: GatewaySight | undefined;
  #cancels: (() => void)[] = [];
  #stopped = false;

  constructor(world: World, { accounts, habits, fateOf, slotMilliseconds, seed = 1 }: PlannedClients) {
    this.#world = world;
    this.accounts = accounts;
    const { kubectl, clock, clients } = world;
    this.#rollouts = kubectl.cache<ClientRollout>(CLIENT_ROLLOUT, { namespace: FLEET_NAMESPACE });
    this.#policies = kubectl.cache<AccountPolicy>(ACCOUNT_POLICY, {});
    this.#namespaces = kubectl.cache<NamespaceObject>(NAMESPACE, {});
    this.#fleets = kubectl.cache<Fleet>(FLEET, { namespace: FLEET_NAMESPACE });
    for (const cache of [this.#rollouts, this.#policies, this.#namespaces, this.#fleets]) cache.onChange(() => (this.#sight = undefined));
    const honest = new MemoryClientGateway({ checkIns: clients, sight: () => (this.#sight ??= this.#look()) });
    const gateway = world.watch === undefined ? honest : countedClientGateway(honest, world.watch);
    this.fleet = new ClientFleet({ accounts, start: clock.now(), habits, fateOf, gateway, slotMilliseconds, seed });
  }

  /** The directories are imported, every Client has been seen before, and from now on they come. */
  async start(): Promise<void> {
    const { clients } = this.#world;
    for (const cache of [this.#rollouts, this.#policies, this.#namespaces, this.#fleets]) await cache.whenSynced();
    for (const { name, members } of this.accounts) await clients.importDirectory(name, members);
    await this.fleet.introduce(clients);
    await this.#beat();
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const cache of [this.#rollouts, this.#policies, this.#namespaces, this.#fleets]) cache.stop();
  }

  /** Check-ins come by the calendar: where it is jumped over, they come when it stands. */
  #arm(): void {
    if (this.#stopped) return;
    const { clock } = this.#world;
    this.#later(
      0,
      clock.at(this.fleet.next, () => void this.fleet.run(clock.now()).then(() => this.#arm())),
    );
  }

  /** The pauses that it obeys, and the policies that it answers by: those that it sees (rules C5, G15). */
  async #beat(): Promise<void> {
    if (this.#stopped) return;
    const pauses = this.#rollouts
      .list()
      .flatMap(({ metadata, status }) => (status?.pause ? [[metadata.uid, status.pause.id] as const] : []));
    const policies = this.#policies.list().map(({ metadata }) => [metadata.uid, metadata.generation ?? 0] as const);
    await this.#world.clients.beat({ name: REPLICA, pauses: new Map(pauses), policies: new Map(policies) });
    this.#later(
      1,
      this.#world.clock.after(BEAT, () => void this.#beat()),
    );
  }

  #later(which: 0 | 1, cancel: () => void): void {
    this.#cancels[which] = cancel;
  }

  #look(): GatewaySight {
    const rollouts = this.#rollouts.list();
    const accounts = clientAccounts(this.#namespaces.list(), this.#policies.list(), FLEET_NAMESPACE);
    const fleet = this.#fleets.get("fleet", FLEET_NAMESPACE);
    return {
      rollouts: clientViews(rollouts),
      accounts: new Map(
        [...accounts].map(([name, { labels, policies, status }]) => [
          name,
          { labels, policies, failedPilots: failedPilotsOf(status, rollouts) },
        ]),
      ),
      fleet: { fresh: true, paused: fleet?.spec.paused === true },
    };
  }
}
