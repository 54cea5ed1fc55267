import { describe, expect, it } from "vitest";
import { DAY, formatLocalDate, HOUR, parseLocalDate } from "./civil.ts";
import { recurringDays, type WeeklyRecurrence } from "./weekly.ts";
import { localStart } from "./local-start.ts";
import { slotEnd } from "./slot-end.ts";

function first(count: number, recurrence: WeeklyRecurrence, from: string): string[] {
  const found: string[] = [];
  for (const day of recurringDays(recurrence, parseLocalDate(from)!)) {
    if (found.push(formatLocalDate(day)) === count) break;
  }
  return found;
}

describe("days that recur", () => {
  it("[W8] every Sunday, the given day included", () => {
    expect(first(3, { weekdays: [6], everyWeeks: 1 }, "2026-11-22")).toEqual(["2026-11-22", "2026-11-29", "2026-12-06"]);
  });

  it("[W8] every two weeks, Saturday and Sunday of the anchor's week, also before the anchor and over the year's end", () => {
    const recurrence = { weekdays: [5, 6], everyWeeks: 2, anchor: parseLocalDate("2026-11-22")! };
    expect(first(5, recurrence, "2026-11-22")).toEqual(["2026-11-22", "2026-12-05", "2026-12-06", "2026-12-19", "2026-12-20"]);
    expect(first(2, recurrence, "2026-10-01")).toEqual(["2026-10-10", "2026-10-11"]);
    expect(first(2, recurrence, "2026-12-21")).toEqual(["2027-01-02", "2027-01-03"]);
  });

  it("ends with the calendar", () => {
    expect(first(9, { weekdays: [6], everyWeeks: 1 }, "9999-12-20")).toEqual(["9999-12-26"]);
  });
});

describe("the end of a slot", () => {
  const end = (zone: string, date: string, from: number, to: number) => {
    const day = parseLocalDate(date)! * DAY;
    const begin = localStart(zone, day + from * HOUR);
    return (slotEnd(zone, begin, day + from * HOUR, day + to * HOUR) - begin) / HOUR;
  };

  it.each([
    ["an ordinary night: 2 h", "Europe/Berlin", "2026-03-22", 1, 3, 2],
    ["clocks go forward at its end: 1 h", "Europe/Berlin", "2026-03-29", 1, 3, 1],
    ["it begins in the gap: 03:00 to 04:00", "Europe/Berlin", "2026-03-29", 2.5, 4, 1],
    ["a gap swallows it", "Europe/Berlin", "2026-03-29", 2, 3, 0],
    ["clocks go back: still 2 h, not 3", "Europe/Berlin", "2026-10-25", 1, 3, 2],
    ["clocks go back at its end: 2 h", "Europe/London", "2026-10-25", 0, 2, 2],
    ["over midnight", "Europe/Berlin", "2026-11-22", 22, 26, 4],
    ["a day that does not exist", "Pacific/Apia", "2011-12-30", 1, 3, 0],
  ])("[W1a] %s (%s %s)", (_, zone, date, from, to, hours) => {
    expect(end(zone, date, from, to)).toBe(hours);
  });
});
