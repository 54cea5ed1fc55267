import { expect, it } from "vitest";
import { VirtualClock } from "../../simulation/clock.ts";
import { MemoryInventory } from "../../simulation/devices/inventory.ts";
import { type Outage, withOutages } from "../../simulation/devices/outages.ts";
import { type ChangedKey, InventoryUnavailable } from "../inventory.ts";
import { InventoryWatch } from "./inventory-watch.ts";

const START = Date.parse("2026-11-29T00:00:00Z");

function world() {
  const clock = new VirtualClock(START);
  const state = { outage: "None" as Outage, asked: 0 };
  const memory = new MemoryInventory(() => clock.elapsed());
  const counting = new Proxy(memory, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        state.asked += 1;
        return Reflect.apply(value, target, given);
      };
    },
  });
  const woken: string[] = [];
  const inventory = withOutages(counting, () => state.outage);
  const fell: string[] = [];
  const watch = new InventoryWatch({ clock, inventory, onFell: (key) => fell.push(key), onBack: (keys) => woken.push(...keys) });
  const look = (key: string) => watch.ask(key, (asked) => asked.changed(1));
  return { clock, state, memory, watch, fell, woken, look };
}

it("[G9] while it is away nobody asks it but the watch itself, whoever looked is woken once when it is back", async () => {
  const { clock, state, watch, woken, look } = world();
  expect(await look("acme/a")).toEqual({ answer: [] });
  state.outage = "Away";
  for (let nth = 0; nth < 1_000; nth++) expect(await look(`acme/${nth}`)).toBeUndefined();
  await look("acme/7");
  state.asked = 0;
  await clock.advance(60_000);
  expect(state.asked).toBe(0);
  expect(woken).toEqual([]);
  state.outage = "None";
  await clock.advance(5_000);
  expect(state.asked).toBe(1);
  expect(woken).toHaveLength(1_000);
  expect(await look("acme/a")).toBeDefined();
  watch.stop();
});

it("[G9] one that only reads is away: who wanted to write looks again to say so, and it is asked until it can be written to", async () => {
  const { clock, state, memory, watch, fell, woken } = world();
  const locked = () => Promise.reject(new InventoryUnavailable("database is locked"));
  memory.writable = locked;
  expect(await watch.ask("acme/a", locked)).toBeUndefined();
  expect(fell).toEqual(["acme/a"]);
  expect(await watch.ask("acme/a", (asked) => asked.changed(1)), "it is not asked while it is away").toBeUndefined();
  await clock.advance(60_000);
  expect([woken, state.asked > 5]).toEqual([[], true]);
  memory.writable = () => Promise.resolve();
  await clock.advance(5_000);
  expect(woken).toEqual(["acme/a"]);
  watch.stop();
});

it("[S4] a window in which it was away was not watched: `since` is when it answered again", async () => {
  const { clock, state, watch, look } = world();
  expect(watch.since).toBe(START);
  state.outage = "Away";
  await look("acme/a");
  await clock.advance(3_600_000);
  state.outage = "None";
  await clock.advance(5_000);
  expect(watch.since).toBeGreaterThanOrEqual(START + 3_600_000);
});

it("what is no outage is told as what it is", async () => {
  const { watch } = world();
  await expect(watch.ask("acme/a", () => Promise.reject(new Error("a defect")))).rejects.toThrow("a defect");
});

it("[G9] a question under way when the term ends is the last one, whether the inventory answers it or not", async () => {
  for (const comes of ["Answer", "Outage"] as const) {
    const clock = new VirtualClock(START);
    const memory = new MemoryInventory(() => clock.elapsed());
    const woken: string[] = [];
    const away = () => new InventoryUnavailable("changed", 1_000);
    let asked = 0;
    let end = () => {};
    const changed = () => {
      asked += 1;
      if (asked !== 2) return Promise.reject(away());
      return new Promise<readonly ChangedKey[]>((resolve, reject) => (end = () => (comes === "Answer" ? resolve([]) : reject(away()))));
    };
    const asks = (name: string | symbol) => name === "changed" || name === "writable";
    const inventory = new Proxy(memory, { get: (target, name) => (asks(name) ? changed : Reflect.get(target, name, target)) });
    const watch = new InventoryWatch({ clock, inventory, onBack: (keys) => woken.push(...keys) });
    await watch.ask("acme/a", (of) => of.changed(1));
    await clock.advance(1_000);
    watch.stop();
    end();
    await clock.advance(60_000);
    expect({ comes, asked, woken, answer: await watch.ask("acme/a", (of) => of.changed(1)) }).toEqual({
      comes,
      asked: 2,
      woken: [],
      answer: undefined,
    });
  }
});
