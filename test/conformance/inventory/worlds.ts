import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
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
  /** The audit trail by time and act: who did what to which device. No port tells it: it is read where it is kept. */
  audit(): Promise<readonly string[]>;
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
    audit: () => Promise.resolve(trail(inventory.audit.toSorted((a, b) => a.at - b.at || (a.act < b.act ? -1 : 1)))),
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
    audit: () => {
      const left = new DatabaseSync(join(folder, `${files}.db`), { readOnly: true });
      const rows = left.prepare(AUDIT).all() as unknown as Audited[];
      left.close();
      return Promise.resolve(trail(rows));
    },
    close: async () => {
      await stores.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
}

interface Audited {
  readonly act: string;
  readonly by: string;
  readonly serial?: string | null;
}

const AUDIT = 'select act, "by", serial from audit order by at, act';
const trail = (rows: readonly Audited[]): string[] => rows.map(({ by, act, serial }) => `${by}: ${act} ${serial ?? "account"}`);

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
    audit: async () => trail((await administrator.query<Audited>(AUDIT)).rows),
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
