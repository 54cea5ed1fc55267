import { expect, it } from "vitest";
import type { LeaseRecord, LeaseStore } from "../runtime/leader.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { createLogger } from "../telemetry/log.ts";
import { startLeading } from "./run-operator.ts";

const START = Date.parse("2026-11-29T00:00:00Z");

function world(enabled: boolean, lead: (term: AbortSignal) => Promise<void>) {
  const clock = new VirtualClock(START);
  const lines: string[] = [];
  const state: { lease?: LeaseRecord; terms: number; ended: number } = { terms: 0, ended: 0 };
  const written = (record: LeaseRecord): Promise<LeaseRecord> => {
    const version = String(Number(state.lease?.version ?? 0) + 1);
    state.lease = { ...record, version };
    return Promise.resolve(state.lease);
  };
  const store: LeaseStore = { get: () => Promise.resolve(state.lease), create: written, update: written };
  const leadership = startLeading({
    settings: { enabled, leaseMilliseconds: 15_000, renewDeadlineMilliseconds: 10_000, retryMilliseconds: 2_000 },
    clock,
    log: createLogger("error", () => clock.now(), { write: (line: string) => void lines.push(line) }),
    identity: "one",
    operator: {
      lead: (term) => {
        state.terms += 1;
        return lead(term);
      },
    },
    told: { termEnded: () => void (state.ended += 1) },
    store,
    mayLead: Promise.resolve(),
  });
  return { clock, leadership, lines, state };
}

const untilEnded = (term: AbortSignal): Promise<void> => new Promise((resolve) => term.addEventListener("abort", () => resolve()));

it("[I8] a leader whose controllers do not start says so, ends, and hands the lease back instead of renewing it", async () => {
  const { clock, leadership, lines, state } = world(true, () => Promise.reject(new Error("a defect")));
  await clock.advance(1_000);
  expect(leadership.failed.aborted).toBe(true);
  expect(() => leadership.failed.throwIfAborted()).toThrow("a defect");
  expect(lines.join("")).toContain("the term as leader ended with an error");
  const stopped = leadership.stop();
  await clock.advance(3_000);
  await stopped;
  expect({ holder: state.lease?.holder, leads: leadership.leads(), terms: state.terms, ended: state.ended }).toEqual({
    holder: "",
    leads: false,
    terms: 1,
    ended: 1,
  });
});

it("[I8] without an election it ends, too", async () => {
  const { clock, leadership } = world(false, () => Promise.reject(new Error("a defect")));
  await clock.advance(1_000);
  expect(leadership.failed.aborted).toBe(true);
  await leadership.stop();
});

it("[I8] an error of work that was told to end is no failure of the process", async () => {
  for (const enabled of [true, false]) {
    const { clock, leadership } = world(enabled, async (term) => {
      await untilEnded(term);
      throw new Error("cut off");
    });
    await clock.advance(60_000);
    expect(leadership.leads()).toBe(true);
    const stopped = leadership.stop();
    await clock.advance(3_000);
    await stopped;
    expect(leadership.failed.aborted).toBe(false);
  }
});
