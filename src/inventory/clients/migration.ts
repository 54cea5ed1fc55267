import type { Kysely } from "kysely";

const INSTANT = "bigint";
const COUNT = "bigint";

/** Devices, attempts, and the counters that are written with them. */
export async function clients(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("client_device")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("device", "text", (column) => column.notNull())
    .addColumn("os", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("user_name", "text")
    .addColumn("name_key", "text", (column) => column.notNull())
    .addColumn("first_seen_at", INSTANT, (column) => column.notNull())
    .addColumn("seen_at", INSTANT, (column) => column.notNull())
    .addColumn("seen_day", "integer", (column) => column.notNull())
    .addColumn("offered", "text")
    .addColumn("requests", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("client_device_of", ["account", "device"])
    .execute();
  // The census walks one system; a rare one must not cost a walk through all others.
  await db.schema.createIndex("client_device_os").on("client_device").columns(["os", "account", "device"]).execute();
  // The names behind a row of the versions, in their order, with and without a version.
  await db.schema
    .createIndex("client_device_version")
    .on("client_device")
    .columns(["account", "os", "version", "name_key", "device"])
    .execute();
  await db.schema.createIndex("client_device_name").on("client_device").columns(["account", "os", "name_key", "device"]).execute();
  await db.schema.createIndex("client_device_seen").on("client_device").column("seen_day").execute();
  await db.schema
    .createTable("client_attempt")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("device", "text", (column) => column.notNull())
    .addColumn("rollout", "text", (column) => column.notNull())
    .addColumn("revision", "text", (column) => column.notNull())
    .addColumn("stage", "text", (column) => column.notNull())
    .addColumn("pilot", "integer", (column) => column.notNull())
    .addColumn("reached_at", INSTANT, (column) => column.notNull())
    .addColumn("offered_at", INSTANT)
    .addColumn("attempted_at", INSTANT)
    .addColumn("installed_at", INSTANT)
    .addColumn("confirmed_at", INSTANT)
    .addColumn("failed_at", INSTANT)
    // What a device says: any number, not only one of 31 bits.
    .addColumn("error_code", "bigint")
    .addColumn("failures", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("client_attempt_of", ["account", "device", "rollout"])
    .execute();
  await counters(db);
}

async function counters(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("client_counter")
    .addColumn("rollout", "text", (column) => column.notNull())
    .addColumn("stage", "text", (column) => column.notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("pilot", "integer", (column) => column.notNull())
    .addColumn("reached", COUNT, (column) => column.notNull())
    .addColumn("offered", COUNT, (column) => column.notNull())
    .addColumn("attempted", COUNT, (column) => column.notNull())
    .addColumn("confirmed", COUNT, (column) => column.notNull())
    .addColumn("failed", COUNT, (column) => column.notNull())
    .addPrimaryKeyConstraint("client_counter_of", ["rollout", "stage", "account", "pilot"])
    .execute();
  await db.schema
    .createTable("client_version")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("os", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("devices", COUNT, (column) => column.notNull())
    .addColumn("users", COUNT, (column) => column.notNull())
    .addPrimaryKeyConstraint("client_version_of", ["account", "os", "version"])
    .execute();
  await db.schema
    .createTable("client_user_version")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("os", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("member", "text", (column) => column.notNull())
    .addColumn("is_user", "integer", (column) => column.notNull())
    .addColumn("devices", COUNT, (column) => column.notNull())
    .addPrimaryKeyConstraint("client_user_version_of", ["account", "os", "version", "member", "is_user"])
    .execute();
}

/** What the census counts, and the curve over time. */
export async function clientNumbers(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("client_census_of")
    .addColumn("rollout", "text", (column) => column.primaryKey().notNull())
    .addColumn("at", INSTANT, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("client_census")
    .addColumn("rollout", "text", (column) => column.notNull())
    .addColumn("stage", "text", (column) => column.notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("devices", COUNT, (column) => column.notNull())
    .addColumn("pilots", COUNT, (column) => column.notNull())
    .addPrimaryKeyConstraint("client_census_row", ["rollout", "stage", "account"])
    .execute();
  await curve(db, "client_day");
}

/** The curve of the accounts' own pilots. */
export const clientPilotDays = (db: Kysely<unknown>): Promise<void> => curve(db, "client_pilot_day");

/** Users and devices by version, day by day. */
async function curve(db: Kysely<unknown>, table: "client_day" | "client_pilot_day"): Promise<void> {
  await db.schema
    .createTable(table)
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("day", "text", (column) => column.notNull())
    .addColumn("os", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("devices", COUNT, (column) => column.notNull())
    .addColumn("users", COUNT, (column) => column.notNull())
    .addPrimaryKeyConstraint(`${table}_of`, ["account", "day", "os", "version"])
    .execute();
  await db.schema.createIndex(`${table}_day`).on(table).column("day").execute();
}

/** Imported directories, and the gateways that answer. */
export async function clientDirectories(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("client_directory")
    .addColumn("account", "text", (column) => column.primaryKey().notNull())
    .addColumn("generation", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("client_member")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("user_key", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("client_member_of", ["account", "user_key"])
    .execute();
  await db.schema
    .createTable("client_group")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("group_name", "text", (column) => column.notNull())
    .addColumn("user_key", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("client_group_of", ["account", "group_name", "user_key"])
    .execute();
  await db.schema.createIndex("client_group_user").on("client_group").columns(["account", "user_key"]).execute();
  await db.schema
    .createTable("client_owner")
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("device_key", "text", (column) => column.notNull())
    .addColumn("owner", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("client_owner_of", ["account", "device_key"])
    .execute();
  await db.schema
    .createTable("gateway_replica")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("beat_real", INSTANT, (column) => column.notNull())
    .addColumn("pauses", "text", (column) => column.notNull())
    .addColumn("policies", "text", (column) => column.notNull())
    .execute();
}

/** Files that a gateway cannot read in its folder (rule C7). */
export async function gatewayFiles(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("gateway_replica")
    .addColumn("missing", "text", (column) => column.notNull().defaultTo("[]"))
    .execute();
}
