import type { ClientCheckIns } from "../../control/client-inventory.ts";
import { type Rate, RateLimit } from "../limits.ts";

/** An office that starts on Monday, and no more than that. */
export const NEW_CLIENTS_RATE: Rate = { perSecond: 10, burst: 2_000 };
export const MOST_CLIENTS = 200_000;

/**
 * Which devices that nobody has seen before are kept (rule I19): a Client makes up its own name, so that whoever has the token of an
 * account could fill the inventory with rows. Of each account so many a second, and so many in all; other accounts are not concerned.
 */
export class NewClients {
  readonly #rate: RateLimit;
  readonly #most: number;
  #counts: ReadonlyMap<string, number> = new Map();
  /** Let in since the last count. */
  readonly #since = new Map<string, number>();

  /** `elapsed` in milliseconds. */
  constructor(elapsed: () => number, most = MOST_CLIENTS, rate = NEW_CLIENTS_RATE) {
    this.#rate = new RateLimit(rate, elapsed);
    this.#most = most;
  }

  /** Undefined: it is kept. Else a sentence why not, for the Client's log. */
  refuses(account: string): string | undefined {
    const kept = (this.#counts.get(account) ?? 0) + (this.#since.get(account) ?? 0);
    if (kept >= this.#most) return `the account has ${this.#most} devices already, and no more are kept; ask the provider`;
    if (this.#rate.take(account) > 0) return "too many new devices of the account at once; this one is taken at a later check-in";
    this.#since.set(account, (this.#since.get(account) ?? 0) + 1);
    return undefined;
  }

  /** Counts anew, from the inventory. Rejects with InventoryUnavailable; then the old count stays and goes on growing. */
  async count(checkIns: Pick<ClientCheckIns, "deviceCounts">): Promise<void> {
    this.#counts = await checkIns.deviceCounts();
    this.#since.clear();
  }
}
