import { sql, type Transaction } from "kysely";
import type { AttemptEnd, DeviceInventory, Inventory } from "../control/inventory.ts";
import { type CommandAct, type CommandRow, type CommandState, isOver, TRANSITIONS } from "../core/socket/command.ts";
import { type Act, note } from "./audit.ts";
import type { Engine, Queries } from "./engine.ts";
import { touch } from "./feed.ts";
import { LIVE } from "./migrations.ts";
import { commandOf, tableOf } from "./rows.ts";
import type { CommandTable, InventoryTables } from "./schema.ts";

/**
 * How long, in milliseconds, a command of another site must have been over before the next one of its Socket may be given: what nobody
 * has is taken back at once, what a device may have is waited for a week, as for every row that no site names (rules S1, I4).
 */
const OVER_FOR = { withdraw: 1, giveUp: 7 * 86_400_000 } as const;

/** Calendar time as a typed value: in a `case` or `coalesce`, PostgreSQL takes a bare parameter for text. */
const instant = (now: number) => sql<number>`cast(${now} as bigint)`;

/**
 * Inserted unless its id is there, or its site or its Socket has one that is not over: the unique indexes say so (rules S2, I4). What a
 * deleted site left behind does not keep its Socket from the next one for ever.
 */
export function insertCommand(engine: Engine, row: CommandRow): Promise<boolean> {
  return engine.db.transaction().execute(async (db) => {
    const inserted = (await insertFree(db, row)) || ((await endLeft(db, row)) && (await insertFree(db, row)));
    if (inserted) await touch(engine, db, row.serial);
    return inserted;
  });
}

async function insertFree(db: Queries, row: CommandRow): Promise<boolean> {
  const { numInsertedOrUpdatedRows: inserted } = await db
    .insertInto("command")
    .values(tableOf(row))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow();
  return inserted === 1n;
}

/**
 * Ends the command that keeps this Socket if it is of another site and its time is over before `row` may be given: its site was deleted,
 * and no site looks at it any more. One that is Open nobody was given, and nobody will be; one that was given is waited for, and a week
 * after its last start it counts as Unknown (rule S1).
 */
const endLeft = async (db: Transaction<InventoryTables>, row: CommandRow): Promise<boolean> =>
  (await endLeftBy(db, row, "withdraw")) || (await endLeftBy(db, row, "giveUp"));

async function endLeftBy(db: Transaction<InventoryTables>, row: CommandRow, act: keyof typeof OVER_FOR): Promise<boolean> {
  const { from, to } = TRANSITIONS[act];
  const left = await db
    .updateTable("command")
    .set({ state: to, ended_at: row.notBefore })
    .where("serial", "=", row.serial)
    .where(LIVE)
    .where("state", "in", from)
    .where("site_uid", "!=", row.site.uid)
    .where("not_after_at", "<=", row.notBefore - OVER_FOR[act])
    .returning(["account", "serial", "id", "version"])
    .executeTakeFirst();
  if (left === undefined) return false;
  const { account, serial, id, version } = left;
  await note(db, { at: row.notBefore, account, serial, act, by: "operator", detail: `${id} to ${version}` });
  return true;
}

type Which = { readonly id: string } | { readonly account: string; readonly serial: string; readonly action: number };

/**
 * The one statement of an act, made of TRANSITIONS: state, time and owner are conditions of the change itself, so of two that try at
 * once the store lets one change the row (rule S1). Answers the row as it is then, or undefined when none was changed.
 */
export function changeCommand(
  engine: Engine,
  which: Which,
  act: CommandAct,
  how: { readonly now: number; readonly by: Act["by"]; readonly said?: string },
): Promise<CommandRow | undefined> {
  const { from, to } = TRANSITIONS[act];
  // What says what the row says already changes nothing. But what was given is given again, since the answer may have been lost; it is
  // tried apart, because only the first time is a deed.
  const fresh: readonly CommandState[] = from.filter((state) => state !== to);
  return engine.db.transaction().execute(async (db) => {
    const change = (states: readonly CommandState[]) =>
      db
        .updateTable("command")
        .set({
          state: to,
          ...(act === "give" ? { given_at: sql<number>`coalesce(given_at, ${instant(how.now)})` } : {}),
          ...(act === "proceed" ? { proceeding_at: sql<number>`coalesce(proceeding_at, ${instant(how.now)})` } : {}),
          ...(isOver(to) ? { ended_at: how.now } : {}),
          ...(how.said === undefined ? {} : { said: how.said }),
        })
        .where("state", "in", states)
        .$if("id" in which, (query) => query.where("id", "=", (which as { id: string }).id))
        .$if("action" in which, (query) => query.where(ownedBy(which as Exclude<Which, { id: string }>)))
        .$if(act === "give", (query) => query.where("not_before_at", "<=", how.now).where("not_after_at", ">=", how.now))
        .returningAll()
        .executeTakeFirst();
    const row = await change(fresh);
    if (row === undefined) {
      const again = act === "give" ? await change([to]) : undefined;
      return again && commandOf(again);
    }
    const changed = commandOf(row);
    await touch(engine, db, row.serial);
    const { account, serial, id, version } = changed;
    await note(db, { at: how.now, account, serial, act, by: how.by, detail: `${id} to ${version}` });
    return changed;
  });
}

