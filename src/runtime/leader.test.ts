import { expect, test } from "vitest";
import { seededRandom, VirtualClock } from "../simulation/clock.ts";
import type { Clock } from "./clock.ts";
import { Election, type LeaseRecord, type LeaseStore } from "./leader.ts";

/** A lease with compare-and-set, whose answers can be slow, lost before or lost after the write. */
class SharedLease {
  record: LeaseRecord | undefined;
  writes = 0;
  #version = 0;

  write(record: LeaseRecord): LeaseRecord {
    this.writes++;
    this.record = { ...record, version: String(++this.#version) };
    return this.record;
  }

  /** One candidate's way to the lease. `fault` is asked at each call. */
  door(clock: Clock, fault: () => "none" | "lost before" | "lost after" | number = () => "none"): LeaseStore {
    const call = async <T>(timeout: number, act: () => T): Promise<T> => {
      const kind = fault();
      const pause = (ms: number) => new Promise<void>((resolve) => void clock.after(ms, resolve));
      if (typeof kind === "number") await pause(Math.min(kind, timeout));
      if (kind === "lost before") throw new Error("connection reset before the call");
      const answer = act();
      if (kind === "lost after" || (typeof kind === "number" && kind >= timeout)) throw new Error("the answer was lost");
      return answer;
    };
    return {
      get: (timeout) => call(timeout, () => this.record),
      create: (record, timeout) => call(timeout, () => (this.record ? undefined : this.write(record))),
      update: (record, _, timeout) => call(timeout, () => (this.record?.version === record.version ? this.write(record) : undefined)),
    };
  }
}

/** The clock of a process that can be stopped: time passes, and no timer fires until it goes on. */
class StoppableClock implements Clock {
  readonly #world: VirtualClock;
  readonly #held: (() => void)[] = [];
  #stopped = false;

  constructor(world: VirtualClock) {
    this.#world = world;
  }

  now = (): number => this.#world.now();
  elapsed = (): number => this.#world.elapsed();
  at = (at: number, wake: () => void): (() => void) => this.#world.at(at, () => this.#fire(wake));
  after = (milliseconds: number, wake: () => void): (() => void) => this.#world.after(milliseconds, () => this.#fire(wake));

  stop(): void {
    this.#stopped = true;
  }

  goOn(): void {
    this.#stopped = false;
    for (const wake of this.#held.splice(0)) wake();
  }

  #fire(wake: () => void): void {
    if (this.#stopped) this.#held.push(wake);
    else wake();
  }
}

interface Candidate {
  readonly election: Election;
  readonly story: string[];
  term: AbortSignal | undefined;
}

function candidate(identity: string, clock: Clock, store: LeaseStore, random: () => number = () => 0): Candidate {
  const story: string[] = [];
  const result: Candidate = {
    story,
    term: undefined,
    election: new Election({
      clock,
      random,
      store,
      identity,
      onElected: (term) => {
        result.term = term;
        story.push(`elected@${clock.elapsed()}`);
      },
      onLost: (why) => story.push(`lost@${clock.elapsed()}: ${why}`),
    }),
  };
  return result;
}

test("the first candidate is elected at once, the second waits for as long as the first renews", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  const [a, b] = [candidate("a", clock, lease.door(clock)), candidate("b", clock, lease.door(clock))];
  a.election.start();
  await clock.settle();
  b.election.start();
  await clock.advance(120_000);
  expect([a.election.isLeader(), b.election.isLeader()]).toEqual([true, false]);
  expect(b.election.holder).toBe("a");
  expect(lease.record?.transitions).toBe(0);
  expect(lease.writes, "one renewal each 2 s").toBeLessThanOrEqual(61);
});

test("a leader that hands the lease back is followed within one retry of 2 s", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  const [a, b] = [candidate("a", clock, lease.door(clock)), candidate("b", clock, lease.door(clock))];
  a.election.start();
  await clock.settle();
  b.election.start();
  await clock.advance(10_000);
  const stopped = a.election.stop();
  await clock.settle();
  await stopped;
  expect(a.term?.aborted).toBe(true);
  expect(lease.record?.holder).toBe("");
  await clock.advance(2_400);
  expect(b.election.isLeader()).toBe(true);
  expect(lease.record?.transitions).toBe(1);
});

test("a leader that dies is followed after the 15 s of the lease and a margin, counted from the last change that was seen", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  const dead = new StoppableClock(clock);
  const [a, b] = [candidate("a", dead, lease.door(dead)), candidate("b", clock, lease.door(clock))];
  a.election.start();
  await clock.settle();
  b.election.start();
  await clock.advance(9_000);
  dead.stop();
  const last = lease.writes;
  await clock.advance(14_700);
  expect(lease.writes, "the last renewal was seen at 8 s; not before 23.75 s").toBe(last);
  await clock.advance(2_000);
  expect(b.election.isLeader()).toBe(true);
});

