import { setTimeout as pause } from "node:timers/promises";

const WITHIN_MS = 5_000;
const PAUSE_MS = 5;

/** Does it again while the store is only locked by somebody else, for at most five seconds, without stopping the event loop. */
export async function untilFree<T>(isBusy: (error: unknown) => boolean, act: () => Promise<T>): Promise<T> {
  const until = performance.now() + WITHIN_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error;
      await pause(PAUSE_MS);
    }
  }
}
