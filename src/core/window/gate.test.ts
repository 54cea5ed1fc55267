import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { windowGate, type WindowQuestion } from "./gate.ts";

const at = (text: string) => parseInstant(text)!;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const sunday: MaintenanceWindowSpec = {
  schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }], everyWeeks: 1 },
  timeZone: "Local",
};

/** The answer on one line: `open until … last start …`, or the reason with `until`. */
function ask(question: Partial<WindowQuestion> & { now: number }): string {
  const answer = windowGate({ spec: sunday, zone: "Europe/Berlin", pieceMilliseconds: 8 * MINUTE, ...question });
  if (answer.open) return `open, last start ${formatInstant(answer.occurrence.lastStart)}, end ${formatInstant(answer.occurrence.end)}`;
  const { reason, until } = answer.hold;
  return `${reason}${until === undefined ? "" : ` until ${formatInstant(until)}`}${answer.closed ? "" : ", not closed"}`;
}

function message(question: Partial<WindowQuestion> & { now: number }): string {
  const answer = windowGate({ spec: sunday, zone: "Europe/Berlin", pieceMilliseconds: 8 * MINUTE, ...question });
  return answer.open ? "open" : answer.hold.message;
}

describe("windowGate", () => {
  it("[W4] opens at the start, closes after the last start, is closed at the end", () => {
    expect(ask({ now: at("2026-11-21T23:59:59Z") })).toBe("OutsideWindow until 2026-11-22T00:00:00Z");
    expect(ask({ now: at("2026-11-22T00:00:00Z") })).toBe("open, last start 2026-11-22T03:52:00Z, end 2026-11-22T04:00:00Z");
    expect(ask({ now: at("2026-11-22T03:52:00Z") })).toContain("open");
    expect(ask({ now: at("2026-11-22T03:52:00Z") + 1 })).toBe("LastStartPassed until 2026-11-29T00:00:00Z, not closed");
    expect(ask({ now: at("2026-11-22T04:00:00Z") })).toBe("OutsideWindow until 2026-11-29T00:00:00Z");
  });

  it("[W4] says its numbers and the zone", () => {
    expect(message({ now: at("2026-11-22T12:00Z") })).toBe("the window is closed; it opens Sunday 2026-11-29 01:00 Europe/Berlin to 05:00");
    expect(message({ now: at("2026-11-22T03:55Z") })).toBe(
      "the window is open Sunday 2026-11-22 01:00 Europe/Berlin to 05:00, but the next piece needs 8m and the last start was 04:52; " +
        "the next usable start is Sunday 2026-11-29 01:00 Europe/Berlin",
    );
  });

  it("[W4] a piece longer than every occurrence is WindowTooShort; one that only a short night cannot hold waits a week", () => {
    expect(ask({ now: at("2026-11-22T12:00Z"), pieceMilliseconds: 4 * HOUR + 1 })).toBe("WindowTooShort");
    expect(message({ now: at("2026-11-22T12:00Z"), pieceMilliseconds: 5 * HOUR })).toContain(
      "needs 5h, and no coming occurrence (4h by the window, in Europe/Berlin) holds that",
    );
    const slot: MaintenanceWindowSpec = {
      schedule: { weekly: [{ day: "Sunday", start: "01:00", end: "03:00" }], everyWeeks: 1 },
      timeZone: "Local",
    };
    // On 2026-03-29 the slot lasts one hour in Berlin.
    expect(ask({ spec: slot, now: at("2026-03-27T00:00Z"), pieceMilliseconds: 90 * MINUTE })).toBe(
      "OutsideWindow until 2026-04-04T23:00:00Z",
    );
    expect(ask({ spec: slot, now: at("2026-03-29T00:10Z"), pieceMilliseconds: 90 * MINUTE })).toBe(
      "LastStartPassed until 2026-04-04T23:00:00Z, not closed",
    );
  });

  it("[W3] Tokyo, Sunday 01:00, announced Friday 3 March 2023 18:00: Sunday 12 March, and not the 5th while its window is open", () => {
    const notice = { zone: "Asia/Tokyo", announcedAt: at("2023-03-03T18:00+09:00"), noticeMilliseconds: 48 * HOUR };
    expect(ask({ ...notice, now: at("2023-03-04T00:00Z") })).toBe("NoticeNotElapsed until 2023-03-11T16:00:00Z");
    expect(ask({ ...notice, now: at("2023-03-04T16:30Z") })).toBe("NoticeNotElapsed until 2023-03-11T16:00:00Z, not closed");
    expect(ask({ ...notice, now: at("2023-03-06T00:00Z") })).toBe("OutsideWindow until 2023-03-11T16:00:00Z");
    expect(ask({ ...notice, now: at("2023-03-11T16:00Z") })).toContain("open");
    expect(message({ ...notice, now: at("2023-03-04T00:00Z") })).toBe(
      "Sunday 2023-03-05 01:00 Asia/Tokyo is 31h after the announcement, the notice is 48h; " +
        "the next usable start is Sunday 2023-03-12 01:00 Asia/Tokyo",
    );
  });

  it("[W3] an occurrence that had begun at the announcement is not chosen, even with a notice of 0; one that begins then is", () => {
    const now = at("2026-11-22T01:00Z");
    expect(ask({ now, announcedAt: at("2026-11-22T00:00:01Z"), noticeMilliseconds: 0 })).toBe(
      "NoticeNotElapsed until 2026-11-29T00:00:00Z, not closed",
    );
    expect(ask({ now, announcedAt: at("2026-11-22T00:00:00Z"), noticeMilliseconds: 0 })).toContain("open");
    expect(ask({ now })).toContain("open");
  });

  it("[W6] an active freeze wins over the open window, and ends one that runs into it", () => {
    const freezes = [{ name: "stocktaking", from: "2026-11-22", to: "2026-11-30", reason: "year end" }];
    expect(ask({ now: at("2026-11-22T01:00Z"), freezes })).toBe("Frozen until 2026-12-06T00:00:00Z");
    expect(message({ now: at("2026-11-22T01:00Z"), freezes })).toBe(
      "freeze stocktaking (year end) lasts until Tuesday 2026-12-01 00:00 Europe/Berlin; " +
        "the next usable start is Sunday 2026-12-06 01:00 Europe/Berlin",
    );
    const saturday: MaintenanceWindowSpec = {
      schedule: { weekly: [{ day: "Saturday", start: "22:00", duration: "4h" }], everyWeeks: 1 },
      timeZone: "Local",
    };
    expect(ask({ spec: saturday, now: at("2026-11-21T22:00Z"), freezes })).toBe(
      "open, last start 2026-11-21T22:52:00Z, end 2026-11-21T23:00:00Z",
    );
    // The half after midnight is frozen, though its occurrence began before.
    expect(ask({ spec: saturday, now: at("2026-11-21T23:30Z"), freezes })).toBe("Frozen until 2026-12-05T21:00:00Z");
  });

  it("[W6] an occurrence that started in a freeze, or was ended by one, stays closed when the freeze is over", () => {
    const night: MaintenanceWindowSpec = {
      schedule: { weekly: [{ day: "Saturday", start: "22:00", duration: "4h" }], everyWeeks: 1 },
      timeZone: "Local",
    };
    const saturday = [{ name: "day", from: "2026-11-21", to: "2026-11-21" }];
    expect(ask({ spec: night, now: at("2026-11-21T23:30Z"), freezes: saturday })).toBe("OutsideWindow until 2026-11-28T21:00:00Z");
    const week: MaintenanceWindowSpec = {
      schedule: { weekly: [{ day: "Monday", start: "00:00", duration: "120h" }], everyWeeks: 1 },
      timeZone: "Local",
    };
    const tuesday = [{ name: "day", from: "2026-11-24", to: "2026-11-24" }];
    expect(ask({ spec: week, now: at("2026-11-23T12:00Z"), freezes: tuesday })).toContain("open");
    expect(ask({ spec: week, now: at("2026-11-26T12:00Z"), freezes: tuesday })).toBe("OutsideWindow until 2026-11-29T23:00:00Z");
  });

  it("[W6] a freeze of four years is stepped over; one for ever leaves no until", () => {
    const now = at("2026-11-22T12:00Z");
    expect(ask({ now, freezes: [{ name: "long", from: "2026-11-20", to: "2030-11-20" }] })).toBe("Frozen until 2030-11-24T00:00:00Z");
    expect(ask({ now, freezes: [{ name: "ever", from: "2026-11-20", to: "9999-12-31" }] })).toBe("Frozen");
    expect(ask({ now, freezes: [{ name: "ever", from: "2026-11-25", to: "9999-12-31" }] })).toBe("OutsideWindow");
  });

  it("[W8] a window that was once does not open again, and says so", () => {
    const once: MaintenanceWindowSpec = {
      schedule: { everyWeeks: 1, once: { date: "2026-11-24", start: "23:00", duration: "2h" } },
      timeZone: "Local",
    };
    expect(ask({ spec: once, now: at("2026-11-20T00:00Z") })).toBe("OutsideWindow until 2026-11-24T22:00:00Z");
    expect(ask({ spec: once, now: at("2026-11-26T00:00Z") })).toBe("OutsideWindow");
    expect(message({ spec: once, now: at("2026-11-26T00:00Z") })).toContain(
      "its only occurrence, on 2026-11-24 at 23:00 Europe/Berlin, is over or frozen",
    );
  });

  it("[W10] a missing window, an unknown zone or a misspelt day never opens, at no instant of the year", () => {
    const misspelt = { ...sunday, schedule: { everyWeeks: 1, weekly: [{ day: "Sundy" as "Sunday", start: "01:00", duration: "4h" }] } };
    const cases: Partial<WindowQuestion>[] = [
      { spec: undefined },
      { zone: "Mars/Olympus" },
      { zone: undefined },
      { spec: { ...sunday, timeZone: "EST" } },
      { spec: misspelt },
    ];
    for (const bad of cases) {
      for (let day = 0; day < 365; day += 1) expect(ask({ ...bad, now: at("2026-01-01T00:30Z") + day * 24 * HOUR })).toBe("WindowInvalid");
    }
    expect(message({ spec: misspelt, now: 0, name: "pop-sunday" })).toContain(
      'MaintenanceWindow pop-sunday: spec.schedule.weekly[0].day is "Sundy", which is no day of the week; write Sunday',
    );
    expect(message({ spec: undefined, now: 0, name: "pop-sunday" })).toBe(
      "MaintenanceWindow pop-sunday does not exist; nothing starts until it does",
    );
  });

  it("[W9] a window with a zone of its own is read there, its freezes in the zone of the thing", () => {
    const utc = { ...sunday, timeZone: "UTC" };
    expect(ask({ spec: utc, zone: "Asia/Tokyo", now: at("2026-11-22T12:00Z") })).toBe("OutsideWindow until 2026-11-29T01:00:00Z");
    const freezes = [{ name: "day", from: "2026-11-30", to: "2026-11-30" }];
    // Sunday 01:00 UTC is Sunday in Tokyo too; fourteen hours later it is Monday there.
    const late: MaintenanceWindowSpec = {
      schedule: { weekly: [{ day: "Sunday", start: "16:00", duration: "1h" }], everyWeeks: 1 },
      timeZone: "UTC",
    };
    expect(ask({ spec: late, zone: "Asia/Tokyo", now: at("2026-11-29T12:00Z"), freezes })).toBe("OutsideWindow until 2026-12-06T16:00:00Z");
    expect(ask({ spec: late, zone: "UTC", now: at("2026-11-29T12:00Z"), freezes })).toBe("OutsideWindow until 2026-11-29T16:00:00Z");
  });

  it("[W9] what it names as until is open at that instant and never before, for any instant, piece, notice and freeze", () => {
    const day = fc.integer({ min: 0, max: 400 });
    const input = fc.record({
      zone: fc.constantFrom("Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia", "America/Santiago"),
      now: fc.integer({ min: at("2026-01-01T00:00Z") / MINUTE, max: at("2028-01-01T00:00Z") / MINUTE }).map((minutes) => minutes * MINUTE),
      piece: fc.integer({ min: 0, max: 240 }).map((minutes) => minutes * MINUTE),
      announced: fc.option(fc.integer({ min: 0, max: 200 }), { nil: undefined }),
      clock: fc.boolean(),
      freeze: fc.option(fc.tuple(day, fc.integer({ min: 0, max: 20 })), { nil: undefined }),
    });
    fc.assert(
      fc.property(input, ({ zone, now, piece, announced, clock, freeze }) => {
        const slot = { day: "Sunday" as const, start: "02:30", ...(clock ? { end: "06:30" } : { duration: "4h" }) };
        const date = (days: number) => formatInstant(at("2026-01-01T00:00Z") + days * 24 * HOUR).slice(0, 10);
        const question: WindowQuestion = {
          spec: { schedule: { weekly: [slot], everyWeeks: 1 }, timeZone: "Local" },
          zone,
          now,
          pieceMilliseconds: piece,
          ...(announced === undefined ? {} : { announcedAt: now - announced * HOUR, noticeMilliseconds: 48 * HOUR }),
          ...(freeze === undefined ? {} : { freezes: [{ name: "f", from: date(freeze[0]), to: date(freeze[0] + freeze[1]) }] }),
        };
        const answer = windowGate(question);
        if (answer.open) {
          expect(answer.occurrence.start <= now && now <= answer.occurrence.lastStart && now < answer.occurrence.end + 1).toBe(true);
          return;
        }
        const until = answer.hold.until!;
        expect(until).toBeGreaterThan(now);
        expect(windowGate({ ...question, now: until }).open).toBe(true);
        for (const before of [1, 30 * MINUTE, 6 * HOUR, 24 * HOUR]) {
          if (until - before > now) expect(windowGate({ ...question, now: until - before }).open).toBe(false);
        }
      }),
      { numRuns: 400 },
    );
  });
});
