import type { Inventory } from "../control/inventory.ts";
import type { Engine } from "./engine.ts";

/** The last verdict of a revision stands: a person may have asked for another try, which went well (rules S5, G8). */
export async function recordVerdict({ db }: Engine, verdict: Parameters<Inventory["recordVerdict"]>[0]): Promise<void> {
  const { serial, revision, reason, at } = verdict;
  const failed = verdict.failed ? 1 : 0;
  await db
    .insertInto("verdict")
    .values({ serial, revision, failed, reason, at })
    .onConflict((conflict) => conflict.columns(["serial", "revision"]).doUpdateSet({ failed, reason, at }))
    .execute();
}

/** The first acceptance of a notice stays (rules W3, I9). */
export async function recordNotice({ db }: Engine, notice: Parameters<Inventory["recordNotice"]>[0]): Promise<void> {
  const { id, kind, siteUid, acceptedAt } = notice;
  await db
    .insertInto("notice")
    .values({ id, kind, site_uid: siteUid, accepted_at: acceptedAt })
    .onConflict((conflict) => conflict.column("id").doNothing())
    .execute();
}
