// The inventory of Clients with a million devices in sixty accounts, on SQLite and on PostgreSQL: check-ins written in batches, users by
// version, pages of names, and the numbers of a rollout before and after a stage opens. ROLLWARD_BENCH_CLIENTS says how many (1,000,000).
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import type { ClientCheckIns, ClientInventory, ClientReport, VersionCount } from "../src/control/client-inventory.ts";
import { artifactRevision } from "../src/core/rollout/artifact-revision.ts";
import { SqlClientInventory } from "../src/inventory/clients/sql-client-inventory.ts";
import { openClientInventory } from "../src/inventory/open.ts";
import { sqliteEngine } from "../src/inventory/sqlite.ts";
import { PostgresUnavailable } from "../tools/postgres/install.ts";
import { startPostgres } from "../tools/postgres/run.ts";
import { type Figures, quantile, type Row } from "./figures.ts";

const CLIENTS = Number(process.env["ROLLWARD_BENCH_CLIENTS"] ?? 1_000_000);
const ACCOUNTS = 60;
const LOADED_AT_ONCE = 2_000;
/** As a gateway writes them: each 250 ms what came in. */
const BATCH = 500;
const CHECK_INS = Math.min(CLIENTS, 100_000);
const TIMES = 200;
const PAGE = 100;
const TARGET_MS = 300;
const START = Date.parse("2026-11-23T09:00:00Z");
const SYSTEMS = [...Array.from({ length: 16 }, () => "Windows" as const), "macOS", "macOS", "macOS", "Linux"] as const;
const VERSIONS = ["5.9.4", "5.10.2", "5.11.0", "5.11.0", "5.11.1", "5.11.1", "5.11.1", "5.12.2"];
const TARGET = "5.12.3";
const ROLLOUT = "5f0c7a3e-1d2b-4c8f-9a57-3e1c60b7d9f1";
const revision = artifactRevision({ version: TARGET, artifact: { sha256: "9f86d081".repeat(8) } });

type Clients = ClientCheckIns & ClientInventory;

/** A store, and what it says of its own work. */
interface Store {
  readonly name: string;
  readonly clients: Clients;
  /** Rows of devices and attempts that were read since it was asked last. */
  readonly devicesRead: () => Promise<number>;
  readonly bytes: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** Statements on these tables are counted: Node's SQLite does not tell rows. A count must have none. */
const OF_DEVICES = /client_(device|attempt|user_version)\b/;

async function sqliteStore(folder: string): Promise<Store> {
  let statements = 0;
  const path = join(folder, "inventory.db");
  const engine = await sqliteEngine(path, { log: ({ query }) => void (statements += OF_DEVICES.test(query.sql) ? 1 : 0) });
  return {
    name: "SQLite",
    clients: new SqlClientInventory(engine),
    devicesRead: () => {
      const read = statements;
      statements = 0;
      return Promise.resolve(read);
    },
    bytes: () => Promise.resolve(statSync(path).size),
    close: () => engine.close(),
  };
}

/** Undefined where there is no PostgreSQL. */
async function postgresStore(): Promise<Store | undefined> {
  const server = await startPostgres().catch((error: unknown) => {
    if (error instanceof PostgresUnavailable) return undefined;
    throw error;
  });
  if (server === undefined) return undefined;
  const clients = await openClientInventory(server.url);
  const administrator = new pg.Client({ connectionString: server.url });
  await administrator.connect();
  const ask = async (statement: string): Promise<number> => Number((await administrator.query<{ n: string }>(statement)).rows[0]?.n);
  let before = 0;
  return {
    name: "PostgreSQL",
    clients,
    devicesRead: async () => {
      // A server that has nothing to do writes its statistics down ten seconds after the statement.
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      const now = await ask(
        "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) as n from pg_stat_user_tables where relname in ('client_device', 'client_attempt', 'client_user_version')",
      );
      const read = now - before;
      before = now;
      return read;
    },
    bytes: () => ask("select pg_database_size(current_database()) as n"),
    close: async () => {
      await clients.close();
      await administrator.end();
      await server.stop();
    },
  };
}

const accountOf = (index: number): string => `account-${String(index % ACCOUNTS).padStart(2, "0")}`;
const deviceOf = (index: number): string => `device-${String(index).padStart(8, "0")}`;
/** Four of five people have one computer, the fifth has two. */
const userOf = (index: number): string =>
  `user-${String(Math.floor(index / ACCOUNTS) - (Math.floor(index / ACCOUNTS) % 6 === 5 ? 1 : 0))}@example.com`;
/** One of them, as if by chance and always the same. */
const pick = <Value>(values: readonly Value[], index: number): Value =>
  values[(Math.imul(index ^ (index >>> 15), 0x2c1b3c6d) >>> 8) % values.length]!;

const report = (index: number, at: number, given: Partial<ClientReport> = {}): ClientReport => ({
  account: accountOf(index),
  device: deviceOf(index),
  user: userOf(index),
  os: pick(SYSTEMS, index),
  version: pick(VERSIONS, index + 7),
  at,
  requestId: `{${index.toString(16)}-${at.toString(16)}}`,
  offered: false,
  ...given,
});

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

async function times(count: number, act: (turn: number) => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let turn = 0; turn < count; turn += 1) all.push(await timed(() => act(turn)));
  return all;
}

