import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import type { Queries } from "./engine.ts";
import type { InventoryTables } from "./schema.ts";

const KEPT_FOR = 400 * 86_400_000;
const AT_ONCE = 1_000;

export interface Act {
  readonly at: number;
  readonly account: string;
  readonly serial?: string;
  readonly act: string;
  readonly by: "operator" | "gateway" | "device" | "registry";
  readonly detail: string;
}

/** Writes down who did what, as a part of the transaction of the act. */
export async function note(transaction: Transaction<InventoryTables>, { serial, ...act }: Act): Promise<void> {
  await transaction
    .insertInto("audit")
    .values({ id: randomUUID(), serial: serial ?? null, ...act })
    .execute();
}

/**
 * Forgets what is older than 400 days: audit, attempts, notices and commands that are over; and tokens that have been expired for as
 * long. Verdicts stay, and devices. At most 1,000 of each, so that nobody waits for it. True: there may be more.
 */
export async function forgetOld(db: Queries, now: number): Promise<boolean> {
  const before = now - KEPT_FOR;
  const audit = db.selectFrom("audit").select("id").where("at", "<", before).limit(AT_ONCE);
  const attempts = db.selectFrom("attempt").select("command").where("ended_at", "<", before).limit(AT_ONCE);
  const commands = db.selectFrom("command").select("id").where("ended_at", "<", before).limit(AT_ONCE);
  const notices = db.selectFrom("notice").select("id").where("accepted_at", "<", before).limit(AT_ONCE);
  const tokens = db.selectFrom("token").select("hash").where("expires_at", "<", before).limit(AT_ONCE);
  const forgotten = [
    await db.deleteFrom("audit").where("id", "in", audit).executeTakeFirst(),
    await db.deleteFrom("attempt").where("command", "in", attempts).executeTakeFirst(),
    await db.deleteFrom("command").where("id", "in", commands).executeTakeFirst(),
    await db.deleteFrom("notice").where("id", "in", notices).executeTakeFirst(),
    await db.deleteFrom("token").where("hash", "in", tokens).executeTakeFirst(),
  ];
  return forgotten.some(({ numDeletedRows }) => numDeletedRows >= BigInt(AT_ONCE));
}
