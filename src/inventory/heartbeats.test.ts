import { Kysely, SqliteDialect } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Heartbeats } from "./heartbeats.ts";
import { migrate } from "./migrate.ts";
import type { InventoryTables } from "./schema.ts";
import { openSqlite } from "./sqlite-database.ts";

let db: Kysely<InventoryTables>;
beforeEach(async () => {
  db = new Kysely<InventoryTables>({ dialect: new SqliteDialect({ database: openSqlite(":memory:") }) });
  await migrate(db, "memory", { inOneTransaction: true });
});
afterEach(() => db.destroy());

const device = (serial: string) => ({ serial, account: "acme", enrolled_at: 0, hint_ms: 300_000, prefetches: 0, gaps_real: "[]" });
const beatsOf = (serial: string) =>
  db.selectFrom("device").select(["polled_real", "hint_ms", "attributes_real"]).where("serial", "=", serial).executeTakeFirstOrThrow();

it("1,201 devices that were heard are written together, each with its own instants", async () => {
  const serials = Array.from({ length: 1_201 }, (_, n) => `S-${n}`);
  for (const serial of serials) await db.insertInto("device").values(device(serial)).execute();
  const beats = new Heartbeats();
  for (const [n, serial] of serials.entries()) beats.polled(serial, 1_000 + n, 10_000);
  beats.reported("S-7", 5);
  await beats.write(db);
  expect(await beatsOf("S-7")).toEqual({ polled_real: 1_007, hint_ms: 10_000, attributes_real: 5 });
  expect(await beatsOf("S-1200")).toEqual({ polled_real: 2_200, hint_ms: 10_000, attributes_real: null });
  expect(beats.size).toBe(0);
});

it("what another gateway has written since is not taken back, neither the poll nor its hint", async () => {
  await db
    .insertInto("device")
    .values({ ...device("S-1"), polled_real: 900, hint_ms: 60_000 })
    .execute();
  const beats = new Heartbeats();
  beats.polled("S-1", 800, 10_000);
  beats.reported("S-1", 700);
  await beats.write(db);
  expect(await beatsOf("S-1")).toEqual({ polled_real: 900, hint_ms: 60_000, attributes_real: 700 });
});

it("where the store does not take them they are kept, and one heard again while it writes is written next", async () => {
  await db.insertInto("device").values(device("S-1")).execute();
  const beats = new Heartbeats();
  beats.polled("S-1", 1_000, 10_000);
  const closed = new Kysely<InventoryTables>({ dialect: new SqliteDialect({ database: openSqlite(":memory:") }) });
  await closed.destroy();
  await expect(beats.write(closed)).rejects.toThrow();
  expect(beats.of({ ...device("S-1"), polled_real: null, attributes_real: null })).toEqual({ polled: 1_000, hint: 10_000 });
  const writing = beats.write(db);
  beats.polled("S-1", 2_000, 10_000);
  await writing;
  expect(beats.size).toBe(1);
  await beats.write(db);
  expect(await beatsOf("S-1")).toMatchObject({ polled_real: 2_000 });
});