/** Every device is heard for the first time. Answers devices a second. */
async function load({ name, clients }: Store): Promise<number> {
  const begun = performance.now();
  for (let from = 0; from < CLIENTS; from += LOADED_AT_ONCE) {
    const length = Math.min(LOADED_AT_ONCE, CLIENTS - from);
    await clients.record(Array.from({ length }, (_, index) => report(from + index, START + from)));
    if (from % 200_000 === 0 && from > 0)
      console.error(`${name}: ${from} of ${CLIENTS} devices after ${((performance.now() - begun) / 1_000).toFixed(0)} s`);
  }
  return (CLIENTS / (performance.now() - begun)) * 1_000;
}

/** What a day brings: most say nothing new, some are offered the version, began, failed, or run it. */
function checkIn(index: number, at: number, stage: string): ClientReport {
  const offer = { offered: true, reached: { rollout: ROLLOUT, revision, stage, pilot: index % 50 === 0 } };
  const kind = index % 20;
  if (kind < 12) return report(index, at);
  if (kind < 16) return report(index, at, offer);
  if (kind < 18) return report(index, at, { ...offer, said: { meaning: "Began" } });
  return report(index, at, kind === 18 ? { ...offer, version: TARGET } : { ...offer, said: { meaning: "Failed", errorCode: 1603 } });
}

/** Devices in no order, in batches one after the other; the times of the batches. */
function checkIns({ clients }: Store, count: number, at: number, stage: string): Promise<number[]> {
  // Prime to the number of devices, so that nobody comes twice.
  const step = 611_953;
  return times(Math.floor(count / BATCH), (turn) =>
    clients.record(Array.from({ length: BATCH }, (_, index) => checkIn(((turn * BATCH + index) * step) % CLIENTS, at + turn, stage))),
  );
}

const census = (stages: readonly string[]) =>
  stages.flatMap((stage) =>
    Array.from({ length: ACCOUNTS }, (_, index) => ({
      stage,
      account: accountOf(index),
      devices: Math.floor(CLIENTS / ACCOUNTS / 4),
      pilots: 0,
    })),
  );

const milliseconds = (all: readonly number[]): string =>
  `${quantile(all, 0.5).toFixed(2)} and ${quantile(all, 0.99).toFixed(2)} ms (n = ${all.length})`;

const p99 = (what: string, all: readonly number[]): Row => ({
  what: `${what}, p50 and p99`,
  value: milliseconds(all),
  target: `p99 ≤ ${TARGET_MS} ms`,
  met: quantile(all, 0.99) <= TARGET_MS,
});

/** Numbers of a rollout, before and after a stage opens; the census and the first check-ins of the new stage lie between. */
async function stageOpens(store: Store): Promise<{ readonly rows: readonly Row[] }> {
  const { clients } = store;
  await clients.recordCensus(ROLLOUT, START, census(["pilot", "phase-1"]));
  const count = (): Promise<unknown> => clients.counted(ROLLOUT);
  await store.devicesRead();
  const before = await times(TIMES, count);
  const opened = await timed(() => clients.recordCensus(ROLLOUT, START + 1, census(["pilot", "phase-1", "phase-2"])));
  const after = await times(TIMES, count);
  const read = await store.devicesRead();
  await checkIns(store, Math.min(CHECK_INS, 10_000), START + 200_000_000, "phase-2");
  const later = await times(TIMES, count);
  return {
    rows: [
      { what: "numbers of a rollout before a stage opens, p50 and p99", value: milliseconds(before) },
      { what: "… right after, p50 and p99", value: milliseconds(after) },
      { what: "… with check-ins of the new stage, p50 and p99", value: milliseconds(later) },
      { what: `a census of ${ACCOUNTS} accounts and three stages is replaced`, value: `${opened.toFixed(0)} ms` },
      {
        what: store.name === "SQLite" ? "statements on devices meanwhile" : "rows of devices read meanwhile",
        value: String(read),
        target: "0",
        met: read === 0,
        gated: true,
      },
    ],
  };
}

