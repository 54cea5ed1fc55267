import { expect, it, vi } from "vitest";
import { InventoryUnavailable } from "../control/inventory.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { firstAnswer } from "./first-answer.ts";

it("[G9] a new gateway misses its inventory, by the store's own words, until that has answered once; not when it falls silent later", async () => {
  const clock = new VirtualClock(0);
  let asked = 0;
  const storeTime = () => {
    asked += 1;
    return asked === 3 ? Promise.resolve(0) : Promise.reject(new InventoryUnavailable(`refused ${asked}`));
  };
  const missing = firstAnswer({ storeTime }, clock, new AbortController().signal);
  await vi.waitFor(() => expect(missing()).toBe("refused 1"));
  await clock.advance(1_000);
  expect(missing()).toBe("refused 2");
  await clock.advance(1_000);
  expect(missing()).toBeUndefined();
  await clock.advance(60_000);
  expect([missing(), asked]).toEqual([undefined, 3]);
});

it("it is asked no more when the process stops", async () => {
  const clock = new VirtualClock(0);
  const stop = new AbortController();
  let asked = 0;
  const missing = firstAnswer({ storeTime: () => ((asked += 1), Promise.reject(new Error("away"))) }, clock, stop.signal);
  await vi.waitFor(() => expect(missing()).toBe("away"));
  stop.abort();
  await clock.advance(10_000);
  expect(asked).toBe(1);
});
