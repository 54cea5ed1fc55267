import { describe, expect, it } from "vitest";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { forecast } from "./forecast.ts";
import { windowGate, type WindowQuestion } from "./gate.ts";

const at = (text: string) => parseInstant(text)!;
const MINUTE = 60_000;
const sunday: MaintenanceWindowSpec = {
  schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }], everyWeeks: 1 },
  timeZone: "Local",
};
/** Two weeks from Sunday 2026-11-22: exactly two Sundays. */
const train = { from: "2026-11-22", to: "2026-12-06", of: "r-2026-11-2" };

const question = (zone: string, now: string, changes: Partial<WindowQuestion> = {}): WindowQuestion => ({
  spec: sunday,
  zone,
  now: at(now),
  pieceMilliseconds: 8 * MINUTE,
  startDates: train,
  ...changes,
});
function ask(...of: Parameters<typeof question>): string {
  const answer = windowGate(question(...of));
  if (answer.open) return "open";
  const { rule, reason, until } = answer.hold;
  return `${rule} ${reason}${until === undefined ? "" : ` until ${formatInstant(until)}`}${answer.closed ? "" : ", not closed"}`;
}
function message(...of: Parameters<typeof question>): string {
  const answer = windowGate(question(...of));
  return answer.open ? "open" : answer.hold.message;
}

describe("[F1] the dates of a train are those of each place", () => {
  it.each([
    // Where the place is, its two Sundays at 01:00, and the Sundays before and after.
    ["Pacific/Auckland", "2026-11-14T12:00Z", "2026-11-21T12:00Z", "2026-11-28T12:00Z", "2026-12-05T12:00Z"],
    ["Europe/Berlin", "2026-11-15T00:00Z", "2026-11-22T00:00Z", "2026-11-29T00:00Z", "2026-12-06T00:00Z"],
    ["Pacific/Honolulu", "2026-11-15T11:00Z", "2026-11-22T11:00Z", "2026-11-29T11:00Z", "2026-12-06T11:00Z"],
  ])("%s: two Sundays are open, those before and after are not", (zone, before, first, second, after) => {
    expect([before, first, second, after].map((now) => ask(zone, now) === "open")).toEqual([false, true, true, false]);
    expect(ask(zone, before)).toBe(`F1 OutsideWindow until ${formatInstant(at(first))}`);
    expect(ask(zone, after)).toBe("F1 OutsideWindow");
  });

  it("an occurrence that began on the last day may be used to its end, one that begins on the next day not at all", () => {
    const late: MaintenanceWindowSpec = {
      schedule: { weekly: ["Saturday", "Sunday"].map((day) => ({ day: day as "Sunday", start: "23:00", duration: "4h" })), everyWeeks: 1 },
      timeZone: "Local",
    };
    expect(ask("Europe/Berlin", "2026-12-06T01:30Z", { spec: late })).toBe("open");
    expect(ask("Europe/Berlin", "2026-12-06T22:30Z", { spec: late })).toBe("F1 OutsideWindow");
    expect(ask("Europe/Berlin", "2026-11-22T01:30Z", { spec: late }), "it began the day before").toBe(
      "W4 OutsideWindow until 2026-11-22T22:00:00Z",
    );
  });

  it("dates of the place count also where the window is read in a zone of its own", () => {
    const berlin: MaintenanceWindowSpec = { ...sunday, timeZone: "Europe/Berlin" };
    // Sunday 01:00 in Berlin is still Saturday in Honolulu.
    expect(ask("Pacific/Honolulu", "2026-11-22T00:30Z", { spec: berlin })).toBe("F1 OutsideWindow until 2026-11-29T00:00:00Z");
  });
});

describe("what the holds say", () => {
  it("before the departure, the day and the first usable start", () => {
    expect(message("Europe/Berlin", "2026-11-17T12:00Z")).toBe(
      "r-2026-11-2 departs on Sunday 2026-11-22; the next usable start is Sunday 2026-11-22 01:00 Europe/Berlin",
    );
  });

  it("after the train, that nothing more starts by itself", () => {
    expect(message("Europe/Berlin", "2026-12-08T12:00Z")).toBe(
      "r-2026-11-2: its train ended on Saturday 2026-12-05; nothing starts until its turn as a late joiner, or a newer rollout",
    );
    expect(message("Europe/Berlin", "2026-12-02T12:00Z")).toBe(
      "r-2026-11-2: no coming occurrence starts before its train ends on Saturday 2026-12-05; nothing starts until its turn as a late joiner, or a newer rollout",
    );
  });

  it("between the two Sundays the window, as ever; a freeze and the notice move the start within the train", () => {
    expect(ask("Europe/Berlin", "2026-11-24T12:00Z")).toBe("W4 OutsideWindow until 2026-11-29T00:00:00Z");
    const freezes = [{ name: "peak", from: "2026-11-20", to: "2026-11-25" }] as never;
    expect(ask("Europe/Berlin", "2026-11-10T12:00Z", { freezes })).toBe("F1 OutsideWindow until 2026-11-29T00:00:00Z");
    const noticed = { announcedAt: at("2026-11-21T12:00Z"), noticeMilliseconds: 48 * 60 * MINUTE };
    expect(ask("Europe/Berlin", "2026-11-22T00:30Z", noticed)).toBe("W3 NoticeNotElapsed until 2026-11-29T00:00:00Z, not closed");
  });

  it("[W10] a date that is none starts nothing and says what to write", () => {
    expect(message("Europe/Berlin", "2026-11-22T00:30Z", { startDates: { ...train, from: "2026-02-30" } })).toContain(
      '"2026-02-30", which is no date; it should be one such as 2026-11-22',
    );
  });
});

it("[F1] a forecast with dates shows the occurrences of the train alone", () => {
  const shown = forecast({ spec: sunday, zone: "Europe/Berlin", from: at("2026-11-01T00:00Z"), count: 5, startDates: train });
  expect(shown.map(({ start }) => start)).toEqual(["2026-11-22T00:00:00Z", "2026-11-29T00:00:00Z"]);
});