async function measure(store: Store): Promise<Figures> {
  const { clients } = store;
  const loaded = await load(store);
  const [begun, used] = [performance.now(), process.cpuUsage()];
  const batches = await checkIns(store, CHECK_INS, START + 14_400_000, "phase-1");
  const { user, system } = process.cpuUsage(used);
  const written = batches.length * BATCH;
  const perSecond = (written / (performance.now() - begun)) * 1_000;
  const known = await times(TIMES, (turn) =>
    clients.known(Array.from({ length: BATCH }, (_, index) => report(((turn * BATCH + index) * 7_919) % CLIENTS, 0))),
  );
  const stages = await stageOpens(store);
  await store.devicesRead();
  const one = await times(TIMES, (turn) => clients.versions({ account: accountOf(turn) }));
  const all = await times(TIMES, () => clients.versions({}));
  const read = await store.devicesRead();
  const rows = await clients.versions({});
  const names = await pagesOfNames(clients, rows);
  const day = await timed(() => clients.recordDay("2026-11-23"));
  return {
    title: `${CLIENTS.toLocaleString("en")} Clients in the inventory, on ${store.name}`,
    how: `${ACCOUNTS} accounts, in one process with the benchmark; ${BATCH} check-ins a transaction, one after the other, hours after the first ones, of which 40 in 100 change an attempt${store.name === "PostgreSQL" ? "; the server has 16 MB of buffers and does not sync" : "; each transaction synced to disk"}. ${((await store.bytes()) / CLIENTS).toFixed(0)} bytes of disk a device`,
    rows: [
      { what: "devices heard for the first time", value: `${loaded.toFixed(0)} /s` },
      { what: "check-ins written (B7)", value: `${perSecond.toFixed(0)} /s` },
      {
        what: `… a second of the process' own processor time${store.name === "PostgreSQL" ? ", the server's apart" : ""}`,
        value: ((written / (user + system)) * 1e6).toFixed(0),
      },
      { what: `a batch of ${BATCH} check-ins, p50 and p99`, value: milliseconds(batches) },
      { what: `what is known of ${BATCH} devices, p50 and p99`, value: milliseconds(known) },
      p99("users by version of one account", one),
      p99(`users by version of all accounts (${rows.length} rows)`, all),
      {
        what: store.name === "SQLite" ? "statements on devices for these" : "rows of devices read for these",
        value: String(read),
        target: "0",
        met: read === 0,
        gated: true,
      },
      p99(`${PAGE} names behind a row`, names.plain),
      p99(`${PAGE} names behind a row, of one group`, names.group),
      ...stages.rows,
      { what: "a day of the curve is kept", value: `${day.toFixed(0)} ms` },
    ],
  };
}

/** Pages from the first on, through the names of many rows; a group of every tenth person in one account. */
async function pagesOfNames(
  clients: Clients,
  rows: readonly VersionCount[],
): Promise<{ readonly plain: number[]; readonly group: number[] }> {
  const account = accountOf(0);
  const people = [...new Set(Array.from({ length: Math.floor(CLIENTS / ACCOUNTS) }, (_, index) => userOf(index * ACCOUNTS)))];
  await clients.importDirectory(
    account,
    people.map((user, index) => ({ user, groups: index % 10 === 0 ? ["it", "everybody"] : ["everybody"], devices: [] })),
  );
  let page: Awaited<ReturnType<Clients["usersOf"]>> = [];
  const next = async (of: VersionCount, group?: string): Promise<void> => {
    const after = page.at(-1);
    const { os, version } = of;
    page = await clients.usersOf({
      account: of.account,
      os,
      version,
      limit: PAGE,
      ...(after && { after }),
      ...(group === undefined ? {} : { group }),
    });
  };
  const plain = await times(TIMES, (turn) => {
    if (turn % 10 === 0) page = [];
    return next(rows[Math.floor(turn / 10) % rows.length]!);
  });
  const own = rows.filter((row) => row.account === account);
  const group = await times(TIMES, (turn) => {
    if (turn % 5 === 0) page = [];
    return next(own[Math.floor(turn / 5) % own.length]!, "it");
  });
  return { plain, group };
}

/** Without PostgreSQL its figures are left out. */
export async function clientsAtScale(): Promise<readonly Figures[]> {
  const folder = mkdtempSync(join(tmpdir(), "rollward-clients-"));
  try {
    const figures: Figures[] = [];
    for (const open of [() => sqliteStore(folder), postgresStore]) {
      const store = await open();
      if (store === undefined) continue;
      try {
        figures.push(await measure(store));
      } finally {
        await store.close();
      }
    }
    return figures;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
