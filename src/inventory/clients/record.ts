import { sql, type Transaction } from "kysely";
import type { ClientKey, ClientReport } from "../../control/client-inventory.ts";
import { afterReport, type KeptClient } from "../../core/client/attempt.ts";
import { CountChanges } from "../../core/client/client-counts.ts";
import type { Engine } from "../engine.ts";
import type { InventoryTables } from "../schema.ts";
import { writeCounts } from "./counters.ts";
import { keptClients } from "./devices.ts";
import { ATTEMPT, attemptRowOf, dayOf, DEVICE, KEY, keptOf, namesOf, numbered, replaced, rowOf } from "./device-rows.ts";
import { inParts, listed, storable } from "./listed.ts";
import type { ClientAttemptTable, ClientDeviceTable } from "./schema.ts";

type Writing = Transaction<InventoryTables>;

const DEVICE_KEY = ["account", "device"] as const;
const ATTEMPT_KEY = ["account", "device", "rollout"] as const;

/**
 * Takes reports in the order in which they are handed over, in one transaction. Each device is locked before it is read, all of them in
 * one order, so that two gateways that hear the same device neither count it twice nor wait for each other for ever; the counters, which
 * all devices share, come last.
 */
export async function takeReports(engine: Engine, reports: readonly ClientReport[]): Promise<void> {
  if (reports.length === 0) return;
  const devices = byDevice(reports);
  await engine.db.transaction().execute(async (db) => {
    const kept = await keptOfAll(engine, db, devices);
    const changes = new CountChanges();
    const changed = devices.flatMap(({ key, reports: own }) => {
      const before = kept.get(key);
      const after = own.reduce<KeptClient | undefined>(afterReport, before)!;
      changes.add(before, after);
      return before === after ? [] : [{ before, after }];
    });
    await writeClients(engine, db, changed);
    await writeCounts(engine, db, changes);
  });
}

interface Reported extends ClientKey {
  readonly key: string;
  readonly reports: readonly ClientReport[];
}

const keyOf = ({ account, device }: ClientKey): string => JSON.stringify([account, device]);

