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
/** Answers each in its place. */
type AskAll<Values, Row> = (all: readonly Values[]) => Promise<readonly (Row | undefined)[]>;

/**
 * A statement that is built once for each store and then run with other values: of a check-in, building its statements took more time
 * than the store took for them. `build` gets stand-ins, which it may hand on and not look at; of what it finds, the first row is told.
 * What is asked in one turn of the event loop is asked together: a thousand devices that come back at once cost a few round trips to a
 * server, and one look at the file of an embedded store; one that comes alone waits for nobody.
 */
export function prepared<Values extends Readonly<Record<string, Value>>, Row>(
  types: Types<Values>,
  build: Build<Values, Row>,
): (engine: Engine, values: Values) => Promise<Row | undefined> {
  const built = new WeakMap<Engine, Ask<Values, Row>>();
  return (engine, values) => {
    const ask = built.get(engine) ?? inOneTurn((engine.isFar ? joined : oneByOne)(engine, types, build));
    built.set(engine, ask);
    return ask(values);
  };
}

/** So many together; far below what a message may hold, and what may hold up the event loop. */
const AT_ONCE = 500;

interface Asked<Values, Row> {
  readonly values: Values;
  readonly resolve: (row: Row | undefined) => void;
  readonly reject: (error: unknown) => void;
}

function inOneTurn<Values, Row>(askAll: AskAll<Values, Row>): Ask<Values, Row> {
  let waiting: Asked<Values, Row>[] = [];
  const askSome = async (asked: readonly Asked<Values, Row>[]): Promise<void> => {
    try {
      const rows = await askAll(asked.map(({ values }) => values));
      for (const [index, { resolve }] of asked.entries()) resolve(rows[index]);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  };
  const askWaiting = (): void => {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += AT_ONCE) void askSome(all.slice(from, from + AT_ONCE));
  };
  return (values) =>
    new Promise((resolve, reject) => {
      waiting.push({ values, resolve, reject });
      if (waiting.length === 1) setImmediate(askWaiting);
    });
}

function oneByOne<Values extends Readonly<Record<string, Value>>, Row>(
  engine: Engine,
  types: Types<Values>,
  build: Build<Values, Row>,
): AskAll<Values, Row> {
  const slots = Object.fromEntries(Object.keys(types).map((name) => [name, new Slot(name)])) as unknown as Values;
  const statement = build(engine, slots).compile();
  return async (all) => {
    const found = await engine.readEach<Row>(
      statement,
      all.map((values) => filled(statement, (name) => values[name])),
    );
    return found.map(([row]) => row);
  };
}

/** One statement that joins the lists of all values with what was asked for. */
function joined<Values extends Readonly<Record<string, Value>>, Row>(
  engine: Engine,
  types: Types<Values>,
  build: Build<Values, Row>,
): AskAll<Values, Row> {
  const names = Object.keys(types);
  const columns = Object.fromEntries(names.map((name) => [name, sql.ref(`asked.${name}`)])) as unknown as Values;
  const lists = names.map((name) => sql`cast(${new Slot(name)} as ${sql.raw(types[name] ?? "text")}[])`);
  const statement = sql<Row & { readonly asked_as: number }>`
    select asked.asked_as, found.* from unnest(${sql.join(lists)}) with ordinality as asked (${sql.join(names.map((name) => sql.id(name)))}, asked_as)
    cross join lateral (${build(engine, columns)}) as found
  `.compile(engine.db);
  return async (all) => {
    const parameters = filled(statement, (name) => all.map((values) => values[name]));
    const rows = await engine.read<Row & { readonly asked_as: number }>({ ...statement, parameters });
    const found = new Map(rows.toReversed().map((row) => [row.asked_as, row]));
    return all.map((_, index) => found.get(index + 1));
  };
}

const filled = ({ parameters }: CompiledQuery, valueOf: (name: string) => unknown): unknown[] =>
  parameters.map((parameter) => (parameter instanceof Slot ? valueOf(parameter.name) : parameter));
