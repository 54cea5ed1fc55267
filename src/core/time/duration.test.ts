import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationProblem, formatDuration, parseDuration } from "./duration.ts";

describe("durations", () => {
  it("reads hours, minutes and seconds", () => {
    expect(parseDuration("1h30m")).toBe(5_400_000);
    expect(parseDuration("336h")).toBe(336 * 3_600_000);
    expect(parseDuration("0s")).toBe(0);
    for (const text of ["", "h", "5", "1d", "1.5h", "30m1h", "-5m", "1h 30m", "500ms", "99999999999999999999h"]) {
      expect(parseDuration(text), text).toBeUndefined();
    }
  });

  it("reads back what it writes, for every whole number of seconds", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (seconds) => parseDuration(formatDuration(seconds * 1_000)) === seconds * 1_000),
    );
  });

  it.each([
    ["1.5h", "write 1h30m"],
    ["2d", "write 48h"],
    ["1w", "write 168h"],
    ["30m1h", "write 1h30m"],
    ["99999h", "which is longer than ten years; write at most 87840h"],
    ["1H 30min", "write 1h30m"],
    ["90", "write hours, minutes and seconds as in 1h30m or 48h"],
    [90, "write hours, minutes and seconds as in 1h30m or 48h"],
  ])("[W10] %j is refused with what to write instead", (text, instead) => {
    expect(durationProblem("spec.notice", text)).toContain(instead);
  });
});
