import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, type TestContext } from "vitest";
import { InventoryUnavailable } from "../../../src/control/inventory.ts";
import { commandRow } from "../../../src/core/socket/command.examples.ts";
import { openInventory } from "../../../src/inventory/open.ts";
import { pool } from "../../../src/inventory/postgres-pool.ts";
import { PostgresListener } from "../../../src/inventory/postgres-listener.ts";
import { type RunningPostgres, startPostgres } from "../../../tools/postgres/run.ts";
import { Cable } from "./cable.ts";
import { type Store, whyNoPostgres } from "./worlds.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const row = commandRow({ notBefore: NOON, notAfter: NOON + 3_600_000 });
const own = { account: "acme", serial: "S-2002", action: row.action };
const enrolment = { account: "acme", serial: "S-2002", tokenHash: "hash", at: NOON, oldTokensUntil: NOON };
/** Nothing here is judged by how fast it comes, but by whether it does. */
const SOON = { timeout: 20_000 };

describe("PostgreSQL", () => {
  let server: RunningPostgres | undefined;
  let missing = "";
  const stores: Store[] = [];
  const opened = async () => {
    const store = await openInventory(server!.url);
    stores.push(store);
    return store;
  };
  const asAdministrator = async (statement: string): Promise<pg.QueryResult> => {
    const client = new pg.Client({ connectionString: server!.url });
    await client.connect();
    return client.query(statement).finally(() => client.end());
  };

  beforeAll(async () => {
    server = await startPostgres().catch((error: unknown) => {
      missing = whyNoPostgres(error);
      return undefined;
    });
  });
  beforeEach(async (context: TestContext) => {
    if (server === undefined) return context.skip(missing);
    await asAdministrator("drop schema public cascade; create schema public");
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server?.stop();
  });

  it("two replicas that start at once bring the tables up to date once, and a third finds nothing to do", async () => {
    const [a, b] = await Promise.all([opened(), opened()]);
    await a.enroll(enrolment);
    expect(await b.authenticate("hash", NOON)).toEqual({ account: "acme", serial: "S-2002" });
    expect(await (await opened()).devices(undefined, 10)).toHaveLength(1);
  });

  it("[I3] tells the server's own calendar, which all gateways share and compare their hosts' with", async () => {
    const before = Date.now();
    const there = await (await opened()).storeTime();
    expect(there).toBeGreaterThan(before - 1_000);
    expect(there).toBeLessThan(Date.now() + 1_000);
  });

  it("tells ages by the server's clock, whatever this process takes the time for", async () => {
    const store = await opened();
    await store.enroll(enrolment);
    await store.poll({ account: "acme", serial: "S-2002", hintMilliseconds: 1_000 }, NOON);
    await asAdministrator("update device set polled_real = polled_real - 60000");
    const [device] = await (await opened()).devices(undefined, 1);
    expect(device?.polledMilliseconds).toBeGreaterThanOrEqual(60_000);
    expect(device?.polledMilliseconds).toBeLessThan(70_000);
  });

  it("[I8] killed in the middle it has what it answered, and while it is away every call is InventoryUnavailable", async () => {
    const store = await opened();
    await store.enroll(enrolment);
    await store.insertCommand(row);
    expect(await store.give(own, NOON)).toMatchObject({ state: "Given" });
    let told = 0;
    store.onChange(() => (told += 1));
    await expect.poll(() => told, SOON).toBeGreaterThan(0);
    await server!.end("SIGQUIT");
    await expect(store.give(own, NOON)).rejects.toThrow(InventoryUnavailable);
    for (const answer of await Promise.allSettled(Array.from({ length: 3 }, () => store.authenticate("hash", NOON))))
      expect(answer).toMatchObject({ status: "rejected", reason: expect.any(InventoryUnavailable) });
    await expect(store.insertCommand(row)).rejects.toThrow(/^The inventory at postgresql:\/\/\/postgres did not answer to insertCommand: /);
    await server!.startAgain();
    expect(await store.act(row.id, "withdraw", NOON)).toBe(false);
    const before = told;
    await store.feedback(own, "succeed", undefined, NOON);
    await expect.poll(() => told, SOON).toBeGreaterThan(before);
  });

  it("[I8] a connection whose other end is gone without a word is found out, and what was missed is told", async () => {
    const store = await opened();
    const cable = await Cable.to(server!.url);
    const said: string[] = [];
    let told = 0;
    const listener = new PostgresListener({
      url: cable.url,
      channel: "rollward_changed",
      log: (level, message) => void said.push(`${level}: ${message}`),
      proveAfterMilliseconds: 100,
      proofWithinMilliseconds: 200,
    });
    try {
      listener.listen(() => (told += 1));
      await expect.poll(() => told, SOON).toBe(1);
      // Some proofs, which nobody is told of: whoever wakes for each of them looks at the feed for nothing.
      await expect.poll(() => cable.bytesUp, SOON).toBeGreaterThan(1_000);
      expect([told, said]).toEqual([1, []]);
      cable.cut();
      await store.enroll(enrolment);
      await expect.poll(() => told, SOON).toBe(2);
      expect(said).toEqual([
        "warn: changes in the inventory are not heard of (a message to itself did not come back); it is tried again each second",
        "info: changes in the inventory are heard of again",
      ]);
      // Away for longer than a second it is said once.
      cable.cut({ refuse: true });
      await expect.poll(() => cable.refused, SOON).toBeGreaterThan(1);
      expect(said).toHaveLength(3);
    } finally {
      listener.close();
      await cable.close();
    }
  });

  it("[I8] a connection that the server ends in mid-transaction leaves nothing of it, and the next call has another", async () => {
    const store = await opened();
    await store.enroll(enrolment);
    // The feed is locked, so the insertion waits inside its transaction until its connection is ended.
    const holder = new pg.Client({ connectionString: server!.url });
    await holder.connect();
    await holder.query("begin; lock table changed in exclusive mode");
    const inserted = store.insertCommand(row).then(String, (error: unknown) => error);
    const ended = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock' and query like '%\"changed\"%'";
    await expect.poll(async () => (await asAdministrator(ended)).rowCount, SOON).toBe(1);
    expect(await inserted).toBeInstanceOf(InventoryUnavailable);
    await holder.end();
    expect((await store.site({ uid: row.site.uid, account: "acme", serials: [] })).commands.size).toBe(0);
    expect(await store.insertCommand(row)).toBe(true);
  });

  it("[I8] a connection whose answer did not come in time is not asked again: the next call has another and does not wait for it", async () => {
    const connections = pool(server!.url, 300);
    const ask = async (statement: string) => {
      const client = await connections.connect();
      return client.query(statement, []).finally(() => client.release());
    };
    await expect(ask("select pg_sleep(3)")).rejects.toThrow("Query read timeout");
    expect((await ask("select 1 as one")).rows).toEqual([{ one: 1 }]);
    await connections.end();
  });

  it("is waited for when it is away at the start: calls are refused until it is there, then answered", async () => {
    await server!.end("SIGINT");
    const store = await opened();
    await expect(store.devices(undefined, 1)).rejects.toThrow(InventoryUnavailable);
    await server!.startAgain();
    expect(await store.devices(undefined, 1)).toEqual([]);
  });

  it("refuses tables of a newer Rollward, and says what to do", async () => {
    await opened();
    await asAdministrator("insert into rollward_migration values ('9999-later', '2027-01-01')");
    await expect(openInventory(server!.url)).rejects.toThrow(/written by a newer Rollward: it has 9999-later.*Start the newer version/);
  });
});
