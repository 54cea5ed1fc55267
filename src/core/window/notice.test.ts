import { describe, expect, it } from "vitest";
import { parseInstant } from "../time/instant.ts";
import { announcement, effectiveNotice, noticeElapsed } from "./notice.ts";

const at = (text: string) => parseInstant(text)!;
const HOUR = 3_600_000;

describe("notice", () => {
  it("[W3] counts elapsed milliseconds, and equal is enough", () => {
    const start = at("2023-03-05T00:00Z");
    expect(noticeElapsed(start, start - 48 * HOUR, 48 * HOUR)).toBe(true);
    expect(noticeElapsed(start, start - 48 * HOUR + 1, 48 * HOUR)).toBe(false);
    expect(noticeElapsed(start, start + 1, 0)).toBe(false);
  });

  it("[W3] 48 elapsed hours also over the night on which clocks change: 47 by the calendar's difference are not enough", () => {
    // Friday 2026-03-27 01:00 to Sunday 2026-03-29 03:00 in Berlin reads as 50 hours and is 49.
    expect(at("2026-03-29T03:00+02:00") - at("2026-03-27T01:00+01:00")).toBe(49 * HOUR);
    expect(noticeElapsed(at("2026-03-29T03:00+02:00"), at("2026-03-27T02:30+01:00"), 48 * HOUR)).toBe(false);
  });

  it("[W3] the latest of the four instants decides; a channel that accepts within 15 minutes moves nothing", () => {
    const release = at("2026-11-20T12:00Z");
    expect(announcement({ release, seen: release - HOUR })).toEqual({ at: release, decidedBy: "release" });
    expect(announcement({ release: 0, seen: release })).toEqual({ at: release, decidedBy: "seen" });
    expect(announcement({ release, seen: release, rampOpened: release + HOUR })).toEqual({ at: release + HOUR, decidedBy: "rampOpened" });
    expect(announcement({ release, seen: release, noticeAcceptedAt: release + HOUR / 4 })).toEqual({ at: release, decidedBy: "release" });
    expect(announcement({ release, seen: release, noticeAcceptedAt: release + HOUR / 4 + 1 }).decidedBy).toBe("noticeAcceptedAt");
  });

  it("[W3] the longer of floor and own notice counts, own at most 336 h", () => {
    expect(effectiveNotice(48 * HOUR, undefined)).toBe(48 * HOUR);
    expect(effectiveNotice(48 * HOUR, 24 * HOUR)).toBe(48 * HOUR);
    expect(effectiveNotice(48 * HOUR, 72 * HOUR)).toBe(72 * HOUR);
    expect(effectiveNotice(48 * HOUR, 400 * HOUR)).toBe(336 * HOUR);
  });
});
