import { type RawBuilder, sql } from "kysely";
import type { Engine } from "../engine.ts";

type Types<Row> = { readonly [Name in keyof Row]: "text" | "bigint" };

/** Rows of one statement: SQLite runs it without letting anybody else go on. */
const AT_ONCE = 500;

/**
 * A list of rows as the table `name` of a statement, handed over as one JSON parameter: the statement is the same for each length of the
 * list, so it is built and prepared once, and no store's limit of parameters is met.
 */
export function listed<Row extends object>(
  engine: Engine,
  name: string,
  types: Types<Row>,
  rows: readonly Readonly<Record<keyof Row, string | number | null>>[],
): RawBuilder<unknown> {
  const list = JSON.stringify(rows);
  const columns = Object.entries<"text" | "bigint">(types);
  if (engine.isFar) {
    const typed = columns.map(([column, type]) => sql`${sql.id(column)} ${sql.raw(type)}`);
    return sql`json_to_recordset(cast(${list} as json)) as ${sql.id(name)}(${sql.join(typed)})`;
  }
  const values = columns.map(([column]) => sql`value ->> ${sql.lit(`$.${column}`)} as ${sql.id(column)}`);
  return sql`(select ${sql.join(values)} from json_each(${list})) as ${sql.id(name)}`;
}

/** What PostgreSQL takes for no text would fail all that is written with it. */
export const storable = (text: string): string => text.toWellFormed().replaceAll("\0", "");

/** One call for each part of the list, one after the other; nothing for an empty one. */
export async function inParts<Row, Found>(
  rows: readonly Row[],
  ask: (some: readonly Row[]) => Promise<readonly Found[]>,
): Promise<Found[]> {
  const found: Found[] = [];
  for (let from = 0; from < rows.length; from += AT_ONCE) found.push(...(await ask(rows.slice(from, from + AT_ONCE))));
  return found;
}
