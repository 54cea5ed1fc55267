import type { ClientDevice } from "../../../simulation/clients/client-device.ts";
import { type OfferEntry, ranAt } from "../../../simulation/clients/client-ledger.ts";
import { ownerKey } from "../../../simulation/clients/curve.ts";

/** An offer, and who wrote it down. */
export interface Offered extends OfferEntry {
  readonly client: ClientDevice;
}

/** Every offer of a version, from the Clients' own ledgers, the first one first. */
export const offersOf = (clients: readonly ClientDevice[], version: string): readonly Offered[] =>
  clients
    .flatMap((client) => client.ledger.offered.filter((one) => one.version === version).map((one) => ({ ...one, client })))
    .toSorted((one, other) => one.at - other.at);

export const usersOf = (clients: readonly ClientDevice[]): number => new Set(clients.map(ownerKey)).size;

/** Users by what their computers run; a user of two versions counts for the older one, which is what still has to go. */
export class UsersByVersion {
  readonly #clients: readonly ClientDevice[];
  readonly #versions: readonly string[];
  /** The number of each Client's user: asked for several times a second, of thousands. */
  readonly #owners: readonly number[];
  readonly #users: number;

  /** `versions`: the oldest first. */
  constructor(clients: readonly ClientDevice[], versions: readonly string[]) {
    const numbers = new Map<string, number>();
    this.#owners = clients.map((client) => {
      const key = ownerKey(client);
      const number = numbers.get(key) ?? numbers.size;
      numbers.set(key, number);
      return number;
    });
    this.#clients = clients;
    this.#versions = versions;
    this.#users = numbers.size;
  }

  /** How many users there are of each version then. */
  at(instant: number): readonly number[] {
    const oldest = Array.from({ length: this.#users }, () => this.#versions.length - 1);
    for (const [index, { ledger }] of this.#clients.entries()) {
      const owner = this.#owners[index]!;
      oldest[owner] = Math.min(oldest[owner]!, this.#versions.indexOf(ranAt(ledger, instant)));
    }
    const counts = this.#versions.map(() => 0);
    for (const rank of oldest) counts[rank]! += 1;
    return counts;
  }
}

/** Clients that went back to an older version, as sentences. */
export const downgrades = (clients: readonly ClientDevice[], versions: readonly string[]): readonly string[] =>
  clients.flatMap(({ ledger, device }) =>
    ledger.ran.flatMap(({ version }, index) =>
      index > 0 && versions.indexOf(version) < versions.indexOf(ledger.ran[index - 1]!.version)
        ? [`${device} went back to ${version}`]
        : [],
    ),
  );
