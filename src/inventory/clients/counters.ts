import { sql, type Transaction } from "kysely";
import type { ClientInventory, CountedClients, Eligible, VersionCount } from "../../control/client-inventory.ts";
import { type CountChanges, type Counts, type Member, NOTHING_COUNTED, numbersOf, plus } from "../../core/client/client-counts.ts";
import type { Engine } from "../engine.ts";
import type { InventoryTables } from "../schema.ts";
import { namesOf } from "./device-rows.ts";
import { inParts, listed } from "./listed.ts";

type Writing = Transaction<InventoryTables>;

const COUNTER = {
  rollout: "text",
  stage: "text",
  account: "text",
  pilot: "bigint",
  reached: "bigint",
  offered: "bigint",
  attempted: "bigint",
  confirmed: "bigint",
  failed: "bigint",
} as const;
const VERSION = { account: "text", os: "text", version: "text", devices: "bigint", users: "bigint" } as const;
const MEMBER = { account: "text", os: "text", version: "text", member: "text", is_user: "bigint", devices: "bigint" } as const;

/** As a part of the transaction that changed the devices: always in this order, and the rows of each table in theirs. */
export async function writeCounts(engine: Engine, db: Writing, changes: CountChanges): Promise<void> {
  const versions = await writeMembers(engine, db, changes.members);
  await writeVersions(engine, db, versions);
  const rows = changes.counters.map(({ counts, pilot, ...key }) => ({ ...key, pilot: pilot ? 1 : 0, ...counts }));
  await inParts(rows, async (some) => {
    const { rows: left } = await sql<{ rollout: string; stage: string; account: string; pilot: number; reached: number }>`
      insert into client_counter (${namesOf(COUNTER)})
      select ${namesOf(COUNTER)} from ${listed(engine, "changed", COUNTER, some)} where true
      on conflict (rollout, stage, account, pilot) do update set
        reached = client_counter.reached + excluded.reached, offered = client_counter.offered + excluded.offered,
        attempted = client_counter.attempted + excluded.attempted, confirmed = client_counter.confirmed + excluded.confirmed,
        failed = client_counter.failed + excluded.failed
      returning rollout, stage, account, pilot, reached
    `.execute(db);
    // Of a rollout that every device has forgotten nothing stays.
    for (const { reached, ...key } of left) {
      if (reached === 0)
        await db
          .deleteFrom("client_counter")
          .where((where) => where.and(key))
          .where("reached", "=", 0)
          .execute();
    }
    return [];
  });
}

type VersionChange = Readonly<Record<keyof typeof VERSION, string | number>>;

/** A user counts from his first device on a version to his last: the store tells what is left. */
async function writeMembers(engine: Engine, db: Writing, members: CountChanges["members"]): Promise<VersionChange[]> {
  const by = new Map(
    members.map((change) => [keyOf(change.account, change.os, change.version, change.member, change.isUser ? 1 : 0), change]),
  );
  const left = await inParts(
    members.map(({ isUser, ...member }) => ({ ...member, is_user: isUser ? 1 : 0 })),
    async (some) => {
      const { rows } = await sql<Readonly<Omit<Member, "isUser">> & { readonly is_user: number; readonly devices: number }>`
        insert into client_user_version (${namesOf(MEMBER)})
        select ${namesOf(MEMBER)} from ${listed(engine, "changed", MEMBER, some)} where true
        on conflict (account, os, version, member, is_user) do update set devices = client_user_version.devices + excluded.devices
        returning ${namesOf(MEMBER)}
      `.execute(db);
      return rows;
    },
  );
  const versions = new Map<string, { account: string; os: string; version: string; devices: number; users: number }>();
  const gone: Record<keyof typeof MEMBER, string | number>[] = [];
  for (const row of left) {
    const change = by.get(keyOf(row.account, row.os, row.version, row.member, row.is_user))!.devices;
    const key = keyOf(row.account, row.os, row.version);
    const version = versions.get(key) ?? { account: row.account, os: row.os, version: row.version, devices: 0, users: 0 };
    version.devices += change;
    version.users += (row.devices > 0 ? 1 : 0) - (row.devices - change > 0 ? 1 : 0);
    versions.set(key, version);
    if (row.devices === 0) gone.push(row);
  }
  await inParts(gone, async (some) => {
    await sql`
      delete from client_user_version where (account, os, version, member, is_user) in (
        select account, os, version, member, is_user from ${listed(engine, "gone", MEMBER, some)}
      ) and devices = 0
    `.execute(db);
    return [];
  });
  return [...versions].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, version]) => version);
}

