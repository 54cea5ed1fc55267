import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DAY, HOUR, MINUTE, parseLocalDate, parseLocalTime } from "./civil.ts";
import { formatInstant } from "./instant.ts";
import { endOfLocalDay, localStart, startOfLocalDay } from "./local-start.ts";
import { localTimeAt, offsetAt } from "./offsets.ts";
import { formatOffset, formatZoned } from "./format.ts";
import { canonicalZones } from "./zone.ts";

const local = (date: string, time: string) => parseLocalDate(date)! * DAY + parseLocalTime(time)!;
const start = (zone: string, date: string, time: string) => formatInstant(localStart(zone, local(date, time)));

describe("the start of a local time", () => {
  it.each([
    ["an ordinary night", "Asia/Tokyo", "2023-03-12", "01:00", "2023-03-11T16:00:00Z"],
    ["a gap: 02:30 → 03:00", "Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z"],
    ["the gap's first instant", "Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00Z"],
    ["right after the gap", "Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00Z"],
    ["an overlap: the first pass", "Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"],
    ["an overlap: the first pass", "America/New_York", "2026-11-01", "01:30", "2026-11-01T05:30:00Z"],
    ["after the overlap", "America/New_York", "2026-11-01", "02:00", "2026-11-01T07:00:00Z"],
    ["a gap of half an hour", "Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z"],
    ["a gap that begins at midnight", "America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04T03:00:00Z"],
    ["a gap that reaches over midnight", "America/Nuuk", "2024-03-30", "23:30", "2024-03-31T01:00:00Z"],
    ["a day that does not exist", "Pacific/Apia", "2011-12-30", "01:00", "2011-12-30T10:00:00Z"],
    ["the day after it", "Pacific/Apia", "2011-12-31", "01:00", "2011-12-30T11:00:00Z"],
    ["a day that came twice", "Pacific/Kwajalein", "1969-09-30", "12:00", "1969-09-30T01:00:00Z"],
    ["a change at one minute past midnight", "America/St_Johns", "2010-11-07", "00:00", "2010-11-07T02:30:00Z"],
    ["an offset with seconds", "Africa/Monrovia", "1960-01-01", "01:00", "1960-01-01T01:44:30Z"],
    ["a leap day", "Europe/London", "2024-02-29", "01:00", "2024-02-29T01:00:00Z"],
  ])("[W1] %s (%s %s %s)", (_, zone, date, time, expected) => {
    expect(start(zone, date, time)).toBe(expected);
  });

  it("[W1] is the earliest instant that reads at or after the nominal time, for every zone and any time 1850 to 2100", () => {
    const nominal = fc.integer({ min: Date.UTC(1850, 0) / MINUTE, max: Date.UTC(2100, 0) / MINUTE }).map((minutes) => minutes * MINUTE);
    fc.assert(
      fc.property(fc.constantFrom(...canonicalZones()), nominal, (zone, wanted) => {
        const found = localStart(zone, wanted);
        expect(localTimeAt(zone, found)).toBeGreaterThanOrEqual(wanted);
        for (const before of [1, 1_000, MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, DAY])
          expect(localTimeAt(zone, found - before)).toBeLessThan(wanted);
      }),
      { numRuns: 1_000 },
    );
  });

  it("[W6] a day ends when the clock never reads it again: the hour that St John's passed twice belongs to it", () => {
    const day = parseLocalDate("2010-11-06")!;
    expect(formatInstant(startOfLocalDay("America/St_Johns", day + 1))).toBe("2010-11-07T02:30:00Z");
    expect(formatInstant(endOfLocalDay("America/St_Johns", day))).toBe("2010-11-07T03:30:00Z");
    expect(formatInstant(endOfLocalDay("Europe/Berlin", parseLocalDate("2026-10-25")!))).toBe("2026-10-25T23:00:00Z");
  });
});

describe("independence of machine and date", () => {
  afterEach(() => vi.useRealTimers());

  it("[W2] gives the same start of an ambiguous time whether asked in January or in July", async () => {
    const ambiguous = [
      ["America/New_York", "2026-11-01", "01:30"],
      ["Europe/Berlin", "2026-10-25", "02:30"],
      ["Australia/Sydney", "2027-04-04", "02:30"],
      ["America/Santiago", "2027-04-03", "23:30"],
    ] as const;
    const answers: string[] = [];
    for (const today of ["2026-01-15T00:00:00Z", "2026-07-15T00:00:00Z"]) {
      vi.useFakeTimers({ now: new Date(today), toFake: ["Date"] });
      // Without what the module remembers, so that it reckons anew on that day.
      vi.resetModules();
      const fresh = await import("./local-start.ts");
      answers.push(ambiguous.map(([zone, date, time]) => fresh.localStart(zone, local(date, time))).join());
    }
    expect(answers[0]).toBe(answers[1]);
  });

  it("[W2] gives the same starts in machines of five zones", () => {
    const module = new URL("./local-start.ts", import.meta.url).href;
    const program = `const { localStart } = await import(${JSON.stringify(module)});
      const zones = ["America/New_York", "Europe/Berlin", "Pacific/Apia", "Asia/Kolkata"];
      const nominals = [1793496600000, 1792895400000, 1774751400000, 1325206800000];
      console.log(JSON.stringify(zones.flatMap((zone) => nominals.map((nominal) => localStart(zone, nominal)))));`;
    const answers = ["UTC", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Apia"].map((TZ) =>
      execFileSync(process.execPath, ["--input-type=module", "-e", program], { env: { ...process.env, TZ }, encoding: "utf8" }),
    );
    expect(new Set(answers).size).toBe(1);
    expect(JSON.parse(answers[0]!)).toHaveLength(16);
  });
});

describe("how instants are written", () => {
  it("names clock, offset and zone, so that the two passes of an hour differ", () => {
    expect(formatZoned(Date.UTC(2023, 2, 11, 16), "Asia/Tokyo")).toBe("2023-03-12T01:00+09:00[Asia/Tokyo]");
    expect(formatZoned(Date.UTC(2026, 10, 1, 5, 30), "America/New_York")).toBe("2026-11-01T01:30-04:00[America/New_York]");
    expect(formatZoned(Date.UTC(2026, 10, 1, 6, 30), "America/New_York")).toBe("2026-11-01T01:30-05:00[America/New_York]");
    expect(formatOffset(offsetAt("Africa/Monrovia", Date.UTC(1960, 0)))).toBe("-00:44:30");
  });
});
