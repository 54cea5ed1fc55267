import { expect, test } from "vitest";
import { VirtualClock } from "../simulation/clock.ts";
import { Sampler, type WantedProbe } from "./sampler.ts";

interface Bench {
  readonly clock: VirtualClock;
  readonly sampler: Sampler<WantedProbe, number>;
  readonly runs: string[];
  readonly changes: string[];
  readonly errors: string[];
  readonly atOnce: () => number;
}

/** A sampler whose probes last `lasts` ms and answer what `answer` says. */
function bench(options: { answer?: (key: string) => number; lasts?: number; concurrency?: number } = {}): Bench {
  const clock = new VirtualClock(0);
  const [runs, changes, errors]: string[][] = [[], [], []] as unknown as string[][];
  let [running, most] = [0, 0];
  const sampler = new Sampler<WantedProbe, number>({
    clock,
    run: async ({ key }) => {
      runs!.push(`${key}@${clock.elapsed()}`);
      most = Math.max(most, ++running);
      if (options.lasts) await new Promise<void>((resolve) => void clock.after(options.lasts!, resolve));
      running--;
      return options.answer?.(key) ?? 1;
    },
    equal: (one, other) => one === other,
    onChange: (owner, key) => void changes!.push(`${owner} ${key}@${clock.elapsed()}`),
    onError: (key) => void errors!.push(key),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  });
  return { clock, sampler, runs: runs!, changes: changes!, errors: errors!, atOnce: () => most };
}

const probe = (key: string, intervalMilliseconds: number): WantedProbe => ({ key, intervalMilliseconds });

test("a wanted probe runs at once, then at its interval, until it is no longer wanted; then its samples are gone", async () => {
  const { clock, sampler, runs } = bench();
  sampler.want("pop", [probe("a", 5_000)]);
  await clock.advance(12_000);
  expect(runs).toEqual(["a@0", "a@5000", "a@10000"]);
  expect(sampler.samples("a").map((sample) => sample.ageMilliseconds)).toEqual([12_000, 7_000, 2_000]);
  sampler.want("pop", []);
  await clock.advance(60_000);
  expect(runs).toHaveLength(3);
  expect(sampler.samples("a")).toEqual([]);
});

test("wanting the same again, as every decision does, runs nothing early and keeps the samples", async () => {
  const { clock, sampler, runs } = bench();
  for (let second = 0; second < 9; second++) {
    sampler.want("pop", [probe("a", 5_000)]);
    await clock.advance(1_000);
  }
  expect(runs).toEqual(["a@0", "a@5000"]);
});

test("two owners of one key share one probe at the shorter interval; it ends with the last of them", async () => {
  const { clock, sampler, runs, changes } = bench();
  sampler.want("x", [probe("a", 5_000)]);
  sampler.want("y", [probe("a", 2_000)]);
  await clock.advance(4_000);
  expect(runs).toEqual(["a@0", "a@2000", "a@4000"]);
  expect(changes).toEqual(["x a@0", "y a@0"]);
  sampler.want("y", []);
  await clock.advance(6_000);
  expect(runs.slice(3)).toEqual(["a@6000"]);
});

test("only the first result and one that differs wake the owner", async () => {
  let value = 1;
  const { clock, sampler, changes } = bench({ answer: () => value });
  sampler.want("pop", [probe("a", 1_000)]);
  await clock.advance(3_500);
  value = 2;
  await clock.advance(3_000);
  expect(changes).toEqual(["pop a@0", "pop a@4000"]);
});

test("a probe slower than its interval never runs twice at once, and its sample is as old as its start", async () => {
  const { clock, sampler, runs, atOnce } = bench({ lasts: 3_000 });
  sampler.want("pop", [probe("a", 1_000)]);
  await clock.advance(6_500);
  expect(runs).toEqual(["a@0", "a@3000", "a@6000"]);
  expect(atOnce()).toBe(1);
  expect(sampler.samples("a").map((sample) => sample.ageMilliseconds)).toEqual([6_500, 3_500]);
});

test("the last 64 results are kept, oldest first", async () => {
  let value = 0;
  const { clock, sampler } = bench({ answer: () => ++value });
  sampler.want("pop", [probe("a", 1_000)]);
  await clock.advance(99_500);
  const results = sampler.samples("a").map((sample) => sample.result);
  expect([results.length, results[0], results.at(-1)]).toEqual([64, 37, 100]);
});

test("1,000 probes due at once run at most 64 at a time, all of them", async () => {
  const { clock, sampler, runs, atOnce } = bench({ lasts: 10 });
  sampler.want(
    "pop",
    Array.from({ length: 1_000 }, (_, index) => probe(`p${index}`, 60_000)),
  );
  await clock.advance(1_000);
  expect([runs.length, atOnce()]).toEqual([1_000, 64]);
});

test("a result that comes after its probe was given up is dropped, also when it is wanted again meanwhile", async () => {
  const { clock, sampler, changes } = bench({ lasts: 1_000 });
  sampler.want("pop", [probe("a", 5_000)]);
  await clock.advance(500);
  sampler.want("pop", []);
  sampler.want("pop", [probe("a", 5_000)]);
  await clock.advance(700);
  expect(changes).toEqual([]);
  await clock.advance(300);
  expect(changes).toEqual(["pop a@1500"]);
  expect(sampler.samples("a")).toHaveLength(1);
});

test("a probe or a listener that throws is told to onError and does not stop the others", async () => {
  const { clock, sampler, errors, runs } = bench({
    answer: (key) => {
      if (key === "bad") throw new Error("no answer");
      return 1;
    },
  });
  sampler.want("pop", [probe("bad", 1_000), probe("good", 1_000)]);
  await clock.advance(1_500);
  expect(errors).toEqual(["bad", "bad"]);
  expect(runs.filter((run) => run.startsWith("good"))).toHaveLength(2);
  expect(sampler.samples("bad")).toEqual([]);
});

test("after stop nothing runs and nobody is woken", async () => {
  const { clock, sampler, runs, changes } = bench({ lasts: 100 });
  sampler.want("pop", [probe("a", 1_000)]);
  await clock.advance(50);
  sampler.stop();
  sampler.want("pop", [probe("b", 1_000)]);
  await clock.advance(5_000);
  expect([runs.length, changes.length, clock.pending]).toEqual([1, 0, 0]);
});

test("[P9] as many results in a row as a probe says are looked back on wake its owners, also when another owner looks back less", async () => {
  const { clock, sampler, changes } = bench();
  sampler.want("pop", [{ ...probe("a", 1_000), keep: 12 }]);
  sampler.want("rollout", [{ ...probe("a", 1_000), keep: 3 }]);
  await clock.advance(60_000);
  expect(changes.filter((change) => change.startsWith("pop"))).toHaveLength(12);
});