async function writeVersions(engine: Engine, db: Writing, versions: readonly VersionChange[]): Promise<void> {
  await inParts(versions, async (some) => {
    const { rows: left } = await sql<{ account: string; os: string; version: string; devices: number }>`
      insert into client_version (${namesOf(VERSION)})
      select ${namesOf(VERSION)} from ${listed(engine, "changed", VERSION, some)} where true
      on conflict (account, os, version) do update set
        devices = client_version.devices + excluded.devices, users = client_version.users + excluded.users
      returning account, os, version, devices
    `.execute(db);
    for (const { devices, ...key } of left) {
      if (devices === 0)
        await db
          .deleteFrom("client_version")
          .where((where) => where.and(key))
          .where("devices", "=", 0)
          .execute();
    }
    return [];
  });
}

const keyOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts);

/** The census of a rollout is replaced whole: whoever reads sees one or the other. */
export async function writeCensus(engine: Engine, rollout: string, at: number, eligible: readonly Eligible[]): Promise<void> {
  await engine.db.transaction().execute(async (db) => {
    await db
      .insertInto("client_census_of")
      .values({ rollout, at })
      .onConflict((conflict) => conflict.column("rollout").doUpdateSet({ at }))
      .execute();
    await db.deleteFrom("client_census").where("rollout", "=", rollout).execute();
    const types = { stage: "text", account: "text", devices: "bigint", pilots: "bigint" } as const;
    await inParts(
      eligible.map(({ stage, account, devices, pilots = 0 }) => ({ stage, account, devices, pilots })),
      async (some) => {
        await sql`
          insert into client_census (rollout, stage, account, devices, pilots)
          select cast(${rollout} as text), stage, account, devices, pilots from ${listed(engine, "eligible", types, some)}
        `.execute(db);
        return [];
      },
    );
  });
}

interface CensusRow {
  readonly at: number;
  readonly stage: string | null;
  readonly account: string | null;
  readonly devices: number | null;
  readonly pilots: number | null;
}

interface StageCounts {
  readonly stage: string;
  readonly account: string;
  pilots: Counts;
  others: Counts;
  census: number;
  pilotCensus: number;
}

export async function countedClients(engine: Engine, rollout: string): ReturnType<ClientInventory["counted"]> {
  const census = await engine.read<CensusRow>(
    engine.db
      .selectFrom("client_census_of as of")
      .leftJoin("client_census as row", "row.rollout", "of.rollout")
      .select(["of.at", "row.stage", "row.account", "row.devices", "row.pilots"])
      .where("of.rollout", "=", rollout)
      .compile(),
  );
  const [first] = census;
  if (first === undefined) return undefined;
  const counters = await engine.read(engine.db.selectFrom("client_counter").selectAll().where("rollout", "=", rollout).compile());
  const found = new Map<string, StageCounts>();
  const at = (account: string, stage: string): StageCounts => {
    const known = found.get(keyOf(account, stage));
    const row = known ?? { stage, account, pilots: NOTHING_COUNTED, others: NOTHING_COUNTED, census: 0, pilotCensus: 0 };
    if (known === undefined) found.set(keyOf(account, stage), row);
    return row;
  };
  for (const { stage, account, devices, pilots } of census)
    if (stage !== null && account !== null) Object.assign(at(account, stage), { census: devices ?? 0, pilotCensus: pilots ?? 0 });
  for (const { stage, account, pilot, reached, offered, attempted, confirmed, failed } of counters)
    at(account, stage)[pilot === 1 ? "pilots" : "others"] = { reached, offered, attempted, confirmed, failed };
  const rows = [...found.values()].map((row): CountedClients => ({
    account: row.account,
    stage: row.stage,
    numbers: numbersOf(plus(row.pilots, row.others), row.census),
    pilots: numbersOf(row.pilots, row.pilotCensus),
  }));
  return { censusAt: first.at, rows: rows.toSorted((one, other) => byText(one.account, other.account) || byText(one.stage, other.stage)) };
}

export async function versionCounts(engine: Engine, { os, account }: Parameters<ClientInventory["versions"]>[0]): Promise<VersionCount[]> {
  const rows = await engine.read<VersionCount>(
    engine.db
      .selectFrom("client_version")
      .selectAll()
      .$if(account !== undefined, (query) => query.where("account", "=", account ?? ""))
      .$if(os !== undefined, (query) => query.where("os", "=", os ?? ""))
      .$castTo<VersionCount>()
      .compile(),
  );
  return rows.toSorted(byVersion);
}

/** By the counters too: devices are not walked. */
export async function deviceCounts({ read, db }: Engine): Promise<ReadonlyMap<string, number>> {
  const counted = db
    .selectFrom("client_version")
    .select(["account", sql<number>`cast(sum(devices) as bigint)`.as("devices")])
    .groupBy("account");
  return new Map((await read(counted.compile())).map(({ account, devices }) => [account, devices]));
}

export const byText = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
export const byVersion = (one: VersionCount, other: VersionCount): number =>
  byText(one.account, other.account) || byText(one.os, other.os) || byText(one.version, other.version);
