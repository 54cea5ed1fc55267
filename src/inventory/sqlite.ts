import { CompiledQuery, Kysely, type LogEvent, type RawBuilder, sql, type SqliteDatabase, SqliteDialect, type Transaction } from "kysely";
import { Answering, type AnsweringSettings } from "./answering.ts";
import { untilFree } from "./busy.ts";
import { type Engine, lateParameter } from "./engine.ts";
import { migrate } from "./migrate.ts";
import type { InventoryTables } from "./schema.ts";
import { openSqlite } from "./sqlite-database.ts";

const SQLITE_BUSY = 5;
const LOOKED_EVERY_MS = 1_000;

interface SqliteOptions {
  readonly real?: (() => number) | undefined;
  /** Hears every statement, in its order. */
  readonly log?: (event: LogEvent) => void;
  /** Hears when it does not answer, and when it does again. */
  readonly told?: AnsweringSettings;
}

/**
 * The embedded store: one file, one process that writes. `real` is its clock; the process' own unless a test says otherwise. Rejects
 * with a sentence when the file cannot be used.
 */
export async function sqliteEngine(path: string, { real = Date.now, log, told }: SqliteOptions = {}): Promise<Engine> {
  const place = `sqlite:${path}`;
  const db = await untilFree(isBusy, () => open(path, place, log));
  // Three of four calls only read, and would queue for the one connection that Kysely has. What is in memory has but that one.
  const reader = path === ":memory:" ? undefined : openSqlite(path, { readOnly: true });
  const read = async <Row>(statement: CompiledQuery<Row>): Promise<readonly Row[]> => {
    if (reader === undefined) return (await db.executeQuery(statement)).rows;
    log?.({ level: "query", query: statement, queryDurationMillis: 0 });
    return reader.prepare(statement.sql).all(statement.parameters) as Row[];
  };
  const ownClock = lateParameter(real);
  let isClosed = false;
  const changes = new Changes(db);
  const answering = new Answering(told);
  answering.answered(place);
  return {
    place,
    db,
    isFar: false,
    prepared: () => Promise.resolve(),
    real: (): RawBuilder<number> => sql<number>`cast(${ownClock} as bigint)`,
    read,
    readEach: async <Row>(statement: CompiledQuery<Row>, parameters: readonly (readonly unknown[])[]) => {
      if (reader === undefined || parameters.length === 1)
        return Promise.all(parameters.map((each) => read<Row>({ ...statement, parameters: each })));
      for (const each of log === undefined ? [] : parameters)
        log?.({ level: "query", query: { ...statement, parameters: each }, queryDurationMillis: 0 });
      return inOneLook(reader, () => {
        const prepared = reader.prepare(statement.sql);
        return parameters.map((each) => prepared.all(each) as Row[]);
      });
    },
    isBusy,
    unsynced: (work) => unsynced(db, work),
    announce: () => {
      changes.tellSoon();
      return Promise.resolve();
    },
    listen: (changed) => changes.listen(changed),
    answering,
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      changes.close();
      reader?.close();
      await db.destroy();
    },
  };
}

/** Each statement alone would lock the file and look for what was written last, which takes longer than to find its row. */
function inOneLook<Found>(reader: SqliteDatabase, look: () => Found): Found {
  reader.prepare("begin").run([]);
  try {
    return look();
  } finally {
    reader.prepare("commit").run([]);
  }
}

/** The next commit that is synced takes along what this one left to the system; a process that ends loses neither. */
function unsynced<T>(db: Kysely<InventoryTables>, work: (transaction: Transaction<InventoryTables>) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    await connection.executeQuery(CompiledQuery.raw("pragma synchronous = normal"));
    try {
      return await connection.transaction().execute(work);
    } finally {
      await connection.executeQuery(CompiledQuery.raw("pragma synchronous = full"));
    }
  });
}

/** Also of a statement that Kysely or we wrapped. The low byte is the code, the rest says more about it. */
const isBusy = (error: unknown): boolean =>
  error instanceof Error && (((error as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY || isBusy(error.cause));

async function open(path: string, place: string, log: SqliteOptions["log"]): Promise<Kysely<InventoryTables>> {
  let db: Kysely<InventoryTables> | undefined;
  try {
    db = new Kysely<InventoryTables>({ dialect: new SqliteDialect({ database: openSqlite(path) }), ...(log && { log }) });
    await migrate(db, place, { inOneTransaction: true });
    return db;
  } catch (error) {
    await db?.destroy();
    if (db !== undefined && !("errcode" in (error as object))) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `The inventory at ${place} cannot be opened: ${why}. Name a file in a folder that is there and that this user may write to.`,
      { cause: error },
    );
  }
}

/** Our own changes are told at once; those of another process are looked for once a second, by a counter that costs no read. */
class Changes {
  readonly #db: Kysely<InventoryTables>;
  readonly #listeners = new Set<() => void>();
  #looking: NodeJS.Timeout | undefined;
  #version: unknown;
  #isTelling = false;

  constructor(db: Kysely<InventoryTables>) {
    this.#db = db;
  }

  /** Whoever is told reads by the same connection, which the transaction holds until it is over. */
  tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }

  listen(changed: () => void): () => void {
    this.#listeners.add(changed);
    if (this.#looking === undefined) {
      const look = () => void this.#look().catch(() => undefined);
      this.#looking = setInterval(look, LOOKED_EVERY_MS).unref();
      // What is written from here on is a change.
      look();
    }
    return () => {
      this.#listeners.delete(changed);
      if (this.#listeners.size === 0) this.close();
    };
  }

  close(): void {
    clearInterval(this.#looking);
    this.#looking = undefined;
    this.#listeners.clear();
  }

  async #look(): Promise<void> {
    const { rows } = await sql<{ data_version: number }>`pragma data_version`.execute(this.#db);
    const version = rows[0]?.data_version;
    if (this.#version !== undefined && this.#version !== version) this.tellSoon();
    this.#version = version;
  }
}