const ownedBy = ({ account, serial, action }: { readonly account: string; readonly serial: string; readonly action: number }) =>
  sql<boolean>`serial = ${serial} and action = ${action} and account = ${account}`;

/** Of this very device, or nothing is said about it (rule I15). */
export async function givenCommand({ db }: Engine, of: Parameters<DeviceInventory["given"]>[0]): Promise<CommandRow | undefined> {
  const row = await db.selectFrom("command").selectAll().where(ownedBy(of)).where("given_at", "is not", null).executeTakeFirst();
  return row && commandOf(row);
}

/** Feedback of a device; what it is of was given to this very device, or nothing is said about it (rules I9, I15). */
export async function takeFeedback(
  engine: Engine,
  of: Parameters<DeviceInventory["feedback"]>[0],
  act: Parameters<DeviceInventory["feedback"]>[1],
  how: { readonly now: number; readonly said?: string },
): Promise<"Changed" | "Repeated" | "NotYours"> {
  const changed = await changeCommand(engine, of, act, { ...how, by: "device" });
  if (changed !== undefined) return "Changed";
  const row = await engine.db.selectFrom("command").select("given_at").where(ownedBy(of)).executeTakeFirst();
  return row === undefined || row.given_at === null ? "NotYours" : "Repeated";
}

/** Asked once, of what is not over; who asked and when stands in the audit trail. */
export function requestCancel(engine: Engine, id: string, now: number): Promise<void> {
  return engine.db.transaction().execute(async (db) => {
    const row = await db
      .updateTable("command")
      .set({ cancel_asked: 1 })
      .where("id", "=", id)
      .where("cancel_asked", "=", 0)
      .where(LIVE)
      .returning(["account", "serial", "version"])
      .executeTakeFirst();
    if (row === undefined) return;
    const { account, serial, version } = row;
    await note(db, { at: now, account, serial, act: "ask to cancel", by: "operator", detail: `${id} to ${version}` });
  });
}

/** The first end of a command stays. What took its time is read from the row: from the first sign of proceeding to the end. */
export async function endAttempt({ db }: Engine, { command, outcome, reason, at }: AttemptEnd): Promise<void> {
  const row = await db.selectFrom("command").selectAll().where("id", "=", command).executeTakeFirst();
  if (row === undefined) return;
  await db
    .insertInto("attempt")
    .values({ ...attemptOf(row, at), command, outcome, reason: reason ?? null })
    .onConflict((conflict) => conflict.column("command").doNothing())
    .execute();
}

const attemptOf = (row: CommandTable, at: number) => ({
  serial: row.serial,
  site_uid: row.site_uid,
  rollout: row.rollout,
  version: row.version,
  ended_at: at,
  install_ms: row.proceeding_at === null ? null : at - row.proceeding_at,
});

/** The 95th percentile by nearest rank, of those that gave a sign of proceeding; the count is of all that were confirmed. */
export async function measured({ db }: Engine, rollout: string): ReturnType<Inventory["measured"]> {
  const confirmed = db.selectFrom("attempt").where("rollout", "=", rollout).where("outcome", "=", "Confirmed");
  const { upgrades, timed } = await confirmed
    .select(({ fn }) => [fn.countAll<number>().as("upgrades"), fn.count<number>("install_ms").as("timed")])
    .executeTakeFirstOrThrow();
  if (timed === 0) return { upgrades };
  const slow = await confirmed
    .select("install_ms")
    .where("install_ms", "is not", null)
    .orderBy("install_ms")
    .offset(Math.ceil(timed * 0.95) - 1)
    .limit(1)
    .executeTakeFirst();
  return { upgrades, ...(slow === undefined || slow.install_ms === null ? {} : { install: slow.install_ms }) };
}
