import { timingSafeEqual } from "node:crypto";
import type { Transaction } from "kysely";
import type { Caller, DeviceInventory } from "../control/inventory.ts";
import { note } from "./audit.ts";
import type { Engine } from "./engine.ts";
import { touch } from "./feed.ts";
import { prepared } from "./prepared.ts";
import type { InventoryTables } from "./schema.ts";

type Enrolment = Parameters<DeviceInventory["enroll"]>[0];

/** The first hint of a device that has never polled. */
const FIRST_HINT = 300_000;

const tokenOf = prepared({ hash: "text", now: "bigint" }, ({ db }, { hash, now }: { readonly hash: string; readonly now: number }) =>
  db
    .selectFrom("token")
    .select(["hash", "account", "serial"])
    .where("hash", "=", hash)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", now)])),
);

/**
 * Who has this token. The look-up is by the hash, of which an index may tell how far it matched; nobody gets from there to a token, and
 * what it found is compared once more in constant time.
 */
export async function authenticate(engine: Engine, hash: string, now: number): Promise<Caller | undefined> {
  const token = await tokenOf(engine, { hash, now });
  if (token === undefined || !isSame(token.hash, hash)) return undefined;
  return { account: token.account, ...(token.serial === null ? {} : { serial: token.serial }) };
}

function isSame(kept: string, given: string): boolean {
  const [a, b] = [Buffer.from(kept), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Thrown inside the transaction alone, so that nothing stays of an enrolment that is refused. */
class TokenTaken extends Error {}

/**
 * Binds a serial to an account, for good: another account's is refused and nothing changes (rules S3, I15); nor does anything where
 * somebody else has the token.
 */
export async function enroll(engine: Engine, enrolment: Enrolment): ReturnType<DeviceInventory["enroll"]> {
  try {
    return await engine.db.transaction().execute((db) => enrollWithin(engine, db, enrolment));
  } catch (error) {
    if (error instanceof TokenTaken) return "TokenTaken";
    throw error;
  }
}

async function enrollWithin(engine: Engine, db: Transaction<InventoryTables>, enrolment: Enrolment): ReturnType<DeviceInventory["enroll"]> {
  const { account, serial, at } = enrolment;
  const bound = serial === undefined ? await hasToken(db, account) : await bind(db, { account, serial, at });
  if (bound === "OfAnotherAccount") return bound;
  await replaceTokens(db, enrolment);
  if (serial !== undefined) await touch(engine, db, serial);
  const act = bound === "Enrolled" ? "enroll" : "rotate token";
  await note(db, { at, account, ...(serial === undefined ? {} : { serial }), act, by: "registry", detail: "" });
  return bound;
}

async function bind(
  db: Transaction<InventoryTables>,
  { account, serial, at }: { readonly account: string; readonly serial: string; readonly at: number },
): Promise<"Enrolled" | "Rotated" | "OfAnotherAccount"> {
  const { numInsertedOrUpdatedRows: inserted } = await db
    .insertInto("device")
    .values({ serial, account, enrolled_at: at, hint_ms: FIRST_HINT, prefetches: 0, gaps_real: "[]" })
    .onConflict((conflict) => conflict.column("serial").doNothing())
    .executeTakeFirstOrThrow();
  if (inserted === 1n) return "Enrolled";
  const there = await db.selectFrom("device").select("account").where("serial", "=", serial).executeTakeFirstOrThrow();
  return there.account === account ? "Rotated" : "OfAnotherAccount";
}

async function hasToken(db: Transaction<InventoryTables>, account: string): Promise<"Enrolled" | "Rotated"> {
  const there = await db.selectFrom("token").select("hash").where("account", "=", account).where("serial", "is", null).executeTakeFirst();
  return there === undefined ? "Enrolled" : "Rotated";
}

/**
 * Older ones stay good as long as the overlap lasts, and no longer than they would have. Repeated it is the same (rule I9). Rejects with
 * TokenTaken where the hash is somebody else's: prolonged it would go on opening his door, and never this one's.
 */
async function replaceTokens(
  db: Transaction<InventoryTables>,
  { account, serial, tokenHash, at, expiresAt, oldTokensUntil }: Enrolment,
): Promise<void> {
  await db
    .updateTable("token")
    .set({ expires_at: oldTokensUntil })
    .where("account", "=", account)
    .where("serial", serial === undefined ? "is" : "=", serial ?? null)
    .where("hash", "!=", tokenHash)
    .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", oldTokensUntil)]))
    .execute();
  const { numInsertedOrUpdatedRows: written } = await db
    .insertInto("token")
    .values({ hash: tokenHash, account, serial: serial ?? null, created_at: at, expires_at: expiresAt ?? null })
    .onConflict((conflict) =>
      conflict
        .column("hash")
        .doUpdateSet({ expires_at: expiresAt ?? null })
        .where("token.account", "=", account)
        .where("token.serial", serial === undefined ? "is" : "=", serial ?? null),
    )
    .executeTakeFirstOrThrow();
  if (written !== 1n) throw new TokenTaken();
}
