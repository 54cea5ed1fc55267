import { type Compilable, type CompiledQuery, type Expression, sql } from "kysely";
import type { Engine } from "./engine.ts";

/** Stands for a value in a statement that is built before the value is known. */
class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Value = string | number;
/** As PostgreSQL calls them. */
type Types<Values> = { readonly [Name in keyof Values]: "text" | "bigint" };
type Build<Values, Row> = (engine: Engine, values: Values) => Compilable<Row> & Expression<unknown>;
type Ask<Values, Row> = (values: Values) => Promise<Row | undefined>;

/**
 * A statement that is built once for each store and then run with other values: of a check-in, building its statements took more time
 * than the store took for them. `build` gets stand-ins, which it may hand on and not look at; of what it finds, the first row is told.
 */
export function prepared<Values extends Readonly<Record<string, Value>>, Row>(
  types: Types<Values>,
  build: Build<Values, Row>,
): (engine: Engine, values: Values) => Promise<Row | undefined> {
  const built = new WeakMap<Engine, Ask<Values, Row>>();
  return (engine, values) => {
    const ask = built.get(engine) ?? (engine.isFar ? togetherOn : alone)(engine, types, build);
    built.set(engine, ask);
    return ask(values);
  };
}

function alone<Values extends Readonly<Record<string, Value>>, Row>(
  engine: Engine,
  types: Types<Values>,
  build: Build<Values, Row>,
): Ask<Values, Row> {
  const slots = Object.fromEntries(Object.keys(types).map((name) => [name, new Slot(name)])) as unknown as Values;
  const statement = build(engine, slots).compile();
  return async (values) => {
    const [row] = await engine.read<Row>(filled(statement, (name) => values[name]));
    return row;
  };
}

/** Lists of one statement; far below what a message may hold. */
const AT_ONCE = 500;

interface Asked<Values, Row> {
  readonly values: Values;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What is asked in one turn of the event loop is asked in one statement, which joins the lists of all values with what was asked for: a
 * thousand devices that come back at once need a few round trips, and one that comes alone does not wait.
 */
function togetherOn<Values extends Readonly<Record<string, Value>>, Row>(
  engine: Engine,
  types: Types<Values>,
  build: Build<Values, Row>,
): Ask<Values, Row> {
  const names = Object.keys(types);
  const columns = Object.fromEntries(names.map((name) => [name, sql.ref(`asked.${name}`)])) as unknown as Values;
  const lists = names.map((name) => sql`cast(${new Slot(name)} as ${sql.raw(types[name] ?? "text")}[])`);
  const statement = sql<Row & { readonly asked_as: number }>`
    select asked.asked_as, found.* from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join(names.map((name) => sql.id(name)))}, asked_as)
    cross join lateral (${build(engine, columns)}) as found
  `.compile(engine.db);
  let waiting: Asked<Values, Row>[] = [];
  const askAll = async (asked: readonly Asked<Values, Row>[]): Promise<void> => {
    try {
      const rows = await engine.read(filled(statement, (name) => asked.map(({ values }) => values[name])));
      const found = new Map(rows.toReversed().map((row) => [row.asked_as, row]));
      for (const [index, { resolve }] of asked.entries()) resolve(found.get(index + 1));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  const askWaiting = (): void => {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += AT_ONCE) void askAll(all.slice(from, from + AT_ONCE));
  };
  return (values) =>
    new Promise((resolve, reject) => {
      waiting.push({ values, resolve, reject });
      if (waiting.length === 1) setImmediate(askWaiting);
    });
}

const filled = <Row>(statement: CompiledQuery<Row>, valueOf: (name: string) => unknown): CompiledQuery<Row> => ({
  ...statement,
  parameters: statement.parameters.map((parameter) => (parameter instanceof Slot ? valueOf(parameter.name) : parameter)),
});
