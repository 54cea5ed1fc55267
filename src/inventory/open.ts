import { SqlInventory } from "./sql-inventory.ts";

export interface InventoryOptions {
  /** The store's clock in milliseconds, for tests; else the process' own for SQLite, the server's for PostgreSQL. */
  readonly real?: () => number;
  /** Hears when changes of other processes are not told any more, and when they are again; PostgreSQL alone. */
  readonly log?: (level: "info" | "warn", message: string) => void;
}

/**
 * Opens the inventory that `url` names (`sqlite:PATH` or `postgresql://…`) and brings its tables up to date. Rejects with a sentence
 * when `url` names none, when the file cannot be used, and when a newer Rollward wrote it. A PostgreSQL that does not answer yet rejects
 * the calls (InventoryUnavailable) until it does.
 */
export async function openInventory(url: string, { real, log }: InventoryOptions = {}): Promise<SqlInventory> {
  if (url.startsWith("sqlite:")) {
    const { sqliteEngine } = await import("./sqlite.ts");
    return new SqlInventory(await sqliteEngine(url.slice("sqlite:".length), { real }));
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    const { postgresEngine } = await import("./postgres.ts");
    return new SqlInventory(await postgresEngine(url, { real, log }));
  }
  // What is no address may still hold a password somewhere: only how it begins is shown.
  const shown = `${url.slice(0, 12)}${url.length > 12 ? "…" : ""}`;
  throw new Error(`"${shown}" names no inventory. Write sqlite:/path/to/inventory.db, or postgresql://user@host/database.`);
}
