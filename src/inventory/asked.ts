import { InventoryUnavailable } from "../control/inventory.ts";
import { untilFree } from "./busy.ts";
import type { Engine } from "./engine.ts";

/** Every failure is one error (the ports' promise); a store that is only locked is asked again for five seconds. */
export async function asked<T>(engine: Engine, what: string, ask: () => Promise<T>): Promise<T> {
  try {
    await engine.prepared();
    return await untilFree(engine.isBusy, ask);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const said = `The inventory at ${engine.place} did not answer to ${what}: ${why}. Nothing is concluded; it is asked again.`;
    throw new InventoryUnavailable(said, undefined, { cause: error });
  }
}
