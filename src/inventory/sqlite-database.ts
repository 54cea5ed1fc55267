import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { SqliteDatabase, SqliteStatement } from "kysely";
import { valuesOf } from "./engine.ts";

/** More different statements than there are queries: lists differ in their length, and a hostile caller must not fill memory. */
const KEPT_STATEMENTS = 300;

/**
 * Node's own SQLite as Kysely's dialect asks for it. `path` is a file, or `:memory:`. Written ahead and synced at each commit: what the
 * gateway has answered to a device is on disk, also after a power cut. Another process that writes is not waited for here, because that
 * would stop the event loop and with it the lease: the statement fails, and the caller tries again. Throws when the file is no database
 * or cannot be written, and when its folder is missing. `readOnly`: beside another that has made it, for reads that wait for no transaction.
 */
export function openSqlite(path: string, { readOnly = false } = {}): SqliteDatabase {
  // Made readable by its owner alone. No folder is made: one that is missing is a volume that was not mounted.
  if (path !== ":memory:" && !readOnly) closeSync(openSync(path, "a", 0o600));
  const database = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true, readOnly });
  if (!readOnly) database.exec("pragma journal_mode = wal; pragma synchronous = full;");
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => {
      statements.clear();
      database.close();
    },
    prepare: (sql) => {
      const kept = statements.get(sql);
      if (kept !== undefined) return kept;
      if (statements.size >= KEPT_STATEMENTS) statements.clear();
      const statement = statementOf(database, sql);
      statements.set(sql, statement);
      return statement;
    },
  };
}

function statementOf(database: DatabaseSync, sql: string): SqliteStatement {
  const statement = database.prepare(sql);
  // Rows as objects would have each name of a column made anew at each call: of a wide row that takes longer than to find it.
  statement.setReturnArrays(true);
  let names = namesIn(statement);
  // Kysely hands over what the queries were given; other values than SQLite's are refused by the statement itself.
  const values = (parameters: readonly unknown[]) => valuesOf(parameters) as SQLInputValue[];
  const rowOf = (row: unknown): Record<string, unknown> => {
    const cells = row as readonly unknown[];
    // Another process has changed the table since, and `*` means other columns than it did.
    if (cells.length !== names.length) names = namesIn(statement);
    const found: Record<string, unknown> = {};
    for (let index = 0; index < names.length; index += 1) found[names[index]!] = cells[index];
    return found;
  };
  return {
    reader: names.length > 0,
    all: (parameters) => statement.all(...values(parameters)).map(rowOf),
    run: (parameters) => statement.run(...values(parameters)),
    *iterate(parameters) {
      for (const row of statement.iterate(...values(parameters))) yield rowOf(row);
    },
  };
}

const namesIn = (statement: StatementSync): string[] => statement.columns().map(({ name }) => name);
