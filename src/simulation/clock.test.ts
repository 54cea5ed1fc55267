import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sleep } from "../runtime/clock.ts";
import { seededRandom, VirtualClock } from "./clock.ts";

const start = Date.UTC(2026, 0, 4, 1);

describe("the virtual clock", () => {
  test("stands still until it is advanced, then calendar and elapsed time have moved by the same", async () => {
    const clock = new VirtualClock(start);
    expect([clock.now(), clock.elapsed()]).toEqual([start, 0]);
    await clock.advance(90_000);
    expect([clock.now(), clock.elapsed()]).toEqual([start + 90_000, 90_000]);
  });

  test("wakes in order of time, and equal times in the order of asking", async () => {
    const clock = new VirtualClock(start);
    const woken: string[] = [];
    clock.after(20, () => woken.push("20"));
    clock.after(10, () => woken.push("10 first"));
    clock.at(start + 10, () => woken.push("10 second"));
    clock.at(start - 5, () => woken.push("past"));
    await clock.advance(19);
    expect(woken).toEqual(["past", "10 first", "10 second"]);
    await clock.advance(1);
    expect(woken.at(-1)).toBe("20");
  });

  test("a timer sees its own instant as now, whatever else is due in the same advance", async () => {
    const clock = new VirtualClock(start);
    const seen: number[] = [];
    for (const delay of [5, 70, 30]) clock.after(delay, () => seen.push(clock.elapsed()));
    await clock.advance(100);
    expect(seen).toEqual([5, 30, 70]);
  });

  test("lets a chain of promises and sleeps run to its end before the next timer", async () => {
    const clock = new VirtualClock(start);
    const steps: string[] = [];
    void (async () => {
      for (let n = 1; n <= 3; n++) {
        await sleep(clock, 10);
        for (let turn = 0; turn < 50; turn++) await Promise.resolve();
        steps.push(`slept ${n} at ${clock.elapsed()}`);
      }
    })();
    clock.after(15, () => steps.push("between"));
    await clock.advance(30);
    expect(steps).toEqual(["slept 1 at 10", "between", "slept 2 at 20", "slept 3 at 30"]);
  });

  test("a cancelled timer never wakes, and cancelling twice or after the wake changes nothing", async () => {
    const clock = new VirtualClock(start);
    let woken = 0;
    const cancel = clock.after(10, () => woken++);
    const late = clock.after(10, () => woken++);
    cancel();
    cancel();
    await clock.advance(20);
    late();
    expect([woken, clock.pending, clock.next]).toEqual([1, 0, undefined]);
  });

  test("runUntil stops at the instant at which the condition came true", async () => {
    const clock = new VirtualClock(start);
    let done = false;
    clock.after(3_600_000, () => (done = true));
    clock.after(7_200_000, () => expect.fail("must not be reached"));
    await clock.runUntil(() => done);
    expect(clock.elapsed()).toBe(3_600_000);
  });

  test("runUntil says whether time ran out, nothing was left, or somebody re-arms for ever", async () => {
    const clock = new VirtualClock(start);
    await expect(clock.runUntil(() => false, { waitingFor: "the roll" })).rejects.toThrow(/the roll: no timer is left at 2026-01-04T01/);
    clock.after(60_000, () => undefined);
    await expect(clock.runUntil(() => false, { limitMilliseconds: 50_000 })).rejects.toThrow(/within 50000 ms/);
    expect(clock.elapsed()).toBe(50_000);
    const again = (): void => void clock.after(0, again);
    again();
    await expect(clock.runUntil(() => false, { maxSteps: 40 })).rejects.toThrow(/fired 40 timers.*re-arm/);
  });

  test("a seed shuffles only timers of the same instant, and the same seed shuffles them alike", async () => {
    const order = async (seed: number): Promise<string> => {
      const clock = new VirtualClock(start, { seed });
      const woken: number[] = [];
      for (let n = 0; n < 12; n++) clock.after(n < 6 ? 10 : 20, () => woken.push(n));
      await clock.advance(30);
      expect(woken.slice(0, 6).every((n) => n < 6)).toBe(true);
      return woken.join();
    };
    expect(await order(7)).toBe(await order(7));
    const orders = new Set(await Promise.all([1, 2, 3, 4, 5].map(order)));
    expect(orders.size).toBeGreaterThan(2);
  });

  test("whatever is armed and cancelled, each remaining timer wakes once and in order", async () => {
    const plan = fc.array(fc.record({ delay: fc.integer({ min: 0, max: 50 }), cancel: fc.boolean() }), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(plan, async (timers) => {
        const clock = new VirtualClock(start);
        const woken: number[] = [];
        const cancels = timers.map(({ delay }) => clock.after(delay, () => woken.push(delay)));
        timers.forEach(({ cancel }, index) => cancel && cancels[index]!());
        await clock.advance(50);
        const kept = timers.filter(({ cancel }) => !cancel).map(({ delay }) => delay);
        expect(woken).toEqual(kept.sort((a, b) => a - b));
      }),
      { numRuns: 50 },
    );
  });

  test("a skip moves the calendar by a week and no elapsed time: what is due by the calendar comes, a poll each second does not", async () => {
    const clock = new VirtualClock(start);
    const week = 7 * 24 * 3_600_000;
    const woken: string[] = [];
    clock.at(start + week, () => woken.push("window"));
    clock.at(start + 2 * week, () => woken.push("next window"));
    clock.after(1_000, () => woken.push("poll"));
    await clock.skipTo(start + week);
    await clock.advance(0);
    expect([clock.now(), clock.elapsed(), ...woken]).toEqual([start + week, 0, "window"]);
    await clock.advance(1_000);
    expect([clock.now(), clock.elapsed(), ...woken]).toEqual([start + week + 1_000, 1_000, "window", "poll"]);
    expect(clock.next).toBe(start + 2 * week);
    await expect(clock.skipTo(start)).rejects.toThrow("never runs backwards");
  });

  test("thousands of cancelled timers far in the future are not kept", () => {
    const clock = new VirtualClock(start);
    const kept = clock.after(5, () => undefined);
    for (let n = 0; n < 5_000; n++) clock.after(1e9, () => undefined)();
    expect([clock.pending, clock.next]).toEqual([1, start + 5]);
    kept();
  });

  test("the generator stays in [0, 1) and repeats with its seed", () => {
    const [one, two] = [seededRandom(42), seededRandom(42)];
    const numbers = Array.from({ length: 1_000 }, one);
    expect(Array.from({ length: 1_000 }, two)).toEqual(numbers);
    expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...numbers)).toBeLessThan(1);
  });
});
