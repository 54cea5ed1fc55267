import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { artifactRevision } from "../rollout/artifact-revision.ts";
import { afterReport, isConfirmed, isFailed, type KeptClient } from "./attempt.ts";
import { CountChanges, numbersOf } from "./client-counts.ts";
import { anyReports } from "./reports.examples.ts";
import type { ClientReport } from "./known-client.ts";

const NOON = Date.parse("2026-11-29T12:00:00Z");
const revision = artifactRevision({ version: "5.12.3", artifact: { sha256: "9f86d081".repeat(8) } });
const reached = { rollout: "uid-new", revision, stage: "phase-1", pilot: false };
const report = (given: Partial<ClientReport> = {}): ClientReport => ({
  account: "acme",
  device: "d-1",
  at: NOON,
  os: "Windows",
  version: "5.11.0",
  user: "anna",
  offered: false,
  ...given,
});

/** One after the other, a second apart, each with a request id of its own. */
const after = (...reports: Partial<ClientReport>[]): KeptClient =>
  reports.reduce<KeptClient | undefined>(
    (kept, given, index) => afterReport(kept, report({ at: NOON + index * 1_000, requestId: `r${index}`, ...given })),
    undefined,
  )!;
const failed = { said: { meaning: "Failed", errorCode: 1603 } } as const;
const offer = { offered: true, reached };
const only = (kept: KeptClient) => kept.attempts[0]!;

describe("a device after a report", () => {
  it("[C4] offered, began, installed, confirmed: each counts from its first time, and only the version itself confirms", () => {
    const said = (meaning: "Began" | "Installed") => ({ said: { meaning } });
    const installed = after(offer, said("Began"), said("Installed"));
    expect(only(installed)).toEqual({
      ...reached,
      reachedAt: NOON,
      offeredAt: NOON,
      attemptedAt: NOON + 1_000,
      installedAt: NOON + 2_000,
      failures: 0,
    });
    const done = after(offer, said("Began"), said("Installed"), { version: "5.12.3.0" }, { version: "5.12.3" });
    expect(only(done)).toMatchObject({ attemptedAt: NOON + 1_000, confirmedAt: NOON + 3_000 });
  });

  it("[C4] whoever runs the version when it is reached is confirmed and counts as attempted; what it reports otherwise confirms nothing", () => {
    expect(only(after({ reached, version: "5.12.3" }))).toMatchObject({ attemptedAt: NOON, confirmedAt: NOON });
    for (const version of [undefined, "", "5.12.30", "5.13.0", "latest"])
      expect(isConfirmed(only(after({ ...offer, version: version! })))).toBe(false);
  });

  it("[C4] the stage is that of the first time: a phase that opens later moves nobody", () => {
    expect(only(after(offer, { offered: true, reached: { ...reached, stage: "phase-2", pilot: true } }))).toMatchObject({
      stage: "phase-1",
      pilot: false,
    });
  });

  it("[C4] it counts as failed until it is confirmed; a failure that is said while it runs the version changes nothing", () => {
    expect(only(after(offer, failed))).toMatchObject({ failedAt: NOON + 1_000, errorCode: 1603, failures: 1, attemptedAt: NOON + 1_000 });
    const mended = after(offer, failed, { version: "5.12.3" }, { version: "5.12.3", ...failed });
    expect([isFailed(only(mended)), isConfirmed(only(mended)), only(mended).failures]).toEqual([false, true, 1]);
    const fellBack = after(offer, { version: "5.12.3" }, failed);
    expect([isFailed(only(fellBack)), isConfirmed(only(fellBack))]).toEqual([true, false]);
  });

  it("[G8] installed without effect: for a day it may wait for its restart, then each further day is a failure, until it runs the version", () => {
    const installed = { said: { meaning: "Installed" } } as const;
    const day = 86_400_000;
    const after24 = (...given: Partial<ClientReport>[]) => only(after(offer, { at: NOON, ...installed }, ...given));
    expect(after24({ at: NOON + day - 1, ...offer })).toMatchObject({ failures: 0, installedAt: NOON });
    const once = after24({ at: NOON + day, ...offer });
    expect(once).toMatchObject({ failures: 1, failedAt: NOON + day, installedAt: NOON + day });
    expect(isFailed(once)).toBe(true);
    const days = [1, 1.5, 2, 3].map((at) => ({ at: NOON + at * day, ...offer }));
    expect(after24(...days).failures).toBe(3);
    // Not offered, because its account paused it, it is not blamed; nor when it runs the version.
    expect(after24({ at: NOON + 2 * day }).failures).toBe(0);
    const runs = after24({ at: NOON + 2 * day, ...offer, version: "5.12.3" });
    expect([isConfirmed(runs), runs.failures, runs.installedAt]).toEqual([true, 0, undefined]);
  });

  it("[G8] repeats of one request are one failure, also after another request; three requests are three", () => {
    const kept = after(offer, failed, { requestId: "r1", ...failed });
    expect(only(kept).failures).toBe(1);
    expect(only(after(offer, failed, {}, { requestId: "r1", ...failed })).failures).toBe(1);
    expect(only(after(offer, failed, failed, failed)).failures).toBe(3);
    expect(afterReport(kept, report({ at: NOON + 9_000, requestId: "r1" }))).toBe(kept);
  });

  it("[C4] put off is neither attempted nor failed; what is said without an offer is of nobody", () => {
    expect(only(after(offer, { said: { meaning: "Cancelled" } }))).toEqual({ ...reached, reachedAt: NOON, offeredAt: NOON, failures: 0 });
    expect(after(failed).attempts).toEqual([]);
    expect(only(after({ reached }, failed)).failures).toBe(0);
  });

  it("[C4] what is said is of the rollout that was offered last, before the answer to this very request", () => {
    const other = {
      ...reached,
      rollout: "uid-newer",
      revision: artifactRevision({ version: "5.13.0", artifact: { sha256: "0".repeat(64) } }),
    };
    const kept = after(offer, { offered: true, reached: other, ...failed }, failed);
    expect(kept.attempts.map(({ rollout, failures }) => [rollout, failures])).toEqual([
      ["uid-new", 1],
      ["uid-newer", 1],
    ]);
  });

  it("[I8] a report that comes late moves neither version nor user nor time back; the failure in it counts", () => {
    const kept = after(offer, { version: "5.11.1", user: "bert" });
    const late = afterReport(kept, report({ at: NOON + 500, requestId: "late", version: "5.10.0", user: "carl", os: "Linux", ...failed }));
    expect(late).toMatchObject({ version: "5.11.1", user: "bert", os: "Windows", seenAt: NOON + 1_000 });
    expect(only(late)).toMatchObject({ failures: 1, failedAt: NOON + 500 });
  });

  it("[I8] without a request id only what is newer than what is known counts", () => {
    const kept = afterReport(undefined, report(offer));
    for (const at of [NOON, NOON - 1]) expect(afterReport(kept, report({ at, ...failed }))).toBe(kept);
    expect(only(afterReport(kept, report({ at: NOON + 1, ...failed }))).failures).toBe(1);
  });

  it("[I19] of more than eight rollouts the oldest is forgotten, and of requests four are kept", () => {
    const kept = after(...Array.from({ length: 10 }, (_, index) => ({ offered: true, reached: { ...reached, rollout: `uid-${index}` } })));
    expect(kept.attempts.map(({ rollout }) => rollout)).toEqual(Array.from({ length: 8 }, (_, index) => `uid-${index + 2}`));
    expect(kept.requests).toEqual(["r6", "r7", "r8", "r9"]);
  });

  it("a user that is not named stays, since an event names none; a version that is not named is none", () => {
    const kept = after({}, { user: undefined, version: undefined } as unknown as ClientReport);
    expect([kept.user, kept.version]).toEqual(["anna", undefined]);
  });
});

