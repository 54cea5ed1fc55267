import { expect, it } from "vitest";
import type { ClientKey, ClientReport } from "../../control/client-inventory.ts";
import { InventoryUnavailable } from "../../control/inventory.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { KnownClients } from "./known-clients.ts";
import { ReportQueue } from "./report-queue.ts";

const key = (n: number): ClientKey => ({ account: "acme", device: `d-${n}` });
const report = (n: number): ClientReport => ({ ...key(n), at: n, os: "Windows", offered: false });

/** A store that takes what it is given, or is away. */
class Store {
  away = false;
  readonly batches: number[] = [];
  readonly written: string[] = [];
  record = async (reports: readonly ClientReport[]) => {
    await Promise.resolve();
    if (this.away) throw new InventoryUnavailable("away");
    this.batches.push(reports.length);
    this.written.push(...reports.map(({ device }) => device));
  };
}

const opened = () => {
  const [clock, store, said] = [new VirtualClock(0), new Store(), [] as string[]];
  return {
    clock,
    store,
    said,
    queue: new ReportQueue({ checkIns: store, clock, log: (level, message) => void said.push(`${level}: ${message}`) }),
  };
};

it("all requests of one turn are one read, in their order, and of more than 500 each 500", async () => {
  const reads: number[] = [];
  const known = new KnownClients({
    known: async (keys) => {
      reads.push(keys.length);
      return keys.map(({ account, device }) => ({ account, device, os: "Linux", firstSeenAt: 0, seenAt: 0, attempts: [] }));
    },
  });
  const answers = await Promise.all(Array.from({ length: 1_100 }, (_, n) => known.of(key(n))));
  expect([reads, answers[700]?.device]).toEqual([[500, 500, 100], "d-700"]);
  await known.of(key(1));
  expect(reads).toHaveLength(4);
});

it("[I19] more than 5,000 do not wait for an inventory that does not answer; each read that fails fails for its own alone", async () => {
  let fails = (_: Error) => {};
  const known = new KnownClients({ known: () => new Promise((_, reject) => (fails = reject)) });
  const waiting = Array.from({ length: 5_000 }, (_, n) => known.of(key(n)).catch(() => "refused"));
  await expect(known.of(key(6_000))).rejects.toThrow(InventoryUnavailable);
  for (let n = 0; n < 10; n++) {
    await new Promise((resolve) => setImmediate(resolve));
    fails(new InventoryUnavailable("away"));
    await Promise.resolve();
  }
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["refused"]));
});

it("reports are written 250 ms after the first, or when there are 500", async () => {
  const { clock, store, queue } = opened();
  queue.add([report(1)]);
  queue.add([report(2), report(3)]);
  await clock.advance(249);
  expect(store.batches).toEqual([]);
  await clock.advance(1);
  expect(store.batches).toEqual([3]);
  queue.add(Array.from({ length: 1_200 }, (_, n) => report(n)));
  await clock.advance(1_000);
  expect(store.batches).toEqual([3, 500, 500, 200]);
});

it("[G8] who comes again before he is written waits for that, and no other does", async () => {
  const { store, queue } = opened();
  queue.add([report(1), report(2)]);
  await queue.written([key(3)]);
  expect(store.batches).toEqual([]);
  await queue.written([key(2)]);
  expect(store.batches).toEqual([2]);
});

it("what cannot be written stays in its order and is tried again; beyond 20,000 nobody more is taken", async () => {
  const { clock, store, said, queue } = opened();
  store.away = true;
  queue.add(Array.from({ length: 700 }, (_, n) => report(n)));
  await clock.advance(3_000);
  await expect(queue.written([key(1)])).rejects.toThrow("away");
  expect([store.batches, queue.isFull]).toEqual([[], false]);
  queue.add(Array.from({ length: 19_300 }, (_, n) => report(n + 700)));
  expect(queue.isFull).toBe(true);
  store.away = false;
  await clock.advance(30_000);
  expect([store.written.length, store.written[0], store.written.at(-1), queue.isFull]).toEqual([20_000, "d-0", "d-19999", false]);
  expect(said).toEqual([
    "warn: check-ins of Clients could not be written and are tried again: away",
    "info: check-ins of Clients are written again",
  ]);
});

it("at the end everything is written, and what cannot be is told", async () => {
  const { store, queue } = opened();
  queue.add(Array.from({ length: 700 }, (_, n) => report(n)));
  await queue.close();
  expect(store.batches).toEqual([500, 200]);
  const other = opened();
  other.store.away = true;
  other.queue.add([report(1)]);
  await other.queue.close();
  expect(other.said.at(-1)).toBe("warn: 1 check-ins of Clients could not be written before the end");
});
