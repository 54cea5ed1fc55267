import type { Act } from "./act.ts";
import { firstAct } from "./first-act.ts";
import { secondAct } from "./fleet/second-act.ts";

/** The acts in their order, or the one that was asked for. */
export function chosenActs(number: "1" | "2" | undefined): readonly Act[] {
  const acts: readonly Act[] = [firstAct(), secondAct()];
  return acts.filter((act) => number === undefined || String(act.number) === number);
}
