import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY, dateOf, dayOf, formatLocalDate, parseLocalDate, parseLocalTime, weekdayOf, weekOf } from "./civil.ts";
import { weekdayName } from "./format.ts";

describe("the calendar", () => {
  it("agrees with Date on every day that both know", () => {
    fc.assert(
      fc.property(fc.integer({ min: -700_000, max: 2_900_000 }), (day) => {
        const date = new Date(day * DAY);
        expect(dateOf(day)).toEqual({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() });
        expect(dayOf(dateOf(day))).toBe(day);
        expect((weekdayOf(day) + 1) % 7).toBe(date.getUTCDay());
      }),
    );
  });

  it("reads years below 100 as they stand, leap days where there are any, and nothing that the calendar does not have", () => {
    expect(formatLocalDate(parseLocalDate("0050-01-31")!)).toBe("0050-01-31");
    expect(parseLocalDate("2024-02-29")).toBeDefined();
    for (const text of ["2026-02-29", "2026-02-30", "2026-13-01", "2026-00-10", "2026-11-31", "2026-1-1", "26-01-01", "2100-02-29"]) {
      expect(parseLocalDate(text), text).toBeUndefined();
    }
    expect(parseLocalTime("23:59")).toBe(DAY - 60_000);
    for (const text of ["24:00", "1:00", "01:60", "0100"]) expect(parseLocalTime(text), text).toBeUndefined();
  });

  it("counts weeks from Monday to Sunday", () => {
    const sunday = parseLocalDate("2026-11-22")!;
    expect(weekdayName(sunday)).toBe("Sunday");
    expect(weekOf(sunday - 6)).toBe(weekOf(sunday));
    expect(weekOf(sunday + 1)).toBe(weekOf(sunday) + 1);
  });
});
