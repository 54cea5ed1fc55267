import { afterEach, beforeEach, expect, it } from "vitest";
import { InventoryUnavailable } from "../control/inventory.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { StoreClock } from "./store-clock.ts";

const NOW = Date.parse("2026-11-29T00:00:00Z");
let clock: VirtualClock;
let ahead: number;
let away: boolean;
let takes: number;
let said: string[];
let told: number[];
let own: StoreClock;
beforeEach(() => {
  clock = new VirtualClock(NOW);
  [ahead, away, takes, said, told] = [0, false, 0, [], []];
  own = new StoreClock({
    clock,
    storeTime: async () => {
      if (takes > 0) await new Promise<void>((resolve) => clock.after(takes, resolve));
      if (away) throw new InventoryUnavailable("no answer");
      return clock.now() + ahead;
    },
    log: (level, message) => void said.push(`${level}: ${message}`),
    onSkew: (seconds) => void told.push(seconds),
  });
});
afterEach(() => void own.stop());

it("[I3] [G15] nothing is offered before the host's clock was compared, nor while it is more than 5 s from the store's", async () => {
  expect(own.isTrue(), "nobody has looked yet").toBe(false);
  own.start();
  await clock.advance(1);
  expect([own.isTrue(), told]).toEqual([true, [0]]);
  ahead = 5_000;
  await clock.advance(30_000);
  expect(own.isTrue()).toBe(true);
  ahead = -5_001;
  await clock.advance(30_000);
  expect([own.isTrue(), told.at(-1)]).toEqual([false, -5.001]);
  await clock.advance(90_000);
  expect(said).toEqual([
    "error: this host's clock is 5.0 s ahead of the inventory's; nothing is offered to devices until they are within 5 s: set both by NTP",
  ]);
  ahead = 0;
  await clock.advance(30_000);
  expect(own.isTrue()).toBe(true);
  expect(said.at(-1)).toBe("info: this host's clock agrees with the inventory's again");
});

it("[I3] a host whose calendar is set while it runs stops at once, not at the next comparison", async () => {
  own.start();
  await clock.advance(1);
  await clock.skipTo(clock.now() + 3_600_000);
  expect(own.isTrue()).toBe(false);
});

it("an answer that took a while is no skew, and while the store is away the last comparison counts", async () => {
  own.start();
  await clock.advance(1);
  takes = 8_000;
  await clock.advance(38_002);
  expect(Math.abs(told.at(-1)!)).toBeLessThanOrEqual(4.001);
  expect(own.isTrue()).toBe(true);
  away = true;
  await clock.advance(300_000);
  expect(own.isTrue()).toBe(true);
});
