import { InventoryUnavailable } from "../control/inventory.ts";
import { untilFree } from "./busy.ts";
import type { Engine } from "./engine.ts";

/** Every failure is one error (the ports' promise); a store that is only locked is asked again for five seconds. */
export async function asked<T>(engine: Engine, what: string, ask: () => Promise<T>): Promise<T> {
  try {
    await engine.prepared();
    const answer = await untilFree(engine.isBusy, ask);
    engine.answering.answered(engine.place);
    return answer;
  } catch (error) {
    const said = notAnswered(engine.place, what, error);
    engine.answering.failed(said);
    throw new InventoryUnavailable(said, undefined, { cause: error });
  }
}

/** The sentence for what was asked and failed; `place` without what is secret in it. */
export const notAnswered = (place: string, what: string, error: unknown): string =>
  `The inventory at ${place} did not answer to ${what}: ${whyOf(error)}. Nothing is concluded; it is asked again.`;

/** Of a name with several addresses, each failed in its own way, and the whole says nothing. */
function whyOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(whyOf).join(", ");
  return error instanceof Error ? error.message : String(error);
}
