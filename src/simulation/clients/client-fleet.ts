import type { ClientCheckIns } from "../../control/client-inventory.ts";
import type { ClientAnswer } from "../../core/client/no-update.ts";
import type { Instant } from "../../core/decision.ts";
import { ClientDevice, type ClientRequest, type FateOf } from "./client-device.ts";
import type { ClientHabits, PlannedAccount } from "./fleet-plan.ts";

/** Where Clients check in: many of one moment at once, answered in the order asked. Undefined: nobody answers that one. */
export interface ClientGateway {
  checkIn(requests: readonly ClientRequest[], now: Instant): Promise<readonly (ClientAnswer | undefined)[]>;
}

export interface ClientFleetSettings {
  readonly accounts: readonly PlannedAccount[];
  readonly start: Instant;
  readonly habits: ClientHabits;
  readonly fateOf: FateOf;
  readonly gateway: ClientGateway;
  /** What Clients do within one slot they do together, at its end; calendar milliseconds. */
  readonly slotMilliseconds: number;
  readonly seed?: number;
}

/** The Clients of many accounts, by the calendar: weeks of check-ins, as fast as they are answered. */
export class ClientFleet {
  readonly clients: readonly ClientDevice[];
  readonly #gateway: ClientGateway;
  readonly #slot: number;
  /** Whose hour comes in which slot. */
  readonly #slots = new Map<number, ClientDevice[]>();
  #next: number;

  constructor({ accounts, start, habits, fateOf, gateway, slotMilliseconds, seed = 1 }: ClientFleetSettings) {
    this.#gateway = gateway;
    this.#slot = slotMilliseconds;
    this.#next = Math.floor(start / slotMilliseconds) + 1;
    this.clients = accounts.flatMap(({ clients }) => clients.map((one) => new ClientDevice(one, { start, habits, fateOf, seed })));
    for (const client of this.clients) this.#enter(client);
  }

  /** When something happens next. */
  get next(): Instant {
    return this.#next * this.#slot;
  }

  /** What every Client said when it was seen last: an inventory that has been there for a while. */
  async introduce(checkIns: Pick<ClientCheckIns, "record">): Promise<void> {
    await checkIns.record(
      this.clients.map(({ account, device, user, os, version, seenAt }) => ({
        account,
        device,
        ...(user === undefined ? {} : { user }),
        os,
        version,
        at: seenAt,
        offered: false,
      })),
    );
  }

  /** All that happens until then, that instant included. */
  async run(until: Instant): Promise<void> {
    for (; this.#next * this.#slot <= until; this.#next += 1) {
      const [due, now] = [this.#slots.get(this.#next) ?? [], this.#next * this.#slot];
      this.#slots.delete(this.#next);
      if (due.length === 0) continue;
      const answers = await this.#gateway.checkIn(
        due.map((client) => client.speak(now)),
        now,
      );
      for (const [index, client] of due.entries()) {
        client.hear(answers[index], now);
        this.#enter(client);
      }
    }
  }

  #enter(client: ClientDevice): void {
    const slot = Math.max(Math.ceil(client.due / this.#slot), this.#next);
    const those = this.#slots.get(slot);
    if (those === undefined) this.#slots.set(slot, [client]);
    else those.push(client);
  }
}
