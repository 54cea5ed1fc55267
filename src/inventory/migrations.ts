import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { clientDirectories, clientNumbers, clientPilotDays, clients, gatewayFiles } from "./clients/migration.ts";

/** A command that holds its Socket, and with it the pair: a literal, because an index takes no parameter and matches no parameter. */
export const LIVE = sql<boolean>`state in ('Open', 'Given', 'Proceeding')`;

/** Types that both engines read alike: SQLite keeps any integer in 8 bytes, PostgreSQL needs to be told. */
const INSTANT = "bigint";

async function devices(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("device")
    .addColumn("serial", "text", (column) => column.primaryKey().notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("enrolled_at", INSTANT, (column) => column.notNull())
    .addColumn("model", "text")
    .addColumn("version", "text")
    .addColumn("version_seen_at", INSTANT)
    .addColumn("ha_state", "text")
    .addColumn("keepalive", "integer")
    .addColumn("pop", "text")
    .addColumn("prefetches", "integer", (column) => column.notNull().defaultTo(0))
    .addColumn("polled_real", INSTANT)
    .addColumn("hint_ms", "integer", (column) => column.notNull().defaultTo(300_000))
    .addColumn("attributes_real", INSTANT)
    .addColumn("connected_since_at", INSTANT)
    .addColumn("gaps_real", "text", (column) => column.notNull().defaultTo("[]"))
    .addColumn("poll_from_at", INSTANT)
    .addColumn("poll_until_at", INSTANT)
    .addColumn("poll_first_at", INSTANT)
    .execute();
  await db.schema
    .createTable("token")
    .addColumn("hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("serial", "text", (column) => column.references("device.serial").onDelete("cascade"))
    .addColumn("created_at", INSTANT, (column) => column.notNull())
    .addColumn("expires_at", INSTANT)
    .execute();
  await db.schema.createIndex("token_expires").on("token").column("expires_at").execute();
  await db.schema.createIndex("token_owner").on("token").columns(["account", "serial"]).execute();
}

async function commands(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("command")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    // Ours have 31 bits; what a device names in its path may have more, and is then nobody's, not an error of the store.
    .addColumn("action", "bigint", (column) => column.notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("site_namespace", "text", (column) => column.notNull())
    .addColumn("site_name", "text", (column) => column.notNull())
    .addColumn("site_uid", "text", (column) => column.notNull())
    .addColumn("serial", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("rollout", "text", (column) => column.notNull())
    .addColumn("not_before_at", INSTANT, (column) => column.notNull())
    .addColumn("not_after_at", INSTANT, (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("given_at", INSTANT)
    .addColumn("proceeding_at", INSTANT)
    .addColumn("ended_at", INSTANT)
    .addColumn("said", "text")
    .addColumn("cancel_asked", "integer", (column) => column.notNull().defaultTo(0))
    .addCheckConstraint("command_time", sql`not_before_at <= not_after_at`)
    .execute();
  // Feedback names a device and a number; the number is of no other command of this device.
  await db.schema.createIndex("command_action").unique().on("command").columns(["serial", "action"]).execute();
  // Two commands of one site would take a pair down together (rules S2, I4): the store refuses the second.
  await db.schema.createIndex("command_live_site").unique().on("command").column("site_uid").where(LIVE).execute();
  await db.schema.createIndex("command_live_serial").unique().on("command").column("serial").where(LIVE).execute();
  // What is kept for 400 days is found by its age.
  await db.schema.createIndex("command_ended").on("command").column("ended_at").execute();
}

async function records(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("attempt")
    .addColumn("command", "text", (column) => column.primaryKey().notNull())
    .addColumn("serial", "text", (column) => column.notNull())
    .addColumn("site_uid", "text", (column) => column.notNull())
    .addColumn("rollout", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("outcome", "text", (column) => column.notNull())
    .addColumn("reason", "text")
    .addColumn("ended_at", INSTANT, (column) => column.notNull())
    .addColumn("install_ms", INSTANT)
    .execute();
  // The 95th percentile is read off the index.
  await db.schema.createIndex("attempt_rollout").on("attempt").columns(["rollout", "outcome", "install_ms"]).execute();
  await db.schema.createIndex("attempt_ended").on("attempt").column("ended_at").execute();
  await db.schema
    .createTable("verdict")
    .addColumn("serial", "text", (column) => column.notNull())
    .addColumn("revision", "text", (column) => column.notNull())
    .addColumn("failed", "integer", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("at", INSTANT, (column) => column.notNull())
    .addPrimaryKeyConstraint("verdict_of", ["serial", "revision"])
    .execute();
  await db.schema
    .createTable("notice")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("site_uid", "text", (column) => column.notNull())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("accepted_at", INSTANT, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("notice_site").on("notice").column("site_uid").execute();
  await db.schema.createIndex("notice_accepted").on("notice").column("accepted_at").execute();
}

async function feedAndAudit(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("changed")
    .addColumn("serial", "text", (column) => column.primaryKey().notNull())
    .addColumn("token", "text", (column) => column.notNull())
    .addColumn("since_real", INSTANT, (column) => column.notNull())
    .execute();
  await db.schema.createIndex("changed_since").on("changed").column("since_real").execute();
  await db.schema
    .createTable("audit")
    .addColumn("id", "text", (column) => column.primaryKey().notNull())
    .addColumn("at", INSTANT, (column) => column.notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("serial", "text")
    .addColumn("act", "text", (column) => column.notNull())
    .addColumn("by", "text", (column) => column.notNull())
    .addColumn("detail", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("audit_serial").on("audit").columns(["serial", "at"]).execute();
  await db.schema.createIndex("audit_at").on("audit").column("at").execute();
}

/**
 * What brings an inventory up to date, in the order of the names. One that was released is never edited: what changes comes after it.
 * There is no way down: an older Rollward refuses a newer inventory instead of losing what it does not know. But for one whose name ends
 * on `-additive` (rule I21): it makes tables, columns that may be left out, and indexes that refuse nothing, and whatever it keeps may be
 * overlooked by the version before, which goes on with the store while both run, and after going back.
 */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-devices": { up: devices },
  "0002-commands": { up: commands },
  "0003-records": { up: records },
  "0004-feed-and-audit": { up: feedAndAudit },
  "0005-clients": { up: clients },
  "0006-client-numbers": { up: clientNumbers },
  "0007-client-directories": { up: clientDirectories },
  "0008-client-pilot-days": { up: clientPilotDays },
  "0009-gateway-files": { up: gatewayFiles },
};
