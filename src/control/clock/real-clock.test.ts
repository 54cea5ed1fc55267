import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { LONGEST_TIMER_MILLISECONDS, RealClock } from "./real-clock.ts";

beforeEach(() => void vi.useFakeTimers({ now: Date.parse("2026-03-01T00:00:00Z") }));
afterEach(() => void vi.useRealTimers());

test("[G3] a wake in 90 days comes on the day, and no timer longer than an hour was set for it", () => {
  const longest = vi.spyOn(globalThis, "setTimeout");
  const wake = vi.fn();
  const days = 90 * 86_400_000;
  const clock = new RealClock();
  clock.at(clock.now() + days, wake);
  vi.advanceTimersByTime(days - 1);
  expect(wake).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(wake).toHaveBeenCalledTimes(1);
  expect(Math.max(...longest.mock.calls.map(([, delay]) => delay ?? 0))).toBeLessThanOrEqual(LONGEST_TIMER_MILLISECONDS);
});

test("an instant that has passed wakes soon, never inside the call; a cancelled one does not wake", () => {
  const clock = new RealClock();
  const [past, cancelled] = [vi.fn(), vi.fn()];
  clock.at(clock.now() - 5_000, past);
  clock.after(10, cancelled)();
  expect(past).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1_000);
  expect([past.mock.calls.length, cancelled.mock.calls.length]).toEqual([1, 0]);
});

test("a machine whose calendar was set back wakes at the instant, not after the delay: elapsed timers do not mind", () => {
  const clock = new RealClock();
  const [at, after] = [vi.fn(), vi.fn()];
  clock.at(clock.now() + 10_000, at);
  clock.after(10_000, after);
  vi.setSystemTime(Date.now() - 5_000);
  vi.advanceTimersByTime(10_000);
  expect([at.mock.calls.length, after.mock.calls.length]).toEqual([0, 1]);
  vi.advanceTimersByTime(5_000);
  expect(at).toHaveBeenCalledTimes(1);
});
