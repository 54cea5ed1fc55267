import type { ClientCheckIns, ClientKey, KnownClient } from "../../control/client-inventory.ts";
import { InventoryUnavailable } from "../../control/inventory.ts";

interface Asked {
  readonly key: ClientKey;
  readonly resolve: (known: KnownClient | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** At most so many in one read; the next read takes the others. */
const MOST_AT_ONCE = 500;
/** So many wait at most (rule I19): an inventory that is slower than its callers would collect them without end. */
const MOST_WAITING = 5_000;

/** What is known of devices, read together: all requests that came in one turn of the process are one read. */
export class KnownClients {
  readonly #checkIns: Pick<ClientCheckIns, "known">;
  #asked: Asked[] = [];
  #waiting = 0;

  constructor(checkIns: Pick<ClientCheckIns, "known">) {
    this.#checkIns = checkIns;
  }

  /** Undefined: never seen. Rejects with InventoryUnavailable. */
  of(key: ClientKey): Promise<KnownClient | undefined> {
    if (this.#waiting >= MOST_WAITING) return Promise.reject(new InventoryUnavailable("too many Clients wait for the inventory"));
    this.#waiting += 1;
    return new Promise((resolve, reject) => {
      this.#asked.push({ key, resolve, reject });
      if (this.#asked.length === 1) setImmediate(() => void this.#read());
    });
  }

  async #read(): Promise<void> {
    const all = this.#asked;
    this.#asked = [];
    for (let first = 0; first < all.length; first += MOST_AT_ONCE) {
      const asked = all.slice(first, first + MOST_AT_ONCE);
      try {
        const known = await this.#checkIns.known(asked.map(({ key }) => key));
        for (const [index, { resolve }] of asked.entries()) resolve(known[index]);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
      this.#waiting -= asked.length;
    }
  }
}
