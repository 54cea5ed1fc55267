import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { DeviceInventory, Inventory } from "../../../src/control/inventory.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { MemoryInventory } from "../../../src/simulation/devices/inventory.ts";
import { PostgresUnavailable } from "../../../tools/postgres/install.ts";
import { type RunningPostgres, startPostgres } from "../../../tools/postgres/run.ts";

export type Store = Inventory & DeviceInventory;

/** Where traces are played: one implementation, with a clock that the test moves. */
export interface World {
  /** Another process' view of the same store. */
  another(): Promise<Store>;
  /** An empty store. */
  empty(): Promise<Store>;
  close(): Promise<void>;
}

/** The store's own clock, in every world. */
export const clock = { real: 1_000_000 };
const real = (): number => clock.real;

export function memoryWorld(): Promise<World> {
  let inventory = new MemoryInventory(real);
  return Promise.resolve({
    empty: () => Promise.resolve((inventory = new MemoryInventory(real))),
    another: () => Promise.resolve(inventory),
    close: () => Promise.resolve(),
  });
}

export function sqliteWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-inventory-"));
  let files = 0;
  const stores = new Stores();
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

/** Rejects with PostgresUnavailable where there is none. */
export async function postgresWorld(): Promise<World & { readonly server: RunningPostgres }> {
  const server = await startPostgres();
  const stores = new Stores();
  const administrator = new pg.Client({ connectionString: server.url });
  await administrator.connect();
  return {
    server,
    empty: async () => {
      await stores.close();
      const store = await stores.open(server.url);
      await administrator.query("truncate device, token, command, attempt, verdict, notice, changed, audit");
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

/** What keeps PostgreSQL from being had, in a sentence; undefined: nothing. */
export function whyNoPostgres(error: unknown): string {
  if (error instanceof PostgresUnavailable) return error.message;
  throw error;
}

class Stores {
  readonly #open: Store[] = [];

  async open(url: string): Promise<Store> {
    const store = await openInventory(url, { real });
    this.#open.push(store);
    return store;
  }

  async close(): Promise<void> {
    for (const store of this.#open.splice(0)) await store.close();
  }
}
