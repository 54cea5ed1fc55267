import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import type { CompiledQuery } from "kysely";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ClientReport } from "../../control/client-inventory.ts";
import { artifactRevision } from "../../core/rollout/artifact-revision.ts";
import { valuesOf } from "../engine.ts";
import { sqliteEngine } from "../sqlite.ts";
import { SqlClientInventory } from "./sql-client-inventory.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const revision = artifactRevision({ version: "5.12.3", artifact: { sha256: "9f86d081".repeat(8) } });
const key = { account: "acme", device: "d-1" };
const report = (at: number, given: Partial<ClientReport> = {}): ClientReport => ({
  ...key,
  at,
  os: "Windows",
  version: "5.11.0",
  user: "Anna",
  offered: true,
  reached: { rollout: "uid", revision, stage: "pilot", pilot: true },
  ...given,
});

/** Every call of both ports, so that every statement is met, those of the rare cases too. */
async function askEverything(store: SqlClientInventory): Promise<void> {
  await store.importDirectory("acme", [{ user: "Anna", groups: ["it"], devices: ["d-1"] }]);
  for (let index = 0; index < 10; index += 1)
    await store.record([
      report(NOON + index, { version: `5.${index}.0`, reached: { rollout: `uid-${index}`, revision, stage: "pilot", pilot: true } }),
    ]);
  await store.known([key]);
  await store.client(key);
  for (const after of [undefined, key]) await store.clients("Windows", after, 10);
  await store.recordCensus("uid", NOON, [{ stage: "pilot", account: "acme", devices: 1 }]);
  await store.counted("uid");
  for (const of of [{}, { account: "acme" }, { os: "Windows" }, { account: "acme", os: "Windows" }] as const) await store.versions(of);
  for (const os of [undefined, "Windows"] as const)
    for (const after of [undefined, { user: "Anna", device: "d-1" }])
      for (const version of [undefined, "5.9.0"])
        for (const group of [undefined, "it"])
          await store.usersOf({
            account: "acme",
            limit: 10,
            ...(os && { os }),
            ...(after && { after }),
            ...(version && { version }),
            ...(group && { group }),
          });
  await store.deviceCounts();
  await store.directory("acme");
  await store.recordDay("2026-11-29");
  await store.recordPilots("2026-11-29", { account: "acme", os: "Windows", users: ["anna"], groups: ["it"] });
  for (const account of [undefined, "acme"]) await store.days({ from: "2026-11-01", to: "2026-11-30", ...(account && { account }) });
  await store.forget(NOON + 86_400_000, 10);
}

/**
 * What is read from end to end is small by itself, whatever the number of devices: the list that was handed over, counters of versions
 * where all accounts are asked for, one row a rollout, and pages.
 */
const SMALL =
  /^SCAN (json_each|asked|heard|tried|changed|gone|left_behind|imported|eligible|client_version|client_census_of|ranked|page|of_system|all_of_them|pilot|\(subquery|\d+ CONSTANT)/;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "rollward-client-plans-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("[C4] no statement of a check-in, a count or a page of names reads devices, attempts or users from end to end", async () => {
  const path = join(folder, "inventory.db");
  const asked: CompiledQuery[] = [];
  const engine = await sqliteEngine(path, { real: () => 1, log: ({ query }) => void asked.push(query) });
  asked.length = 0;
  await askEverything(new SqlClientInventory(engine));
  await engine.close();

  const database = new DatabaseSync(path);
  const distinct = [...new Map(asked.map((query) => [query.sql, query])).values()];
  const statements = distinct.filter(({ sql }) => /^\s*(select|insert|update|delete)/.test(sql));
  const bad = statements.flatMap(({ sql, parameters }) => {
    const plan = database.prepare(`explain query plan ${sql}`).all(...(valuesOf(parameters) as SQLInputValue[]));
    const steps = plan.map(({ detail }) => String(detail));
    const scans = steps.filter((step) => step.startsWith("SCAN ") && !SMALL.test(step));
    // A page comes in the order of an index: to sort it, all that come after it would have to be read. What puts together the pages of
    // several systems sorts these alone.
    const isPage = /client_device[^]*limit/.test(sql) && !sql.includes("union all");
    const sorts = isPage ? steps.filter((step) => step.startsWith("USE TEMP B-TREE")) : [];
    return [...scans, ...sorts].map((step) => `${step}: ${sql}`);
  });
  database.close();
  expect(statements.length).toBeGreaterThan(30);
  for (const table of ["client_device", "client_attempt", "client_counter", "client_user_version", "client_census", "client_group"])
    expect(
      statements.some(({ sql }) => sql.includes(table)),
      table,
    ).toBe(true);
  expect(bad).toEqual([]);
});
