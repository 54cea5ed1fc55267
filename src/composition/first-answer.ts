import type { DeviceInventory } from "../control/inventory.ts";
import { type Clock, sleep } from "../runtime/clock.ts";

const EVERY_MS = 1_000;

/**
 * What a gateway that is new misses: undefined as soon as the inventory has answered once, the store's words until then. A replica with a
 * wrong password is not ready, and so takes no other's place; one that has reached its inventory stays ready when that falls silent,
 * because it has an answer for devices (503 with Retry-After).
 */
export function firstAnswer(inventory: Pick<DeviceInventory, "storeTime">, clock: Clock, stop: AbortSignal): () => string | undefined {
  let missing: string | undefined = "it was not asked yet";
  const ask = async (): Promise<void> => {
    while (missing !== undefined && !stop.aborted) {
      try {
        await inventory.storeTime();
        missing = undefined;
      } catch (error) {
        missing = error instanceof Error ? error.message : String(error);
        await sleep(clock, EVERY_MS, stop).catch(() => undefined);
      }
    }
  };
  void ask();
  return () => missing;
}
