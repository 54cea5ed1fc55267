import { type SelectQueryBuilder, sql } from "kysely";
import type { DeviceAttributes, DeviceInventory, Inventory, PollAnswer } from "../control/inventory.ts";
import { type DeviceReport, isLate } from "../core/socket/device.ts";
import type { Engine } from "./engine.ts";
import { touch } from "./feed.ts";
import type { Heartbeat, Heartbeats } from "./heartbeats.ts";
import { LIVE } from "./migrations.ts";
import { prepared } from "./prepared.ts";
import { commandOf, gapsOf, planOf, reportOf } from "./rows.ts";
import type { DeviceTable, InventoryTables } from "./schema.ts";

/** More gaps than these are not counted: four within a day are more than three (rule S4). */
const KEPT_GAPS = 4;

type Read = DeviceTable & { readonly real: number };

const selectDevice = ({ db, real }: Engine): SelectQueryBuilder<InventoryTables, "device", Read> =>
  db.selectFrom("device").selectAll("device").select(real().as("real"));

type Of = { readonly account: string; readonly serial: string };

const readDevice = prepared({ account: "text", serial: "text" }, (engine, { account, serial }: Of) =>
  selectDevice(engine).where("serial", "=", serial).where("account", "=", account),
);

/** The device, and whether it has a command that is not over: of a thousand polls hardly one has to ask for it. */
const readPoll = prepared({ account: "text", serial: "text" }, (engine, { account, serial }: Of) =>
  selectDevice(engine)
    .leftJoin("command as live", (join) =>
      join.onRef("live.serial", "=", "device.serial").onRef("live.account", "=", "device.account").on(LIVE),
    )
    .select("live.id as live")
    .where("device.serial", "=", serial)
    .where("device.account", "=", account),
);

const liveCommand = prepared({ account: "text", serial: "text" }, ({ db }, { account, serial }: Of) =>
  db.selectFrom("command").selectAll().where("serial", "=", serial).where("account", "=", account).where(LIVE),
);

/** What is known of some devices of one account. */
export async function reportsOf(
  engine: Engine,
  heartbeats: Heartbeats,
  { account, serials }: Parameters<DeviceInventory["reports"]>[0],
): Promise<DeviceReport[]> {
  if (serials.length === 0) return [];
  const rows = await selectDevice(engine).where("serial", "in", serials).where("account", "=", account).execute();
  return rows.map((row) => reportOf(row, heartbeats.of(row), row.real));
}

type Connection = Pick<DeviceTable, "polled_real" | "hint_ms" | "connected_since_at" | "gaps_real">;

/**
 * A poll (rules S4, S13). Nothing is written at once but what the operator has to see: that a device is there, or there again. Two
 * gateways that hear the same device at once after a gap write the same list of gaps, so it is counted once.
 */
export async function poll(
  engine: Engine,
  heartbeats: Heartbeats,
  of: Parameters<DeviceInventory["poll"]>[0],
  now: number,
): Promise<PollAnswer | undefined> {
  const row = await readPoll(engine, of);
  if (row === undefined) return undefined;
  const begun = connectionBegun(row, heartbeats.of(row), of.hintMilliseconds, now);
  if (begun === undefined) heartbeats.polled(row.serial, row.real, of.hintMilliseconds);
  else await writeConnection(engine, row.serial, begun);
  const after = begun === undefined ? row : { ...row, ...begun };
  const plan = planOf(row);
  return {
    device: reportOf(after, heartbeats.of(after), row.real),
    ...(row.live === null ? { cancel: false } : await commandInHand(engine, of)),
    ...(plan === undefined ? {} : { plan }),
  };
}

