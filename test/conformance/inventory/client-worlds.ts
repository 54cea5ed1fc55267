import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { ClientCheckIns, ClientInventory } from "../../../src/control/client-inventory.ts";
import { openClientInventory } from "../../../src/inventory/open.ts";
import { MemoryClientInventory } from "../../../src/simulation/clients/inventory.ts";
import { startPostgres } from "../../../tools/postgres/run.ts";
import { clock } from "./worlds.ts";

export type ClientStore = ClientCheckIns & ClientInventory;

/** Where traces of Clients are played: one implementation, by the clock of the worlds. */
export interface ClientWorld {
  /** Another process' view of the same store. */
  another(): Promise<ClientStore>;
  /** An empty store. */
  empty(): Promise<ClientStore>;
  close(): Promise<void>;
}

const real = (): number => clock.real;

export function memoryClients(): Promise<ClientWorld> {
  let inventory = new MemoryClientInventory(real);
  return Promise.resolve({
    empty: () => Promise.resolve((inventory = new MemoryClientInventory(real))),
    another: () => Promise.resolve(inventory),
    close: () => Promise.resolve(),
  });
}

export function sqliteClients(): Promise<ClientWorld> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-clients-"));
  const stores = new Stores();
  let files = 0;
  const url = () => `sqlite:${join(folder, `${files}.db`)}`;
  return Promise.resolve({
    empty: async () => {
      await stores.close();
      files += 1;
      return stores.open(url());
    },
    another: () => stores.open(url()),
    close: async () => {
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

const TABLES = [
  ...["device", "attempt", "counter", "version", "user_version", "census_of", "census"].map((name) => `client_${name}`),
  ...["day", "directory", "member", "group", "owner"].map((name) => `client_${name}`),
  "gateway_replica",
];

/** Rejects with PostgresUnavailable where there is none. */
export async function postgresClients(): Promise<ClientWorld> {
  const server = await startPostgres();
  const stores = new Stores();
  const administrator = new pg.Client({ connectionString: server.url });
  await administrator.connect();
  return {
    empty: async () => {
      await stores.close();
      const store = await stores.open(server.url);
      await administrator.query(`truncate ${TABLES.join(", ")}`);
      return store;
    },
    another: () => stores.open(server.url),
    close: async () => {
      await stores.close();
      await administrator.end();
      await server.stop();
    },
  };
}

class Stores {
  readonly #open: { close(): Promise<void> }[] = [];

  async open(url: string): Promise<ClientStore> {
    const store = await openClientInventory(url, { real });
    this.#open.push(store);
    return store;
  }

  async close(): Promise<void> {
    for (const store of this.#open.splice(0)) await store.close();
  }
}
