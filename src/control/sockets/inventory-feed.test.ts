import { expect, it } from "vitest";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { InventoryFeed } from "./inventory-feed.ts";
import { InventoryWatch } from "./inventory-watch.ts";

const START = Date.parse("2026-11-29T00:00:00Z");

async function world(serials: readonly string[], sitesOf: Readonly<Record<string, readonly string[]>>) {
  const clock = new VirtualClock(START);
  const inventory = new MemoryInventory(() => clock.elapsed());
  for (const serial of serials) await inventory.enroll({ serial, account: "acme", tokenHash: serial, at: START, oldTokensUntil: START });
  const woken: string[] = [];
  const feed = new InventoryFeed({
    clock,
    watch: new InventoryWatch({ clock, inventory, onBack: () => {} }),
    subscribe: (listener) => inventory.onChange(listener),
    sitesOf: (serial) => sitesOf[serial] ?? [],
    wake: (key) => void woken.push(key),
  });
  const report = (serial: string, version: string) => inventory.report({ account: "acme", serial, attributes: { version } }, clock.now());
  const left = async () => (await inventory.changed(1_000)).map(({ serial }) => serial);
  return { clock, inventory, feed, woken, report, left };
}

it("[I8] a change is settled after a look that began after it was taken, and not before", async () => {
  const { clock, feed, woken, left } = await world(["S-1", "S-2", "S-9"], { "S-1": ["acme/berlin"], "S-2": ["acme/berlin"] });
  feed.start();
  await clock.advance(1_000);
  // Nobody's device is settled at once.
  expect(await left()).toEqual(["S-1", "S-2"]);
  expect(new Set(woken)).toEqual(new Set(["acme/berlin"]));
  const seen = feed.begins("acme/berlin");
  feed.ended("acme/berlin", seen);
  await clock.advance(200);
  expect(await left()).toEqual([]);
  feed.stop();
});

it("[I8] what changes during the look stays, and wakes once more", async () => {
  const { clock, feed, woken, report, left } = await world(["S-1"], { "S-1": ["acme/berlin"] });
  feed.start();
  await clock.advance(1_000);
  const seen = feed.begins("acme/berlin");
  await report("S-1", "18.0");
  await clock.advance(10);
  feed.ended("acme/berlin", seen);
  await clock.advance(200);
  expect(await left()).toEqual(["S-1"]);
  expect(woken.length).toBeGreaterThan(1);
  feed.ended("acme/berlin", feed.begins("acme/berlin"));
  await clock.advance(200);
  expect(await left()).toEqual([]);
  feed.stop();
});

it("a serial that two sites name is settled when both were looked at", async () => {
  const { clock, feed, left } = await world(["S-1"], { "S-1": ["acme/a", "acme/b"] });
  feed.start();
  await clock.advance(1_000);
  feed.ended("acme/a", feed.begins("acme/a"));
  await clock.advance(200);
  expect(await left()).toEqual(["S-1"]);
  feed.ended("acme/b", feed.begins("acme/b"));
  await clock.advance(200);
  expect(await left()).toEqual([]);
  feed.stop();
});

it("more changes than one batch holds are all taken, batch by batch", async () => {
  const serials = Array.from({ length: 1_300 }, (_, nth) => `S-${nth}`);
  const { clock, feed, woken, left } = await world(serials, Object.fromEntries(serials.map((serial) => [serial, [`acme/${serial}`]])));
  feed.start();
  for (let round = 0; round < 5; round++) {
    await clock.advance(200);
    for (const key of new Set(woken)) feed.ended(key, feed.begins(key));
  }
  await clock.advance(200);
  expect(new Set(woken).size).toBe(1_300);
  expect(await left()).toEqual([]);
  feed.stop();
});

it("[I8] 500 changes whose sites fail for good do not hide the 700 behind them for longer than two minutes, and are told as long as they fail", async () => {
  const serials = Array.from({ length: 1_200 }, (_, nth) => `S-${nth}`);
  const { clock, feed, woken, left } = await world(serials, Object.fromEntries(serials.map((serial) => [serial, [`acme/${serial}`]])));
  const failing = new Set(serials.slice(0, 500).map((serial) => `acme/${serial}`));
  feed.start();
  for (let second = 0; second < 125; second++) {
    await clock.advance(1_000);
    for (const key of new Set(woken.splice(0))) if (!failing.has(key)) feed.ended(key, feed.begins(key));
  }
  expect(await left()).toEqual(serials.slice(0, 500));
  // The first of them is well again.
  feed.ended("acme/S-0", feed.begins("acme/S-0"));
  await clock.advance(200);
  expect(await left()).toEqual(serials.slice(1, 500));
  feed.stop();
});

it("[I8] a batch full of devices that no site names is settled, and the inventory is asked a few times, not without end", async () => {
  const serials = Array.from({ length: 1_300 }, (_, nth) => `S-${nth}`);
  const { clock, inventory, feed, left } = await world(serials, {});
  let asked = 0;
  const changed = inventory.changed.bind(inventory);
  inventory.changed = (limit) => {
    asked += 1;
    return asked > 100 ? Promise.resolve([]) : changed(limit);
  };
  feed.start();
  await clock.advance(1_000);
  expect(asked).toBeLessThan(20);
  expect(await left()).toEqual([]);
  feed.stop();
});
