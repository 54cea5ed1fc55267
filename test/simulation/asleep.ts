import type { Effect, Mishap, Sabotage } from "./effect.ts";
import type { FaultyOperator } from "./faulty-operator.ts";
import { HOUR, Scenario } from "./scenario.ts";

/** `a` sleeps once, with the first effect that fits. */
export function sleepsAt(fits: (effect: Effect) => boolean, milliseconds: number): (effect: Effect) => Mishap | undefined {
  let slept = false;
  return (effect) => {
    if (slept || !fits(effect)) return undefined;
    slept = true;
    return { delayMilliseconds: milliseconds };
  };
}

export interface Asleep {
  readonly scenario: Scenario;
  readonly a: FaultyOperator;
  /** The effect that `a` sleeps with. */
  readonly effect: Effect;
  readonly node: string;
}

/** A roll to `version` up to the moment at which `a` falls asleep with that effect. */
export async function asleep(
  name: string,
  milliseconds: number,
  options: { readonly version?: string; readonly nth?: number; readonly scenario?: Scenario; readonly sabotage?: Sabotage } = {},
): Promise<Asleep> {
  const scenario = options.scenario ?? (await Scenario.create());
  let count = 0;
  let found: Effect | undefined;
  const fits = (effect: Effect) => effect.name === name && ++count === (options.nth ?? 1) && Boolean((found = effect));
  const a = scenario.operator({
    name: "a",
    mishap: sleepsAt(fits, milliseconds),
    ...(options.sabotage ? { sabotage: options.sabotage } : {}),
  });
  await scenario.want(options.version ?? "2.0.0");
  await scenario.until(() => found !== undefined, HOUR, `a asleep with ${name}`);
  return { scenario, a, effect: found!, node: found!.target };
}
