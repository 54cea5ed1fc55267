import { describe, expect, it } from "vitest";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { isSwallowed, nominalOccurrences, occurrences } from "./occurrences.ts";

type Schedule = MaintenanceWindowSpec["schedule"];
const spec = (schedule: Partial<Schedule>): MaintenanceWindowSpec => ({ schedule: { everyWeeks: 1, ...schedule }, timeZone: "Local" });

function next(count: number, schedule: Partial<Schedule>, zone: string, from: string): string[] {
  const found: string[] = [];
  for (const { start, end } of occurrences(spec(schedule), zone, parseInstant(from)!)) {
    if (found.push(`${formatInstant(start)} ${formatInstant(end)}`) === count) break;
  }
  return found;
}

const sunday = { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }] } satisfies Partial<Schedule>;

describe("occurrences", () => {
  it("[W1] a Sunday in Tokyo lies on Saturday in UTC, and belongs to Sunday", () => {
    expect(next(2, sunday, "Asia/Tokyo", "2023-03-03T09:00Z")).toEqual([
      "2023-03-04T16:00:00Z 2023-03-04T18:00:00Z",
      "2023-03-11T16:00:00Z 2023-03-11T18:00:00Z",
    ]);
  });

  it("[W1] the one that runs comes first, until its end, which is no part of it", () => {
    expect(next(1, sunday, "Asia/Tokyo", "2023-03-04T17:59:59Z")).toEqual(["2023-03-04T16:00:00Z 2023-03-04T18:00:00Z"]);
    expect(next(1, sunday, "Asia/Tokyo", "2023-03-04T18:00:00Z")).toEqual(["2023-03-11T16:00:00Z 2023-03-11T18:00:00Z"]);
  });

  it("[W1] Saturday 22:00 for six hours crosses midnight and still runs on Sunday", () => {
    const schedule = { weekly: [{ day: "Saturday" as const, start: "22:00", duration: "6h" }] };
    expect(next(1, schedule, "Europe/Berlin", "2026-11-22T02:00Z")).toEqual(["2026-11-21T21:00:00Z 2026-11-22T03:00:00Z"]);
  });

  it("[W1] 167 hours from Monday on: at any time of the week the running one is found", () => {
    const schedule = { weekly: [{ day: "Monday" as const, start: "00:00", duration: "167h" }] };
    expect(next(1, schedule, "UTC", "2026-11-22T22:59:59Z")).toEqual(["2026-11-16T00:00:00Z 2026-11-22T23:00:00Z"]);
  });

  it("[W1] with duration the length counts elapsed time over a change of the clocks; [W1a] with end the clock", () => {
    const elapsed = { weekly: [{ day: "Sunday" as const, start: "01:00", duration: "4h" }] };
    expect(next(1, elapsed, "Europe/Berlin", "2026-03-28T12:00Z")).toEqual(["2026-03-29T00:00:00Z 2026-03-29T04:00:00Z"]);
    const clock = { weekly: [{ day: "Sunday" as const, start: "01:00", end: "05:00" }] };
    expect(next(1, clock, "Europe/Berlin", "2026-03-28T12:00Z")).toEqual(["2026-03-29T00:00:00Z 2026-03-29T03:00:00Z"]);
  });

  it("[W1a] a slot that a gap swallows does not occur that week, and is told apart", () => {
    const schedule = { weekly: [{ day: "Sunday" as const, start: "02:00", end: "03:00" }] };
    expect(next(2, schedule, "Europe/Berlin", "2026-03-23T00:00Z")).toEqual([
      "2026-04-05T00:00:00Z 2026-04-05T01:00:00Z",
      "2026-04-12T00:00:00Z 2026-04-12T01:00:00Z",
    ]);
    const [first] = nominalOccurrences(spec(schedule), "Europe/Berlin", parseInstant("2026-03-23T00:00Z")!);
    expect(isSwallowed(first!)).toBe(true);
  });

  it("[W1] two slots that a gap moves to the same instant are one, with the later end", () => {
    const schedule = {
      weekly: [
        { day: "Sunday" as const, start: "02:15", duration: "1h" },
        { day: "Sunday" as const, start: "02:30", duration: "3h" },
      ],
    };
    expect(next(2, schedule, "Europe/Berlin", "2026-03-28T00:00Z")).toEqual([
      "2026-03-29T01:00:00Z 2026-03-29T04:00:00Z",
      "2026-04-05T00:15:00Z 2026-04-05T01:15:00Z",
    ]);
  });

  it("[W8] several slots come in order, whatever order they are written in", () => {
    const schedule = {
      weekly: [
        { day: "Sunday" as const, start: "05:00", duration: "1h" },
        { day: "Saturday" as const, start: "23:00", duration: "1h" },
        { day: "Sunday" as const, start: "01:00", duration: "1h" },
      ],
    };
    expect(next(4, schedule, "UTC", "2026-11-16T00:00Z").map((text) => text.slice(0, 16))).toEqual([
      "2026-11-21T23:00",
      "2026-11-22T01:00",
      "2026-11-22T05:00",
      "2026-11-28T23:00",
    ]);
  });

  it("[W8] every two weeks by the anchor", () => {
    const schedule = { ...sunday, everyWeeks: 2, anchor: "2026-11-22" };
    expect(next(2, schedule, "UTC", "2026-11-23T00:00Z").map((text) => text.slice(0, 10))).toEqual(["2026-12-06", "2026-12-20"]);
  });

  it("[W8] every week where an object has not passed through the schema's defaults", () => {
    const bare = { schedule: sunday } as unknown as MaintenanceWindowSpec;
    const [first] = occurrences(bare, "UTC", parseInstant("2026-11-23T00:00Z")!);
    expect(formatInstant(first!.start)).toBe("2026-11-29T01:00:00Z");
  });

  it("[W8] a window that occurs once is over after its end", () => {
    const schedule = { once: { date: "2026-11-24", start: "23:00", duration: "2h" } };
    expect(next(5, schedule, "America/New_York", "2026-11-25T05:59Z")).toEqual(["2026-11-25T04:00:00Z 2026-11-25T06:00:00Z"]);
    expect(next(5, schedule, "America/New_York", "2026-11-25T06:00Z")).toEqual([]);
  });
});
