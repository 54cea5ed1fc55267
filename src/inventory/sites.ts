import type { Inventory } from "../control/inventory.ts";
import { isOver } from "../core/socket/command.ts";
import type { SiteInventory } from "../core/socket-site/observation.ts";
import type { Engine, Queries } from "./engine.ts";
import type { Heartbeats } from "./heartbeats.ts";
import { LIVE } from "./migrations.ts";
import { commandOf, planOf, reportOf } from "./rows.ts";
import type { CommandTable, DeviceTable } from "./schema.ts";

type Of = Parameters<Inventory["site"]>[0];

/** All that a site's decision looks at, of one moment: a command that ends while this is read is either over in all of it, or in none. */
export function readSite(engine: Engine, heartbeats: Heartbeats, of: Of): Promise<SiteInventory> {
  return engine.db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (db) => {
      const known = await devicesOf(engine, db, of.serials);
      const own = known.filter(({ account }) => account === of.account);
      const foreign = new Set(known.filter(({ account }) => account !== of.account).map(({ serial }) => serial));
      const rows = await commandsOf(db, of);
      const cancelled = rows.filter((row) => row.cancel_asked === 1 && !isOver(commandOf(row).state)).map(({ id }) => id);
      const polls = commonPlan(own);
      return {
        devices: new Map(own.map((device) => [device.serial, reportOf(device, heartbeats.of(device), device.real)])),
        foreign,
        commands: new Map(rows.map((row) => [row.id, commandOf(row)])),
        verdicts: await verdictsOf(
          db,
          of.serials.filter((serial) => !foreign.has(serial)),
        ),
        notices: await noticesOf(db, of.uid),
        ...(cancelled.length === 0 ? {} : { cancelRequested: new Set(cancelled) }),
        ...(polls === undefined ? {} : { polls }),
      };
    });
}

async function devicesOf(engine: Engine, db: Queries, serials: readonly string[]): Promise<(DeviceTable & { readonly real: number })[]> {
  if (serials.length === 0) return [];
  return db.selectFrom("device").selectAll().select(engine.real().as("real")).where("serial", "in", serials).execute();
}

async function commandsOf(db: Queries, { uid, named }: Of): Promise<CommandTable[]> {
  const rows = await db.selectFrom("command").selectAll().where("site_uid", "=", uid).where(LIVE).execute();
  if (named === undefined || rows.some(({ id }) => id === named)) return rows;
  return [...rows, ...(await db.selectFrom("command").selectAll().where("id", "=", named).where("site_uid", "=", uid).execute())];
}

async function verdictsOf(db: Queries, serials: readonly string[]): Promise<SiteInventory["verdicts"]> {
  if (serials.length === 0) return [];
  const rows = await db.selectFrom("verdict").select(["serial", "revision", "failed"]).where("serial", "in", serials).execute();
  return rows.map(({ failed, ...verdict }) => ({ ...verdict, failed: failed === 1 }));
}

async function noticesOf(db: Queries, uid: string): Promise<SiteInventory["notices"]> {
  const rows = await db.selectFrom("notice").select(["id", "accepted_at"]).where("site_uid", "=", uid).execute();
  return new Map(rows.map(({ id, accepted_at: acceptedAt }) => [id, { acceptedAt }]));
}

/** The plan that all of them have; a pair of which one was enrolled since has none, and gets it again (rule S14). */
function commonPlan(devices: readonly DeviceTable[]): SiteInventory["polls"] {
  const [first, ...others] = devices.map(planOf);
  const isSame = (plan: typeof first) => plan?.from === first?.from && plan?.until === first?.until && plan?.first === first?.first;
  return others.every(isSame) ? first : undefined;
}
