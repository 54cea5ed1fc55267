import { randomUUID } from "node:crypto";
import type { Transaction } from "kysely";
import type { ChangedKey } from "../control/inventory.ts";
import type { Engine, Queries } from "./engine.ts";
import type { InventoryTables } from "./schema.ts";

/**
 * Marks a device as changed, as a part of the transaction of the change: neither is there without the other. A mark that is there
 * keeps its age and gets another token, so whoever took the old one cannot settle what came since.
 */
export async function touch(engine: Engine, transaction: Transaction<InventoryTables>, serial: string): Promise<void> {
  const token = randomUUID();
  await transaction
    .insertInto("changed")
    .values({ serial, token, since_real: engine.real() })
    .onConflict((conflict) => conflict.column("serial").doUpdateSet({ token }))
    .execute();
  await engine.announce(transaction);
}

export function nextChanged(db: Queries, limit: number): Promise<ChangedKey[]> {
  return db.selectFrom("changed").select(["serial", "token"]).orderBy("since_real").orderBy("serial").limit(limit).execute();
}

/** A token is of one mark alone, so the two lists need not be paired. A mark that comes back is looked at once more. */
export async function settle(engine: Engine, keys: readonly ChangedKey[]): Promise<void> {
  if (keys.length === 0) return;
  const [serials, tokens] = [keys.map(({ serial }) => serial), keys.map(({ token }) => token)];
  await engine.unsynced((db) => db.deleteFrom("changed").where("serial", "in", serials).where("token", "in", tokens).execute());
}
