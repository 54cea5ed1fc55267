import { expect, it } from "vitest";
import { formatLocalDate, parseLocalDate } from "../time/civil.ts";
import { departureFrom, departuresAround, endOfTrain, isDeparture, lastingDay, nextDeparture, overEverywhere } from "./train.ts";

const TRAIN = { everyWeeks: 2, anchor: "2026-11-22", length: "336h" };
const day = (text: string) => parseLocalDate(text)!;

it.each([
  ["2026-11-22", "2026-11-22"],
  ["2026-11-23", "2026-12-06"],
  ["2026-11-08", "2026-11-08"],
  ["2025-12-25", "2026-01-04"],
])("[W8] the first departure on %s or later is %s, before the anchor too", (from, departure) => {
  expect(formatLocalDate(departureFrom(TRAIN, day(from))!)).toBe(departure);
});

it("[F1] a train that has left in the easternmost zone (UTC+14) is not boarded any more", () => {
  expect(formatLocalDate(nextDeparture(TRAIN, Date.UTC(2026, 10, 21, 10))!)).toBe("2026-11-22");
  expect(formatLocalDate(nextDeparture(TRAIN, Date.UTC(2026, 10, 21, 10) + 1)!)).toBe("2026-12-06");
});

it("[F1] the date of a departure, and without a train any Sunday", () => {
  expect([isDeparture(TRAIN, day("2026-12-06")), isDeparture(TRAIN, day("2026-11-29"))]).toEqual([true, false]);
  expect([isDeparture(undefined, day("2026-11-29")), isDeparture(undefined, day("2026-11-30"))]).toEqual([true, false]);
  expect([departuresAround(TRAIN, day("2026-11-25")), departuresAround(undefined, day("2026-11-25"))]).toEqual([
    "2026-11-22 or 2026-12-06",
    "2026-11-22 or 2026-11-29",
  ]);
});

it("[F1] two Sundays: the length of the train in days, a begun day counts, and 14 without a train", () => {
  const end = (length?: string) => formatLocalDate(endOfTrain(length === undefined ? undefined : { ...TRAIN, length }, day("2026-11-22")));
  expect([end("336h"), end("25h"), end()]).toEqual(["2026-12-06", "2026-11-24", "2026-12-06"]);
});

it("a date lasts until twelve hours after UTC's midnight, where clocks are last", () => {
  expect(overEverywhere(day("2026-11-22"))).toBe(Date.UTC(2026, 10, 23, 12));
  expect(formatLocalDate(lastingDay(Date.UTC(2026, 10, 23, 12) - 1))).toBe("2026-11-22");
  expect(formatLocalDate(lastingDay(Date.UTC(2026, 10, 23, 12)))).toBe("2026-11-23");
});
