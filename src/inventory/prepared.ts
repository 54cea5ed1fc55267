import type { Compilable, CompiledQuery } from "kysely";
import type { Engine } from "./engine.ts";

/** Stands for a value in a statement that is built before the value is known. */
class Slot {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

type Value = string | number;

/**
 * A statement that is built once for each store and then run with other values: of a check-in, building its three statements took more
 * time than the store took for them. `build` gets stand-ins, which it may hand on as parameters and not look at.
 */
export function prepared<Values extends Readonly<Record<string, Value>>, Row>(
  names: readonly (keyof Values & string)[],
  build: (engine: Engine, values: Values) => Compilable<Row>,
): (engine: Engine, values: Values) => Promise<Row | undefined> {
  const built = new WeakMap<Engine, CompiledQuery<Row>>();
  const slots = Object.fromEntries(names.map((name) => [name, new Slot(name)])) as unknown as Values;
  return async (engine, values) => {
    const statement = built.get(engine) ?? build(engine, slots).compile();
    built.set(engine, statement);
    const parameters = statement.parameters.map((parameter) => (parameter instanceof Slot ? values[parameter.name] : parameter));
    const [row] = await engine.read<Row>({ ...statement, parameters });
    return row;
  };
}
