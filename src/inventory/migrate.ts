import { CompiledQuery, type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATIONS } from "./migrations.ts";
import type { InventoryTables } from "./schema.ts";

const TABLE = "rollward_migration";
/** How a migration is named that only adds: the version before it works on beside what it added (rule I21). */
const ONLY_ADDS = /-additive$/;

/** The store can be reached and must not be used: trying again will not help, a person has to act. */
export class InventoryRefused extends Error {
  override readonly name = "InventoryRefused";
}

/**
 * Brings the store to today's tables; where nothing is to be done nothing is written. A store that a newer Rollward has only added to is
 * used as it is (rule I21). Rejects with InventoryRefused when a newer one changed it otherwise: it may hold what this one would overlook.
 * `inOneTransaction`: for a store whose migrator runs none (SQLite), where a crash would otherwise leave half a migration.
 */
export async function migrate(
  db: Kysely<InventoryTables>,
  place: string,
  { inOneTransaction, migrations = MIGRATIONS }: { readonly inOneTransaction: boolean; readonly migrations?: typeof MIGRATIONS },
): Promise<void> {
  await db.connection().execute(async (connection) => {
    if (await isCurrent(connection, place, migrations)) return;
    if (!inOneTransaction) return toLatest(connection, place, migrations);
    await connection.executeQuery(CompiledQuery.raw("begin"));
    try {
      await toLatest(connection, place, migrations);
      await connection.executeQuery(CompiledQuery.raw("commit"));
    } catch (error) {
      await connection.executeQuery(CompiledQuery.raw("rollback"));
      throw error;
    }
  });
}

async function isCurrent(db: Kysely<InventoryTables>, place: string, migrations: typeof MIGRATIONS): Promise<boolean> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === TABLE)) return false;
  const { rows: done } = await sql<{ name: string }>`select name from ${sql.table(TABLE)}`.execute(db);
  const names = new Set(done.map(({ name }) => name));
  const lacks = Object.keys(migrations).some((name) => !names.has(name));
  const newer = [...names].filter((name) => !(name in migrations));
  // What was added was made to stand on all that came before: a store that has it, and lacks one of ours, is of another line.
  const refused = lacks ? newer : newer.filter((name) => !ONLY_ADDS.test(name));
  if (refused.length > 0)
    throw new InventoryRefused(
      `The inventory at ${place} was written by a newer Rollward: it has ${refused.join(", ")}, which this one does not know. ` +
        "Nothing was changed. Start the newer version, or put back a backup from before the upgrade.",
    );
  return !lacks;
}

async function toLatest(db: Kysely<InventoryTables>, place: string, migrations: typeof MIGRATIONS): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(migrations) },
    migrationTableName: TABLE,
    migrationLockTableName: `${TABLE}_lock`,
  });
  const { error, results } = await migrator.migrateToLatest();
  if (error === undefined) return;
  const failed = results?.find(({ status }) => status === "Error")?.migrationName;
  const why = error instanceof Error ? error.message : JSON.stringify(error);
  throw new Error(`The inventory at ${place} could not be brought up to date${failed === undefined ? "" : ` by ${failed}`}: ${why}.`, {
    cause: error,
  });
}
