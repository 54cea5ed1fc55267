import { expect, it } from "vitest";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { DeviceSweep } from "./device-sweep.ts";
import { InventoryWatch } from "./inventory-watch.ts";

const START = Date.parse("2026-11-29T00:00:00Z");
const EVERY = 5 * 60_000;

it("[S4] 1,300 devices are compared page by page, and a timer that falls due meanwhile is called after the first 500", async () => {
  const clock = new VirtualClock(START);
  const inventory = new MemoryInventory(() => clock.elapsed());
  for (let nth = 0; nth < 1_300; nth++)
    await inventory.enroll({ serial: `S-${nth}`, account: "acme", tokenHash: `${nth}`, at: START, oldTokensUntil: START });
  const compared: string[] = [];
  let then = -1;
  const withSerial = (serial: string): string[] => {
    if (compared.push(serial) === 1) clock.after(0, () => void (then = compared.length));
    return [];
  };
  const sweep = new DeviceSweep({
    clock,
    watch: new InventoryWatch({ clock, inventory, onBack: () => {} }),
    index: { withSerial, accountOf: () => undefined },
    sites: { get: () => undefined },
    wake: () => {},
  });
  sweep.start();
  await clock.advance(EVERY + 1);
  expect([then, compared.length, new Set(compared).size]).toEqual([500, 1_300, 1_300]);
  sweep.stop();
});
