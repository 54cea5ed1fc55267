import type { SqlClientInventory } from "./clients/sql-client-inventory.ts";
import { SqlInventory } from "./sql-inventory.ts";

export interface InventoryOptions {
  /** The store's clock in milliseconds, for tests; else the process' own for SQLite, the server's for PostgreSQL. */
  readonly real?: () => number;
  /** Hears when the store does not answer, when changes of other processes are not told any more, and when all is well again. */
  readonly log?: (level: "info" | "warn", message: string) => void;
  /** Hears whether the store answers, at the start and when that changes. */
  readonly answers?: (answers: boolean) => void;
}

/**
 * Opens the inventory that `url` names (`sqlite:PATH` or `postgresql://…`) and brings its tables up to date. Rejects with a sentence
 * when `url` names none, when the file cannot be used, and when a newer Rollward wrote it. A PostgreSQL that does not answer yet rejects
 * the calls (InventoryUnavailable) until it does.
 */
export async function openInventory(url: string, { real, log, answers }: InventoryOptions = {}): Promise<SqlInventory> {
  if (url.startsWith("sqlite:")) {
    const { sqliteEngine } = await import("./sqlite.ts");
    return new SqlInventory(await sqliteEngine(url.slice("sqlite:".length), { real, told: { log, answers } }));
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { postgresEngine } = await import("./postgres.ts");
    return new SqlInventory(await postgresEngine(url, { real, log, answers }));
  }
  // What is no address may still hold a password, and may be nothing else: nothing of it is shown.
  throw new Error("what was written names no inventory. Write sqlite:/path/to/inventory.db, or postgresql://user@host/database.");
}

/** The inventory of Clients alone, for who asks and goes: closed, the whole of it is. Rejects as `openInventory` does. */
export async function openClientInventory(
  url: string,
  options: InventoryOptions = {},
): Promise<SqlClientInventory & { close(): Promise<void> }> {
  const inventory = await openInventory(url, options);
  return Object.assign(inventory.clients, { close: () => inventory.close() });
}
