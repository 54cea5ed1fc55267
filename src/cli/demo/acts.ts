import type { Act } from "./act.ts";
import { firstAct } from "./first-act.ts";
import { secondAct } from "./fleet/second-act.ts";
import { fourthAct } from "./clients/fourth-act.ts";
import type { ActNumber } from "./options.ts";
import { thirdAct } from "./sockets/third-act.ts";

/** The acts in their order, or those of them that were asked for. */
export function chosenActs(numbers: readonly ActNumber[] | undefined): readonly Act[] {
  const acts: readonly Act[] = [firstAct(), secondAct(), thirdAct(), fourthAct()];
  return acts.filter((act) => numbers === undefined || numbers.some((number) => number === String(act.number)));
}