describe("the counters", () => {
  it("[C4] always equal a recount, whatever is reported, late, twice or of another system", () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const kept = new Map<string, KeptClient>();
        const sums = new Map<string, number>();
        const take = (changes: CountChanges): void => {
          for (const { counts, ...key } of changes.counters)
            for (const [name, count] of Object.entries(counts)) add(sums, JSON.stringify([key, name]), count);
          for (const { devices, ...key } of changes.members) add(sums, JSON.stringify(key), devices);
        };
        for (const one of reports) {
          const key = JSON.stringify([one.account, one.device]);
          const next = afterReport(kept.get(key), one);
          const changes = new CountChanges();
          changes.add(kept.get(key), next);
          take(changes);
          expect(afterReport(next, one)).toBe(next);
          kept.set(key, next);
        }
        const all = new CountChanges();
        for (const client of kept.values()) all.add(client, undefined);
        take(all);
        expect([...sums.values()].every((sum) => sum === 0)).toBe(true);
      }),
    );
  });

  it("[C4] confirmed and failed never count together, and none of them without an attempt", () => {
    fc.assert(
      fc.property(anyReports, (reports) => {
        const kept = new Map<string, KeptClient>();
        for (const one of reports) kept.set(one.account + one.device, afterReport(kept.get(one.account + one.device), one));
        for (const attempt of [...kept.values()].flatMap(({ attempts }) => attempts)) {
          expect(isConfirmed(attempt) && isFailed(attempt)).toBe(false);
          if (isConfirmed(attempt) || isFailed(attempt)) expect(attempt.attemptedAt).toBeDefined();
        }
      }),
    );
  });

  it("[C4] who is eligible and was never reached is unreachable, never fewer than nobody; who was reached since the census is eligible", () => {
    const counts = { reached: 7, offered: 6, attempted: 5, confirmed: 3, failed: 1 };
    expect(numbersOf(counts, 10)).toEqual({ eligible: 10, offered: 6, attempted: 5, confirmed: 3, failed: 1, unreachable: 3 });
    expect(numbersOf(counts, 4)).toMatchObject({ eligible: 7, unreachable: 0 });
  });
});

const add = (sums: Map<string, number>, key: string, by: number): void => void sums.set(key, (sums.get(key) ?? 0) + by);
