import { expect, test } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { backoffDelay } from "./backoff.ts";
import { type QueueObserver, WorkQueue } from "./queue.ts";

const START = Date.parse("2026-03-01T00:00:00Z");

interface Bench {
  readonly clock: VirtualClock;
  readonly queue: WorkQueue;
  /** `key@milliseconds since the start`, in the order of the runs. */
  readonly runs: string[];
}

/** A queue whose work notes when it ran, takes `lasts` virtual milliseconds and fails for the keys in `failing`. */
function bench(
  options: { lasts?: number; workers?: number; failing?: ReadonlySet<string>; observer?: QueueObserver; random?: () => number } = {},
): Bench {
  const clock = new VirtualClock(START);
  const runs: string[] = [];
  const { workers = 1, observer, random = () => 0, lasts = 0, failing } = options;
  const queue = new WorkQueue({ clock, random, workers, ...(observer ? { observer } : {}) });
  queue.start(async (key) => {
    runs.push(`${key}@${clock.elapsed()}`);
    if (lasts > 0) await new Promise<void>((resolve) => void clock.after(lasts, resolve));
    if (failing?.has(key)) throw new Error("no luck");
  });
  return { clock, queue, runs };
}

test("a key asked for ten times before a worker is free runs once", async () => {
  const { clock, queue, runs } = bench();
  for (let time = 0; time < 10; time++) queue.add("a");
  await clock.settle();
  expect(runs).toEqual(["a@0"]);
});

test("of several instants asked for, the earliest wins, and it is the only run", async () => {
  const { clock, queue, runs } = bench();
  queue.add("a", START + 5_000);
  queue.add("a", START + 2_000);
  queue.addAfter("a", 3_000);
  await clock.advance(10_000);
  expect(runs).toEqual(["a@2000"]);
  expect(queue.sleeping).toBe(0);
});

test("a key asked for while it runs is held and runs once more afterwards, never beside itself", async () => {
  const { clock, queue, runs } = bench({ lasts: 100, workers: 4 });
  queue.add("a");
  await clock.advance(50);
  queue.add("a");
  queue.add("a");
  expect([queue.running, queue.depth]).toEqual([1, 0]);
  await clock.advance(1_000);
  expect(runs).toEqual(["a@0", "a@100"]);
});

test("an instant that comes while its key runs makes it run again", async () => {
  const { clock, queue, runs } = bench({ lasts: 100 });
  queue.add("a");
  await clock.advance(10);
  queue.add("a", START + 50);
  await clock.advance(1_000);
  expect(runs).toEqual(["a@0", "a@100"]);
});

test("a run replaces the wake that was asked for before it: it decides anew", async () => {
  const { clock, queue, runs } = bench();
  queue.add("a", START + 5_000);
  queue.add("a");
  await clock.advance(10_000);
  expect(runs).toEqual(["a@0"]);
});

test("a failing key waits 5 ms, then twice as long each time, at most 60 s; the others are not held up", async () => {
  const failing = new Set(["bad"]);
  const delays: number[] = [];
  const { clock, queue, runs } = bench({ failing, observer: { retrying: (_, milliseconds) => void delays.push(milliseconds) } });
  queue.add("bad");
  queue.add("good");
  await clock.advance(400_000);
  expect(delays.slice(0, 5)).toEqual([5, 10, 20, 40, 80]);
  expect(delays.at(-1)).toBe(60_000);
  expect(runs).toContain("good@0");
  failing.clear();
  await clock.advance(60_000);
  failing.add("bad");
  queue.add("bad");
  await clock.settle();
  expect(delays.at(-1), "a success starts the back-off from the beginning").toBe(5);
});

test("the back-off is between half and the whole of its step, by the chance that was handed in", () => {
  const backoff = { minimumMilliseconds: 5, maximumMilliseconds: 60_000 };
  expect([backoffDelay(backoff, 3, () => 0), backoffDelay(backoff, 3, () => 0.999)].map(Math.round)).toEqual([20, 10]);
  expect(backoffDelay(backoff, 5_000, () => 0)).toBe(60_000);
});

test("no more keys run at once than there are workers, and depth and waiting are told", async () => {
  const waited: Record<string, number> = {};
  let deepest = 0;
  const observer: QueueObserver = {
    waited: (key, ms) => void (waited[key] = ms),
    depth: (keys) => void (deepest = Math.max(deepest, keys)),
  };
  const { clock, queue, runs } = bench({ lasts: 100, workers: 2, observer });
  for (const key of ["a", "b", "c", "d", "e"]) queue.add(key);
  await clock.advance(1_000);
  expect(runs).toEqual(["a@0", "b@0", "c@100", "d@100", "e@200"]);
  expect(waited).toEqual({ a: 0, b: 0, c: 100, d: 100, e: 200 });
  expect(deepest).toBe(5);
});

test("a removed key does not run, and one removed while it runs is not repeated", async () => {
  const { clock, queue, runs } = bench({ lasts: 100 });
  queue.add("gone", START + 50);
  queue.remove("gone");
  queue.add("a");
  await clock.advance(10);
  queue.add("a");
  queue.remove("a");
  await clock.advance(1_000);
  expect(runs).toEqual(["a@0"]);
});

test("stop waits for the running key, takes no other, and says that it ended in time", async () => {
  const { clock, queue, runs } = bench({ lasts: 100 });
  queue.add("a");
  queue.add("b");
  await clock.advance(10);
  const stopped = queue.stop(5_000);
  await clock.advance(200);
  expect(await stopped).toBe(true);
  queue.add("c");
  await clock.advance(1_000);
  expect(runs).toEqual(["a@0"]);
});

test("stop gives up after its deadline: the signal of the work fires then, not before", async () => {
  const clock = new VirtualClock(START);
  const queue = new WorkQueue({ clock, random: () => 0 });
  let aborted = false;
  queue.start((_, signal) => new Promise(() => signal.addEventListener("abort", () => (aborted = true))));
  queue.add("hangs");
  await clock.settle();
  const stopped = queue.stop(5_000);
  await clock.advance(4_999);
  expect(aborted).toBe(false);
  await clock.advance(1);
  expect(await stopped).toBe(false);
  expect(aborted).toBe(true);
});

test("100,000 sleeping keys need one timer, and come up in the order of their instants", async () => {
  const { clock, queue, runs } = bench({ workers: 1 });
  const before = clock.pending;
  for (let index = 0; index < 100_000; index++) queue.add(`k${index}`, START + 1_000_000_000 + ((index * 7_919) % 100_000));
  expect(clock.pending - before).toBe(1);
  expect(queue.sleeping).toBe(100_000);
  for (let index = 5; index < 100_000; index++) queue.remove(`k${index}`);
  await clock.advance(1_000_200_000);
  expect(runs.map((run) => run.split("@")[0])).toEqual(["k0", "k1", "k2", "k3", "k4"]);
});

test("[I8] runs that wait for nobody leave the event loop every 10 ms: 100 of 1 ms each take more than four turns of it", async () => {
  let [worked, ran] = [0, 0];
  const clock = Object.assign(new VirtualClock(START), { elapsed: () => worked });
  const queue = new WorkQueue({ clock, random: () => 0, workers: 4 });
  for (let key = 0; key < 100; key++) queue.add(`key-${key}`);
  queue.start(() => {
    worked += 1;
    ran += 1;
    return Promise.resolve();
  });
  let turns = 0;
  for (; ran < 100; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
  // Four are under way at once, and end together.
  expect(turns).toBeGreaterThan(4);
});