/** In the order of their keys. */
function byDevice(reports: readonly ClientReport[]): Reported[] {
  const found = new Map<string, ClientReport[]>();
  for (const given of reports) {
    const report = stored(given);
    const own = found.get(keyOf(report));
    if (own === undefined) found.set(keyOf(report), [report]);
    else own.push(report);
  }
  const all = [...found].map(([key, own]) => ({ key, account: own[0]!.account, device: own[0]!.device, reports: own }));
  return all.toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

/** One text that the store refuses would fail the reports of all others. */
const stored = ({ account, device, version, user, requestId, ...report }: ClientReport): ClientReport => ({
  ...report,
  account: storable(account),
  device: storable(device),
  ...(version === undefined ? {} : { version: storable(version) }),
  ...(user === undefined ? {} : { user: storable(user) }),
  ...(requestId === undefined ? {} : { requestId: storable(requestId) }),
});

/** A row that is not there cannot be locked: of two that meet a new device at once, one makes it and the other waits. Answers whom it made. */
async function makeRows(engine: Engine, db: Writing, devices: readonly Reported[]): Promise<ReadonlySet<string>> {
  const rows = devices.map(({ account, device, reports: [first] }): ClientDeviceTable => {
    const { os, at } = first!;
    return {
      account,
      device,
      os,
      version: "",
      user_name: null,
      name_key: "",
      first_seen_at: at,
      seen_at: at,
      seen_day: dayOf(at),
      offered: null,
      requests: "[]",
    };
  });
  const made = await inParts(rows, async (some) => {
    const inserted = await sql<ClientKey>`
      insert into client_device (${namesOf(DEVICE)}) select ${namesOf(DEVICE)} from ${listed(engine, "heard", DEVICE, some)} where true
      on conflict (account, device) do nothing returning account, device
    `.execute(db);
    return inserted.rows;
  });
  return new Set(made.map(keyOf));
}

/** By key. SQLite has one writer, whose transaction fails and is done again where another process has written since it began. */
async function keptOfAll(engine: Engine, db: Writing, devices: readonly Reported[]): Promise<ReadonlyMap<string, KeptClient>> {
  if (engine.isFar) return lockClients(engine, db, devices, await makeRows(engine, db, devices));
  const kept = await keptClients(engine, db, devices);
  return new Map(devices.flatMap(({ key }, index) => (kept[index] === undefined ? [] : [[key, kept[index]] as const])));
}

/**
 * Of those that are kept, by key; whoever was just made is new. The attempts are asked for when the devices are locked: before, another
 * gateway may still write them.
 */
async function lockClients(
  engine: Engine,
  db: Writing,
  devices: readonly (ClientKey & { readonly key: string })[],
  made: ReadonlySet<string>,
): Promise<ReadonlyMap<string, KeptClient>> {
  const old = numbered(devices.filter(({ key }) => !made.has(key)));
  const rows = await inParts(old, async (some) => {
    const locked = await sql<ClientDeviceTable>`
      select kept.* from ${listed(engine, "asked", KEY, some)} cross join client_device as kept
      where kept.account = asked.account and kept.device = asked.device order by asked.n ${forUpdate(engine)}
    `.execute(db);
    return locked.rows;
  });
  // Forgotten at this very moment: done again, it is a new one.
  if (rows.length < old.length) throw new Forgotten();
  const attempts = await attemptsOfAll(engine, db, rows);
  return new Map(rows.map((row) => [keyOf(row), keptOf(row, attempts.get(keyOf(row)) ?? [])]));
}

/** Another transaction has removed what this one was about to change. */
class Forgotten extends Error {
  /** As PostgreSQL calls a transaction that has to be done again. */
  readonly code = "40001";

  constructor() {
    super("a device was forgotten at the moment in which it came back");
  }
}

const forUpdate = ({ isFar }: Engine, skip = false) => (isFar ? sql`for update of kept ${skip ? sql`skip locked` : sql``}` : sql``);

async function attemptsOfAll(
  engine: Engine,
  db: Writing,
  devices: readonly ClientKey[],
): Promise<ReadonlyMap<string, readonly ClientAttemptTable[]>> {
  const rows = await inParts(numbered(devices), async (some) => {
    const found = await sql<ClientAttemptTable>`
      select tried.* from ${listed(engine, "asked", KEY, some)} cross join client_attempt as tried
      where tried.account = asked.account and tried.device = asked.device
    `.execute(db);
    return found.rows;
  });
  const found = new Map<string, ClientAttemptTable[]>();
  for (const row of rows) {
    const own = found.get(keyOf(row));
    if (own === undefined) found.set(keyOf(row), [row]);
    else own.push(row);
  }
  return found;
}

/** What most check-ins change: it is in no index. The day is in one, and changes once a day. */
const SEEN = { account: "text", device: "text", seen_at: "bigint", offered: "text", requests: "text" } as const;
const SEEN_DAY = { ...SEEN, seen_day: "bigint" } as const;

async function writeDevices(engine: Engine, db: Writing, rows: readonly ClientDeviceTable[]): Promise<void> {
  await inParts(rows, async (some) => {
    await sql`
      insert into client_device (${namesOf(DEVICE)}) select ${namesOf(DEVICE)} from ${listed(engine, "heard", DEVICE, some)} where true
      on conflict (account, device) do update set ${replaced(DEVICE, DEVICE_KEY)}
    `.execute(db);
    return [];
  });
}

/** Of devices that are there, some columns alone. */
async function touchDevices(
  engine: Engine,
  db: Writing,
  rows: readonly ClientDeviceTable[],
  columns: typeof SEEN | typeof SEEN_DAY,
): Promise<void> {
  const written = Object.keys(columns).filter((name) => name !== "account" && name !== "device");
  await inParts(rows, async (some) => {
    const heard = some.map(({ account, device, seen_at, offered, requests, seen_day }) => {
      return { account, device, seen_at, offered, requests, seen_day };
    });
    await sql`
      update client_device set ${sql.join(written.map((name) => sql`${sql.id(name)} = ${sql.id("heard", name)}`))}
      from ${listed(engine, "heard", columns, heard)}
      where client_device.account = heard.account and client_device.device = heard.device
    `.execute(db);
    return [];
  });
}

interface Changed {
  readonly before: KeptClient | undefined;
  readonly after: KeptClient;
}

/** Which columns are written. SQLite writes an index anew where one of its columns is named, whatever its value. */
function columnsChanged({ before, after }: Changed): "All" | "SeenDay" | "Seen" {
  if (before === undefined || before.os !== after.os || before.version !== after.version || before.user !== after.user) return "All";
  return dayOf(before.seenAt) === dayOf(after.seenAt) ? "Seen" : "SeenDay";
}

async function writeClients(engine: Engine, db: Writing, changed: readonly Changed[]): Promise<void> {
  const by = Map.groupBy(changed, columnsChanged);
  const rowsOf = (which: ReturnType<typeof columnsChanged>) => (by.get(which) ?? []).map(({ after }) => rowOf(after));
  await writeDevices(engine, db, rowsOf("All"));
  await touchDevices(engine, db, rowsOf("SeenDay"), SEEN_DAY);
  await touchDevices(engine, db, rowsOf("Seen"), SEEN);
  const attempts = changed.flatMap(({ before, after }) =>
    after.attempts.filter((attempt) => before?.attempts.includes(attempt) !== true).map((attempt) => attemptRowOf(after, attempt)),
  );
  await inParts(attempts, async (some) => {
    await sql`
      insert into client_attempt (${namesOf(ATTEMPT)}) select ${namesOf(ATTEMPT)} from ${listed(engine, "tried", ATTEMPT, some)} where true
      on conflict (account, device, rollout) do update set ${replaced(ATTEMPT, ATTEMPT_KEY)}
    `.execute(db);
    return [];
  });
  const left = changed.flatMap(({ before, after: { account, device, attempts: now } }) =>
    (before?.attempts ?? [])
      .filter(({ rollout }) => !now.some((one) => one.rollout === rollout))
      .map(({ rollout }) => ({ account, device, rollout })),
  );
  await inParts(left, async (some) => {
    await sql`
      delete from client_attempt where (account, device, rollout) in (
        select account, device, rollout from ${listed(engine, "left_behind", { account: "text", device: "text", rollout: "text" }, some)}
      )
    `.execute(db);
    return [];
  });
}

/**
 * Devices that were not seen since then go, with their attempts and numbers, and a census as old. Of what is just being written nobody
 * waits for anything: it is seen.
 */
export async function forgetClients(engine: Engine, notSeenSince: number, limit: number): Promise<number> {
  return engine.db.transaction().execute(async (db) => {
    const { rows } = await sql<ClientDeviceTable>`
      select kept.* from client_device as kept where kept.seen_day <= ${dayOf(notSeenSince)} and kept.seen_at < ${notSeenSince}
      order by kept.seen_day limit ${limit} ${forUpdate(engine, true)}
    `.execute(db);
    const attempts = await attemptsOfAll(engine, db, rows);
    const changes = new CountChanges();
    for (const row of rows) changes.add(keptOf(row, attempts.get(keyOf(row)) ?? []), undefined);
    for (const table of ["client_attempt", "client_device"] as const) {
      await inParts(numbered(rows), async (some) => {
        const gone = sql`select account, device from ${listed(engine, "gone", KEY, some)}`;
        await sql`delete from ${sql.table(table)} where (account, device) in (${gone})`.execute(db);
        return [];
      });
    }
    await writeCounts(engine, db, changes);
    const old = db.selectFrom("client_census_of").select("rollout").where("at", "<", notSeenSince);
    await db.deleteFrom("client_census").where("rollout", "in", old).execute();
    await db.deleteFrom("client_census_of").where("at", "<", notSeenSince).execute();
    return rows.length;
  });
}
