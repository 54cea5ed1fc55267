import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
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
/** However long the machine takes: a limit on the test, not a claim about the clock. */
const PATIENCE = { timeout: 30_000 };

/** What a clock shows, between the instants right before and after it was read: on a busy machine these may be far apart. */
interface Reading {
  readonly from: number;
  readonly calendar: number;
  readonly to: number;
}
const read = (clock: AcceleratedClock): Reading => {
  const from = Date.now();
  const calendar = clock.now();
  return { from, calendar, to: Date.now() };
};
/** The reading lies where the pace of the shared file puts it, to the millisecond of the calendar. */
function expectOnPace({ from, calendar, to }: Reading): void {
  const pace = JSON.parse(readFileSync(file, "utf8")) as { calendar: number; real: number; rate: number };
  const [least, most] = [from, to].map((real) => Math.floor(pace.calendar + (real - pace.real) * pace.rate));
  expect(calendar).toBeGreaterThanOrEqual(least!);
  expect(calendar).toBeLessThanOrEqual(most!);
}

test("at 3,600 an hour of the calendar passes in a second of the machine, and elapsed time stays the machine's", async () => {
  const clock = create(3_600);
  const [before, elapsed] = [performance.now(), clock.elapsed()];
  const woken = new Promise<Reading>((resolve) => void clock.at(START + 1_800_000, () => resolve(read(clock))));
  const reading = await woken;
  expect(reading.calendar).toBeGreaterThanOrEqual(START + 1_800_000);
  expectOnPace(reading);
  expect(clock.elapsed() - elapsed, "elapsed on the clock, and on the machine").toBeLessThanOrEqual(performance.now() - before);
});

test("a change of pace is seen by a follower at the same instant, and timers of both are set anew", async () => {
  const author = create(1);
  const follower = follow();
  const due = START + 3_600_000;
  const wakes = [author, follower].map((clock) => new Promise<void>((resolve) => void clock.at(due, resolve)));
  await author.setRate(36_000);
  await Promise.all(wakes);
  await author.setRate(1);
  expect([author.rate, follower.rate]).toEqual([1, 1]);
  for (const clock of [author, follower]) expectOnPace(read(clock));
});

test("a change has taken effect when its promise resolves, also where a timer fires before the machine's calendar clock is there", async () => {
  const clock = create(1);
  const exact = Date.now;
  // The calendar clock of the machine goes slower than its timers: each of them fires too early.
  const origin = exact();
  vi.spyOn(Date, "now").mockImplementation(() => origin + Math.floor((exact() - origin) / 2));
  try {
    await clock.setRate(5);
    expect(clock.rate).toBe(5);
  } finally {
    vi.restoreAllMocks();
  }
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
  await expect.poll(() => clock.rate, PATIENCE).toBe(10);
  expect(clock.now()).toBeGreaterThanOrEqual(before);
  await expect.poll(() => clock.now(), PATIENCE).toBeGreaterThan(before + 100);
});

test("a calendar that stands wakes nobody until it goes on or jumps", async () => {
  const clock = create(0);
  let woken = 0;
  clock.at(START + 1_000, () => woken++);
  await pause(60);
  expect([woken, clock.now()]).toEqual([0, START]);
  await clock.jumpTo(START + 5_000);
  await expect.poll(() => woken, PATIENCE).toBe(1);
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
  await expect.poll(() => errors.length, PATIENCE).toBe(1);
  unlinkSync(file);
  await expect.poll(() => errors.length, PATIENCE).toBe(2);
  await pause(130);
  expect(errors, "each fault is told once, however often the file is looked at").toHaveLength(2);
  expect(follower.rate).toBe(1_000);
  author.close();
  create(5);
  await expect.poll(() => follower.rate, PATIENCE).toBe(5);
});

test("another process follows the same file, and reads the same calendar to the millisecond", { timeout: 60_000 }, async () => {
  const author = create(1);
  await author.setRate(100);
  const script = `import { AcceleratedClock } from ${JSON.stringify(new URL("accelerated-clock.ts", import.meta.url).href)};
    const clock = AcceleratedClock.open(${JSON.stringify(file)});
    setInterval(() => {
      const rate = clock.rate;
      const from = Date.now();
      const calendar = clock.now();
      console.log(JSON.stringify({ rate, from, calendar, to: Date.now() }));
    }, 20);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const readings: (Reading & { readonly rate: number })[] = [];
  createInterface(child.stdout).on("line", (line) => readings.push(JSON.parse(line)));
  await expect.poll(() => readings.length, PATIENCE).toBeGreaterThan(3);
  expectOnPace(readings.at(-1)!);
  await author.setRate(10_000);
  // A process that got no time when the change was announced sees it later; from then on it reads what everybody reads.
  await expect.poll(() => readings.at(-1)!.rate, PATIENCE).toBe(10_000);
  child.kill("SIGKILL");
  await once(child, "exit");
  for (const reading of readings.filter((one) => one.rate === 10_000)) expectOnPace(reading);
  expectOnPace(read(author));
});
