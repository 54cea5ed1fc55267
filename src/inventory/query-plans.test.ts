import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { CompiledQuery } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import { commandRow } from "../core/socket/command.examples.ts";
import { valuesOf } from "./engine.ts";
import { SqlInventory } from "./sql-inventory.ts";
import { sqliteEngine } from "./sqlite.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const row = commandRow({ notBefore: NOON, notAfter: NOON + 1 });
const own = { account: "acme", serial: "S-2002", action: row.action };

/** Every call of both ports, so that every statement is met. */
async function askEverything(store: SqlInventory): Promise<void> {
  const enrolment = { account: "acme", serial: "S-2002", tokenHash: "hash", at: NOON, oldTokensUntil: NOON };
  await store.enroll(enrolment);
  await store.enroll({ account: "acme", tokenHash: "gateway", at: NOON, oldTokensUntil: NOON });
  await store.authenticate("hash", NOON);
  for (let turn = 0; turn < 2; turn++) await store.poll({ account: "acme", serial: "S-2002", hintMilliseconds: 1 }, NOON);
  for (let turn = 0; turn < 2; turn++) await store.report({ account: "acme", serial: "S-2002", attributes: { version: "17.2" } }, NOON);
  await store.writeHeartbeats();
  await store.reports({ account: "acme", serials: ["S-2001", "S-2002"] });
  await store.insertCommand(row);
  await store.requestCancel(row.id, NOON);
  await store.given(own);
  await store.give(own, NOON);
  await store.feedback(own, "proceed", undefined, NOON);
  await store.feedback(own, "proceed", undefined, NOON);
  await store.act(row.id, "giveUp", NOON);
  await store.endAttempt({ command: row.id, outcome: "Confirmed", at: NOON });
  await store.measured(row.rollout);
  await store.recordVerdict({ serial: "S-2002", revision: "r", failed: true, reason: "InstallFailed", at: NOON });
  await store.recordNotice({ id: "n", siteUid: "site-berlin", kind: "Planned", acceptedAt: NOON });
  await store.planPolls({ serials: ["S-2002"], from: NOON, until: NOON, first: NOON });
  await store.site({ uid: "site-berlin", account: "acme", serials: ["S-2001", "S-2002"], named: "another" });
  await store.settle(await store.changed(10));
  await store.devices("S-1", 10);
}

/** Both ports on a file, and every statement in its order. */
async function watched(): Promise<{ readonly store: SqlInventory; readonly asked: CompiledQuery[]; readonly path: string }> {
  const path = join(folder, "inventory.db");
  const asked: CompiledQuery[] = [];
  const log = ({ query }: { readonly query: CompiledQuery }) => void asked.push(query);
  const engine = await sqliteEngine(path, { real: () => 1_000_000, log });
  // The migrations look through the catalogue, once and before anybody asks.
  asked.length = 0;
  return { store: new SqlInventory(engine), asked, path };
}

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "rollward-plans-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("[S1] what decides is on disk before it is answered; what devices say again by themselves does not wait for the disk", async () => {
  const { store, asked } = await watched();
  await askEverything(store);
  await store.close();
  const waits = new Map<string, Set<boolean>>();
  let isSynced = true;
  for (const { sql } of asked) {
    if (sql.startsWith("pragma synchronous")) isSynced = sql.endsWith("full");
    const table = /^\s*(?:insert into|update|delete from) "?(\w+)/.exec(sql)?.[1];
    if (table !== undefined) waits.set(table, (waits.get(table) ?? new Set()).add(isSynced));
  }
  for (const table of ["command", "token", "attempt", "verdict", "notice", "audit"]) expect([...waits.get(table)!], table).toEqual([true]);
  expect(waits.get("device")).toContain(false);
});

it("no statement reads a table from end to end: the embedded store would stop the event loop meanwhile", async () => {
  const { store, asked, path } = await watched();
  await askEverything(store);
  await store.close();

  const database = new DatabaseSync(path);
  const distinct = [...new Map(asked.map((query) => [query.sql, query])).values()];
  const statements = distinct.filter(({ sql }) => /^\s*(select|insert|update|delete)/.test(sql));
  const scans = statements.flatMap(({ sql, parameters }) => {
    const plan = database.prepare(`explain query plan ${sql}`).all(...(valuesOf(parameters) as SQLInputValue[]));
    const steps = plan.map(({ detail }) => String(detail));
    // What is not a table of ours: the rows of VALUES, and the list that an `in` was given. In the order of an index it ends at its limit.
    const bad = steps.filter(
      (step) =>
        /^(SCAN|USE TEMP B-TREE FOR ORDER BY)/.test(step) && !/^SCAN (beat|\d+ CONSTANT ROWS?|CONSTANT ROW|changed USING INDEX)/.test(step),
    );
    return bad.map((step) => `${step}: ${sql}`);
  });
  database.close();
  expect(statements.length).toBeGreaterThan(30);
  // Those of a check-in go another way to the store; they are looked at too.
  for (const table of ["device", "token", "command"])
    expect(
      statements.some(({ sql }) => sql.includes(`from "${table}" where`)),
      table,
    ).toBe(true);
  expect(scans).toEqual([]);
});
