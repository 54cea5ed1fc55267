import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AcceleratedClock } from "./accelerated-clock.ts";

const START = Date.parse("2026-03-01T00:00:00Z");
let folder: string;
let file: string;
const clocks: AcceleratedClock[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "accelerated-clock-"));
  file = join(folder, "clock.json");
});
afterEach(() => {
  for (const clock of clocks.splice(0)) clock.close();
  rmSync(folder, { recursive: true });
});

const create = (rate: number): AcceleratedClock => {
  const clock = AcceleratedClock.create(file, { start: START, rate });
  clocks.push(clock);
  return clock;
};
const follow = (errors: unknown[] = []): AcceleratedClock => {
  const clock = AcceleratedClock.open(file, (error) => void errors.push(error));
  clocks.push(clock);
  return clock;
};
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, milliseconds));

test("at 3,600 an hour of the calendar passes in a second, and elapsed time stays the machine's", async () => {
  const clock = create(3_600);
  const [elapsed, calendar] = [clock.elapsed(), clock.now()];
  const woken = new Promise<number>((resolve) => void clock.at(START + 1_800_000, () => resolve(clock.now())));
  expect(await woken).toBeGreaterThanOrEqual(START + 1_800_000);
  expect(clock.elapsed() - elapsed).toBeLessThan(1_500);
  expect(clock.now() - calendar).toBeGreaterThanOrEqual(1_790_000);
});

test("a change of pace is seen by a follower at the same instant, and timers of both are set anew", async () => {
  const author = create(1);
  const follower = follow();
  const due = START + 3_600_000;
  const wakes = [author, follower].map((clock) => new Promise<void>((resolve) => void clock.at(due, resolve)));
  await author.setRate(36_000);
  await Promise.all(wakes);
  await author.setRate(1);
  expect(follower.rate).toBe(1);
  const difference = Math.abs(author.now() - follower.now());
  expect(difference, "after 100 s of calendar a millisecond, the two readers differ by").toBeLessThan(50);
});

test("the calendar never runs backwards while paces and jumps change, for author and follower", async () => {
  const author = create(1);
  const follower = follow();
  let [last, worst] = [[0, 0], 0];
  const timer = setInterval(() => {
    const now = [author.now(), follower.now()];
    worst = Math.min(worst, now[0]! - last[0]!, now[1]! - last[1]!);
    last = now;
  }, 1);
  await author.setRate(50_000);
  await author.jumpTo(author.now() + 86_400_000);
  await author.setRate(0);
  await author.setRate(2);
  clearInterval(timer);
  expect(worst).toBe(0);
  expect(follower.now()).toBeGreaterThan(START + 86_400_000);
});

test("a file that says it is earlier than it was makes the calendar stand until it has caught up", async () => {
  const clock = create(1);
  await clock.jumpTo(START + 10_000);
  const before = clock.now();
  writeFileSync(file, JSON.stringify({ calendar: before - 2_000, real: Date.now(), rate: 10 }));
  await expect.poll(() => clock.rate).toBe(10);
  expect(clock.now()).toBeGreaterThanOrEqual(before);
  await expect.poll(() => clock.now(), { timeout: 2_000 }).toBeGreaterThan(before + 100);
});

test("a calendar that stands wakes nobody until it goes on or jumps", async () => {
  const clock = create(0);
  let woken = 0;
  clock.at(START + 1_000, () => woken++);
  await pause(60);
  expect([woken, clock.now()]).toEqual([0, START]);
  await clock.jumpTo(START + 5_000);
  await expect.poll(() => woken).toBe(1);
});

test("a jump into the past and a rate below 0 are refused with a sentence, and change nothing", async () => {
  const clock = create(1);
  await expect(clock.jumpTo(START - 1)).rejects.toThrow(/asked to jump to 2026-02-28T23:59:59.999Z.*never runs backwards/);
  await expect(clock.setRate(-1)).rejects.toThrow("rate ≥ 0");
  expect(clock.rate).toBe(1);
});

test("a file that is broken or missing for a while keeps the last pace, and is told once", async () => {
  const errors: unknown[] = [];
  const author = create(1_000);
  const follower = follow(errors);
  writeFileSync(file, "{");
  await pause(130);
  unlinkSync(file);
  await pause(130);
  expect(errors).toHaveLength(2);
  expect(follower.rate).toBe(1_000);
  author.close();
  create(5);
  await expect.poll(() => follower.rate).toBe(5);
});

test("another process follows the same file, and reads the same calendar to within 100 ms of real time", async () => {
  const author = create(1);
  await author.setRate(100);
  const script = `import { AcceleratedClock } from ${JSON.stringify(new URL("accelerated-clock.ts", import.meta.url).href)};
    const clock = AcceleratedClock.open(${JSON.stringify(file)});
    setInterval(() => console.log(JSON.stringify([Date.now(), clock.now()])), 20);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const readings: [number, number][] = [];
  createInterface(child.stdout).on("line", (line) => readings.push(JSON.parse(line)));
  await expect.poll(() => readings.length, { timeout: 10_000 }).toBeGreaterThan(3);
  await author.setRate(10_000);
  const [real, calendar] = [Date.now(), author.now()];
  await expect.poll(() => readings.at(-1)![0] - real, { timeout: 5_000 }).toBeGreaterThan(100);
  child.kill("SIGKILL");
  await once(child, "exit");
  const [childReal, childCalendar] = readings.at(-1)!;
  expect(Math.abs(childCalendar - (calendar + (childReal - real) * 10_000))).toBeLessThan(100 * 10_000);
});
