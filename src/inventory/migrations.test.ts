import {
  type Dialect,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  SqliteDialect,
  sql,
} from "kysely";
import { afterEach, describe, expect, it } from "vitest";
import { commandRow } from "../core/socket/command.examples.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { InventoryTables } from "./schema.ts";
import { openSqlite } from "./sqlite-database.ts";

const databases: Kysely<InventoryTables>[] = [];
afterEach(async () => {
  for (const database of databases.splice(0)) await database.destroy();
});

async function migrated(migrations = MIGRATIONS, db = empty()): Promise<Kysely<InventoryTables>> {
  await migrate(db, "memory", { inOneTransaction: true, migrations });
  return db;
}

function empty(): Kysely<InventoryTables> {
  const db = new Kysely<InventoryTables>({ dialect: new SqliteDialect({ database: openSqlite(":memory:") }) });
  databases.push(db);
  return db;
}

const tablesOf = async (db: Kysely<InventoryTables>) => (await db.introspection.getTables()).map(({ name }) => name).toSorted();
const CLIENTS = [
  ...["attempt", "census", "census_of", "counter", "day", "device"].map((name) => `client_${name}`),
  ...["directory", "group", "member", "owner", "pilot_day", "user_version", "version"].map((name) => `client_${name}`),
  "gateway_replica",
];
const OURS = ["attempt", "audit", "changed", "command", "device", "notice", "token", "verdict", ...CLIENTS];
const BOOKS = ["rollward_migration", "rollward_migration_lock"];

function insert(db: Kysely<InventoryTables>, given: { id: string; serial: string; site: string; state: string }) {
  const { account, action, version, rollout, notBefore, notAfter, site } = commandRow();
  return db
    .insertInto("command")
    .values({
      id: given.id,
      action: action + Number(given.id),
      account,
      site_namespace: site.namespace,
      site_name: site.name,
      site_uid: given.site,
      serial: given.serial,
      version,
      rollout,
      not_before_at: notBefore,
      not_after_at: notAfter,
      state: given.state,
      given_at: null,
      proceeding_at: null,
      ended_at: null,
      said: null,
      cancel_asked: 0,
    })
    .execute();
}

describe("migrations", () => {
  it("bring an empty SQLite to the tables of the schema, in the order of their names", async () => {
    const db = await migrated();
    expect(await tablesOf(db)).toEqual([...OURS, ...BOOKS].toSorted());
    expect(Object.keys(MIGRATIONS)).toEqual(Object.keys(MIGRATIONS).toSorted());
  });

  it("bring an old store up to date and keep what is in it; done again nothing is written", async () => {
    const old = Object.fromEntries(Object.entries(MIGRATIONS).slice(0, 2));
    const db = await migrated(old);
    await insert(db, { id: "1", serial: "S-2001", site: "berlin", state: "Given" });
    await migrated(MIGRATIONS, db);
    expect(await tablesOf(db)).toEqual([...OURS, ...BOOKS].toSorted());
    expect(await db.selectFrom("command").select(["id", "state"]).execute()).toEqual([{ id: "1", state: "Given" }]);
    const changes = () => sql<{ n: number }>`select total_changes() as n`.execute(db);
    const before = await changes();
    await migrated(MIGRATIONS, db);
    expect((await changes()).rows).toEqual(before.rows);
  });

  it("that fail half-way leave the store as it was, and say which failed", async () => {
    const failing = { ...MIGRATIONS, "0003-records": { up: () => Promise.reject(new Error("no space")) } };
    const db = empty();
    await expect(migrated(failing, db)).rejects.toThrow(
      "The inventory at memory could not be brought up to date by 0003-records: no space.",
    );
    expect(await tablesOf(db)).toEqual([]);
    await migrated(MIGRATIONS, db);
    expect(await tablesOf(db)).toEqual([...OURS, ...BOOKS].toSorted());
  });

  it("[I21] what a newer Rollward only added is no hindrance: nothing is written, and rows are kept with it; anything else is refused", async () => {
    const later = { up: (added: Kysely<unknown>) => added.schema.alterTable("command").addColumn("later", "text").execute() };
    const db = await migrated({ ...MIGRATIONS, "9998-later-additive": later });
    const changes = () => sql<{ n: number }>`select total_changes() as n`.execute(db);
    const before = await changes();
    await migrated(MIGRATIONS, db);
    expect((await changes()).rows).toEqual(before.rows);
    await insert(db, { id: "1", serial: "S-2001", site: "berlin", state: "Open" });
    await sql`update command set later = 'kept'`.execute(db);
    await db.updateTable("command").set({ state: "Given" }).execute();
    expect((await sql`select state, later from command`.execute(db)).rows).toEqual([{ state: "Given", later: "kept" }]);
    await migrated({ ...MIGRATIONS, "9998-later-additive": later, "9999-other": { up: () => Promise.resolve() } }, db);
    await expect(migrated(MIGRATIONS, db)).rejects.toThrow("it has 9999-other, which this one does not know. Nothing was changed.");
  });

  it("[I21] a store that has what was added, and lacks what this one would make, is of another line and refused", async () => {
    const older = Object.fromEntries(Object.entries(MIGRATIONS).slice(0, 8));
    const db = await migrated({ ...older, "9998-later-additive": { up: () => Promise.resolve() } });
    await expect(migrated(MIGRATIONS, db)).rejects.toThrow("it has 9998-later-additive, which this one does not know");
  });

  it("[I4] a second live command of a site is refused by the store, whichever Socket it is for; over ones do not count", async () => {
    const db = await migrated();
    await insert(db, { id: "1", serial: "S-2001", site: "berlin", state: "Succeeded" });
    await insert(db, { id: "2", serial: "S-2001", site: "berlin", state: "Given" });
    await expect(insert(db, { id: "3", serial: "S-2002", site: "berlin", state: "Open" })).rejects.toThrow(/UNIQUE/);
    await insert(db, { id: "4", serial: "S-1001", site: "tokyo", state: "Open" });
  });

  it("are statements of PostgreSQL too, partial indexes included", async () => {
    const statements: string[] = [];
    const dialect: Dialect = {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (of) => new PostgresIntrospector(of),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    };
    const db = new Kysely<unknown>({ dialect, log: ({ query }) => void statements.push(query.sql) });
    for (const migration of Object.values(MIGRATIONS)) await migration.up(db);
    expect(statements.filter((statement) => statement.startsWith("create table"))).toHaveLength(OURS.length);
    expect(statements).toContain(
      `create unique index "command_live_site" on "command" ("site_uid") where state in ('Open', 'Given', 'Proceeding')`,
    );
  });
});