/** The connection that this poll begins; undefined: it goes on. */
function connectionBegun(row: Read, before: Heartbeat, hint: number, now: number): Connection | undefined {
  const isGap = before.polled !== undefined && isLate(row.real - before.polled, before.hint);
  if (before.polled !== undefined && !isGap && row.connected_since_at !== null) return undefined;
  const gaps = isGap ? [...gapsOf(row), row.real].slice(-KEPT_GAPS) : gapsOf(row);
  return { polled_real: row.real, hint_ms: hint, connected_since_at: now, gaps_real: JSON.stringify(gaps) };
}

async function writeConnection(engine: Engine, serial: string, begun: Connection): Promise<void> {
  await engine.unsynced(async (db) => {
    await db.updateTable("device").set(begun).where("serial", "=", serial).execute();
    await touch(engine, db, serial);
  });
}

async function commandInHand(engine: Engine, of: Of): Promise<Pick<PollAnswer, "command" | "cancel">> {
  const row = await liveCommand(engine, of);
  return row === undefined ? { cancel: false } : { command: commandOf(row), cancel: row.cancel_asked === 1 };
}

/**
 * What a device says of itself. Said again it changes nothing but the age of what is known; two reports of the same device at once
 * leave the row with one of them for each attribute, and the operator looks.
 */
export async function takeReport(
  engine: Engine,
  heartbeats: Heartbeats,
  { attributes, ...of }: Parameters<DeviceInventory["report"]>[0],
  now: number,
): Promise<boolean> {
  const row = await readDevice(engine, of);
  if (row === undefined) return false;
  const told = columnsOf(attributes);
  const differs = Object.entries(told).some(([column, value]) => row[column as keyof typeof told] !== value);
  if (!differs) heartbeats.reported(row.serial, row.real);
  else await writeAttributes(engine, row, told, now);
  return differs;
}

type Attributes = Partial<Pick<DeviceTable, "version" | "model" | "ha_state" | "keepalive" | "pop" | "prefetches">>;

const bit = (value: boolean): number => (value ? 1 : 0);

const columnsOf = ({ version, model, haState, keepalive, pop, prefetch }: DeviceAttributes): Attributes => ({
  ...(version === undefined ? {} : { version }),
  ...(model === undefined ? {} : { model }),
  ...(haState === undefined ? {} : { ha_state: haState }),
  ...(keepalive === undefined ? {} : { keepalive: bit(keepalive) }),
  ...(pop === undefined ? {} : { pop }),
  ...(prefetch === undefined ? {} : { prefetches: bit(prefetch) }),
});

/** `versionSeenAt` is of the first report of a version, so it is decided by the row as it is when it is written. */
async function writeAttributes(engine: Engine, row: Read, told: Attributes, now: number): Promise<void> {
  const seenAt = sql<number>`case when version is distinct from ${told.version} then cast(${now} as bigint) else version_seen_at end`;
  await engine.unsynced(async (db) => {
    await db
      .updateTable("device")
      .set({ ...told, attributes_real: row.real, ...(told.version === undefined ? {} : { version_seen_at: seenAt }) })
      .where("serial", "=", row.serial)
      .where("account", "=", row.account)
      .execute();
    await touch(engine, db, row.serial);
  });
}

/** Replaces what was planned before; a serial that is not enrolled is left out. */
export async function planPolls({ db }: Engine, { serials, from, until, first }: Parameters<Inventory["planPolls"]>[0]): Promise<void> {
  if (serials.length === 0) return;
  await db
    .updateTable("device")
    .set({ poll_from_at: from, poll_until_at: until, poll_first_at: first })
    .where("serial", "in", serials)
    .execute();
}

export async function pageOfDevices(
  engine: Engine,
  heartbeats: Heartbeats,
  after: string | undefined,
  limit: number,
): Promise<DeviceReport[]> {
  const rows = await selectDevice(engine)
    .$if(after !== undefined, (query) => query.where("serial", ">", after ?? ""))
    .orderBy("serial")
    .limit(limit)
    .execute();
  return rows.map((row) => reportOf(row, heartbeats.of(row), row.real));
}
