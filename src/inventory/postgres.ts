import { Kysely, PostgresDialect, type RawBuilder, sql } from "kysely";
import pg from "pg";
import { type Engine, lateParameter } from "./engine.ts";
import { InventoryRefused, migrate } from "./migrate.ts";
import { clientConfig, pool } from "./postgres-pool.ts";
import type { InventoryTables } from "./schema.ts";

const CHANNEL = "rollward_changed";
const LISTEN_AGAIN_AFTER_MS = 1_000;
/** Serialisation failure, deadlock, lock timeout: the transaction was undone, and done again it goes through. */
const BUSY_CODES = ["40001", "40P01", "55P03"];

/**
 * The store for more than one replica. Ages are told by the server's clock alone, whatever the clocks of the gateways say. A server that
 * is away does not keep the process from starting, because the rest of the fleet needs no inventory. Rejects with InventoryRefused alone.
 */
export async function postgresEngine(url: string, real?: () => number): Promise<Engine> {
  const place = placeOf(url);
  const db = new Kysely<InventoryTables>({ dialect: new PostgresDialect({ pool: pool(url) }) });
  let preparing: Promise<void> | undefined;
  const prepared = (): Promise<void> => {
    preparing ??= migrate(db, place, { inOneTransaction: false });
    // Forgotten where it failed, so that the next who asks tries again.
    preparing.catch(() => (preparing = undefined));
    return preparing;
  };
  try {
    await prepared();
  } catch (error) {
    if (error instanceof InventoryRefused) {
      await db.destroy();
      throw error;
    }
  }
  const listener = new Listener(url);
  return {
    place,
    db,
    prepared,
    real: (): RawBuilder<number> =>
      real === undefined
        ? sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
        : sql<number>`cast(${lateParameter(real)} as bigint)`,
    read: async (statement) => (await db.executeQuery(statement)).rows,
    isBusy: (error) => BUSY_CODES.includes((error as { code?: string }).code ?? ""),
    announce: async (transaction) => {
      await sql`select pg_notify(${CHANNEL}, '')`.execute(transaction);
    },
    unsynced: (work) =>
      db.transaction().execute(async (transaction) => {
        await sql`set local synchronous_commit = off`.execute(transaction);
        return work(transaction);
      }),
    listen: (changed) => listener.listen(changed),
    close: async () => {
      await listener.close();
      await db.destroy();
    },
  };
}

/** Without what is secret in it: what stands before the last @ may hold a password, and so may the parameters. */
function placeOf(url: string): string {
  const [withoutParameters = ""] = url.split("?");
  const hostAndName = withoutParameters.slice(Math.max(withoutParameters.lastIndexOf("@") + 1, withoutParameters.indexOf("//") + 2));
  return `postgresql://${hostAndName}`;
}

/** One connection that hears of changes, as long as somebody listens; it comes back by itself, and then tells, as it may have missed some. */
class Listener {
  readonly #url: string;
  readonly #listeners = new Set<() => void>();
  #client: pg.Client | undefined;
  #again: NodeJS.Timeout | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    if (this.#client === undefined && this.#again === undefined) void this.#connect();
    return () => {
      this.#listeners.delete(changed);
      if (this.#listeners.size === 0) void this.close();
    };
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    clearTimeout(this.#again);
    this.#again = undefined;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    this.#again = undefined;
    const client = new pg.Client(clientConfig(this.#url));
    this.#client = client;
    client.on("notification", () => this.#tell());
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.#tell();
    } catch {
      this.#lost(client);
    }
  }

  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    void client.end().catch(() => undefined);
    if (this.#listeners.size > 0) this.#again = setTimeout(() => void this.#connect(), LISTEN_AGAIN_AFTER_MS).unref();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