test("a leader whose renewals fail stops acting 10 s after the last one that succeeded was sent, and says why", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  let broken = false;
  const a = candidate(
    "a",
    clock,
    lease.door(clock, () => (broken ? "lost before" : "none")),
  );
  a.election.start();
  await clock.advance(3_000);
  broken = true;
  await clock.advance(8_999);
  expect(a.election.isLeader()).toBe(true);
  await clock.advance(1);
  expect(a.term?.aborted).toBe(true);
  expect(a.story).toEqual(["elected@0", "lost@12000: no renewal of the lease succeeded within 10000 ms"]);
});

test("a process stopped for 20 s answers that it does not lead in its first instruction, before any timer has run", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  const process = new StoppableClock(clock);
  const a = candidate("a", process, lease.door(process));
  a.election.start();
  await clock.advance(5_000);
  expect(a.election.isLeader()).toBe(true);
  process.stop();
  await clock.advance(20_000);
  expect(a.election.isLeader()).toBe(false);
  expect(a.term?.aborted).toBe(true);
  process.goOn();
  await clock.settle();
  expect(a.story.filter((line) => line.startsWith("lost"))).toHaveLength(1);
});

test("a process stopped in the middle of a renewal does not take the late answer for a fresh one", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  const process = new StoppableClock(clock);
  const a = candidate(
    "a",
    process,
    lease.door(process, () => 100),
  );
  a.election.start();
  // The renewal after the first pause is on its way from 2,200 to 2,300 ms.
  await clock.advance(2_250);
  process.stop();
  await clock.advance(30_000);
  process.goOn();
  await clock.settle();
  expect(a.election.isLeader(), "the answer came 30 s after it was sent").toBe(false);
});

test("a leader that finds the lease in other hands, or deleted, stops at once", async () => {
  for (const [found, why] of [
    [{ holder: "usurper", durationMilliseconds: 15_000, transitions: 9, version: "x" }, "the lease is held by usurper"],
    [undefined, "the lease was deleted or released by somebody else"],
  ] as const) {
    const clock = new VirtualClock(0);
    const lease = new SharedLease();
    const a = candidate("a", clock, lease.door(clock));
    a.election.start();
    await clock.advance(5_000);
    lease.record = found;
    await clock.advance(2_400);
    expect(a.story[1]).toBe(`lost@6000: ${why}`);
  }
});

test("an acquisition whose answer was lost is found at the next look", async () => {
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  let calls = 0;
  const a = candidate(
    "a",
    clock,
    lease.door(clock, () => (++calls === 2 ? "lost after" : "none")),
  );
  a.election.start();
  await clock.advance(100);
  expect([lease.record?.holder, a.election.isLeader()]).toEqual(["a", false]);
  await clock.advance(2_400);
  expect(a.election.isLeader()).toBe(true);
});

test("settings that could make two leaders are refused with what to write instead", () => {
  const clock = new VirtualClock(0);
  const store = new SharedLease().door(clock);
  const unused = { onElected: () => {}, onLost: () => {}, identity: "a", random: () => 0 };
  expect(() => new Election({ ...unused, clock, store, leaseMilliseconds: 10_000, renewDeadlineMilliseconds: 10_000 })).toThrow(
    /write a lease longer/,
  );
});

test("200 seeds of slow, lost and failing calls and stopped processes: never two leaders at one instant, and one again in calm", async () => {
  let terms = 0;
  for (let seed = 1; seed <= 200; seed++) terms += await storm(seed);
  expect(terms, "the storms did change leaders").toBeGreaterThan(400);
}, 60_000);

/** 150 s of faults, then 60 s of calm, looked at every 250 ms. Answers how many terms there were. */
async function storm(seed: number): Promise<number> {
  const random = seededRandom(seed);
  const clock = new VirtualClock(0);
  const lease = new SharedLease();
  let calm = false;
  const fault = () => {
    const dice = calm ? 1 : random();
    if (dice < 0.15) return "lost before" as const;
    if (dice < 0.3) return "lost after" as const;
    return dice < 0.6 ? random() * 6_000 : ("none" as const);
  };
  const processes = [0, 1, 2].map(() => new StoppableClock(clock));
  const candidates = processes.map((process, index) => candidate(`c${index}`, process, lease.door(process, fault), random));
  for (const one of candidates) one.election.start();
  for (let step = 0; step < 840; step++) {
    calm = step > 600;
    const process = processes[Math.floor(random() * 3)]!;
    if (!calm && random() < 0.02) process.stop();
    else if (calm || random() < 0.05) process.goOn();
    await clock.advance(250);
    const leaders = candidates.filter((one) => one.election.isLeader());
    expect(leaders.length, `seed ${seed} at ${clock.elapsed()} ms`).toBeLessThanOrEqual(1);
  }
  expect(candidates.filter((one) => one.election.isLeader()).length, `seed ${seed} after the calm`).toBe(1);
  for (const one of candidates) void one.election.stop();
  await clock.advance(10_000);
  return candidates.reduce((sum, one) => sum + one.story.filter((line) => line.startsWith("elected")).length, 0);
}
