import { expect, it } from "vitest";
import { maintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { datedStart, type DatedQuestion } from "./dated-start.ts";

const SUNDAYS = maintenanceWindowSpec.parse({ schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] } });
const HOUR = 3_600_000;

const startOf = (changes: Partial<DatedQuestion> = {}): string | undefined => {
  const found = datedStart({
    spec: SUNDAYS,
    zone: "UTC",
    now: Date.UTC(2026, 10, 20),
    pieceMilliseconds: HOUR / 2,
    from: "2026-11-22",
    to: "2026-12-06",
    ...changes,
  });
  return found && new Date(found.start).toISOString();
};

it("[F1] the occurrences whose local start date lies in [from, to): for weekly Sundays exactly two", () => {
  expect(startOf()).toBe("2026-11-22T01:00:00.000Z");
  expect(startOf({ now: Date.UTC(2026, 10, 22, 5) })).toBe("2026-11-29T01:00:00.000Z");
  expect(startOf({ now: Date.UTC(2026, 10, 29, 5) })).toBeUndefined();
  expect(startOf({ now: Date.UTC(2026, 10, 1), from: "2026-11-23" })).toBe("2026-11-29T01:00:00.000Z");
});

it("[F1] the dates are those of the place: Auckland's Sunday begins on Saturday 12:00 UTC", () => {
  expect(startOf({ zone: "Pacific/Auckland" })).toBe("2026-11-21T12:00:00.000Z");
  expect(startOf({ zone: "Pacific/Honolulu" })).toBe("2026-11-22T11:00:00.000Z");
});

it("[W4] one that runs may be used from now on until its last start, to the millisecond", () => {
  expect(startOf({ now: Date.UTC(2026, 10, 22, 4, 30) })).toBe("2026-11-22T04:30:00.000Z");
  expect(startOf({ now: Date.UTC(2026, 10, 22, 4, 30) + 1 })).toBe("2026-11-29T01:00:00.000Z");
});

it("[W3] the notice has to be kept, [W6] and no freeze may hold", () => {
  const announcedAt = Date.UTC(2026, 10, 20, 1);
  expect(startOf({ announcedAt, noticeMilliseconds: 48 * HOUR })).toBe("2026-11-22T01:00:00.000Z");
  expect(startOf({ announcedAt: announcedAt + 1, noticeMilliseconds: 48 * HOUR })).toBe("2026-11-29T01:00:00.000Z");
  expect(startOf({ freezes: [{ name: "x", from: "2026-11-22", to: "2026-11-22" }] })).toBe("2026-11-29T01:00:00.000Z");
});

it("[W10] what cannot be read gives no start", () => {
  expect(startOf({ spec: undefined })).toBeUndefined();
  expect(startOf({ zone: "Berlin" })).toBeUndefined();
  expect(startOf({ from: "soon" })).toBeUndefined();
  expect(startOf({ freezes: [{ name: "x", from: "2026-13-01", to: "2026-13-02" }] })).toBeUndefined();
});
