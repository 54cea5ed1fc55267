import { describe, expect, it } from "vitest";
import { parseInstant } from "../time/instant.ts";
import { replan, type ReplanInput, seenChange } from "./replan.ts";

const at = (text: string) => parseInstant(text)!;
const HOUR = 3_600_000;
const WEEK = 168 * HOUR;

/** A rule that starts at this instant and every week before and after it. */
const everyWeekAt = (start: string) => (notBefore: number) => at(start) + Math.ceil((notBefore - at(start)) / WEEK) * WEEK;

// Announced on Monday, planned for Sunday 01:00; the rule is edited on Wednesday noon.
const planned = { start: at("2026-11-22T01:00Z"), announcedAt: at("2026-11-16T00:00Z"), rule: "old" };
const edited = at("2026-11-18T12:00Z");

function plan(more: Partial<ReplanInput>) {
  const input = {
    planned,
    change: { rule: "new", since: edited },
    now: edited + HOUR,
    notice: 48 * HOUR,
    started: false,
    firstStart: everyWeekAt("2026-11-22T01:00Z"),
    ...more,
  };
  return replan(input);
}

describe("replan", () => {
  it("[W7] the same instant: nothing is told, the first announcement counts", () => {
    expect(plan({})).toEqual({ planned: { ...planned, rule: "new" }, start: planned.start, notify: false });
  });

  it("[W7] later: at once, the first announcement still counts, one notice after an hour", () => {
    const firstStart = everyWeekAt("2026-11-22T05:00Z");
    expect(plan({ firstStart, now: edited })).toEqual({ planned, start: at("2026-11-22T05:00Z"), notify: false, wakeAt: edited + HOUR });
    expect(plan({ firstStart })).toMatchObject({
      planned: { start: at("2026-11-22T05:00Z"), announcedAt: planned.announcedAt, rule: "new" },
      notify: true,
    });
  });

  it("[W7] earlier with a full notice from the change: Saturday 20:00 is 80 hours after Wednesday noon", () => {
    const answer = plan({ firstStart: everyWeekAt("2026-11-21T20:00Z") });
    expect(answer).toMatchObject({ planned: { start: at("2026-11-21T20:00Z"), announcedAt: edited }, notify: true });
  });

  it("[W7] earlier without a full notice: the next of the new rule, the old instant is not kept", () => {
    const answer = plan({ firstStart: everyWeekAt("2026-11-20T11:59Z") });
    expect(answer.planned.start).toBe(at("2026-11-27T11:59Z"));
    expect(plan({ firstStart: everyWeekAt("2026-11-20T12:00Z") }).planned.start).toBe(at("2026-11-20T12:00Z"));
  });

  it("[W7] for an hour the later of both plans holds and nothing is told", () => {
    const early = everyWeekAt("2026-11-21T20:00Z");
    expect(plan({ firstStart: early, now: edited + HOUR - 1 })).toEqual({
      planned,
      start: planned.start,
      notify: false,
      wakeAt: edited + HOUR,
    });
  });

  it("[W7] a rule that never opens is later than any: nothing starts, at once", () => {
    expect(plan({ firstStart: () => undefined, now: edited }).start).toBeUndefined();
    expect(plan({ firstStart: () => undefined })).toMatchObject({ start: undefined, notify: true });
  });

  it("[W7] a site whose first Socket has started finishes under its rule", () => {
    expect(plan({ firstStart: everyWeekAt("2026-11-24T05:00Z"), started: true })).toEqual({ planned, start: planned.start, notify: false });
  });

  it("[W7] there and back within the hour is no change; a further edit begins the hour anew", () => {
    const first = seenChange(planned, undefined, "new", edited);
    expect(first).toEqual({ rule: "new", since: edited });
    expect(seenChange(planned, first, "new", edited + 60_000)).toBe(first);
    expect(seenChange(planned, first, "newer", edited + 60_000)).toEqual({ rule: "newer", since: edited + 60_000 });
    expect(seenChange(planned, first, "old", edited + 60_000)).toBeUndefined();
    expect(plan({ change: undefined })).toEqual({ planned, start: planned.start, notify: false });
  });
});
