import { describe, expect, it } from "vitest";
import type { Freeze } from "../../api/common.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { parseInstant } from "../time/instant.ts";
import { forecast, type ForecastQuestion } from "./forecast.ts";

type Slot = NonNullable<MaintenanceWindowSpec["schedule"]["weekly"]>[number];
const at = (text: string) => parseInstant(text)!;
const weekly = (slot: Partial<Slot>, freezes: Freeze[] = []): MaintenanceWindowSpec => ({
  schedule: { weekly: [{ day: "Sunday", start: "01:00", ...slot }], everyWeeks: 1 },
  timeZone: "Local",
  freezes,
});
const ask = (spec: MaintenanceWindowSpec, zone: string, from: string, more: Partial<ForecastQuestion> = {}) =>
  forecast({ spec, zone, from: at(from), count: 1, ...more });

describe("forecast", () => {
  it("[W8] an ordinary occurrence has no note", () => {
    expect(ask(weekly({ end: "03:00" }), "Asia/Tokyo", "2023-03-05T00:00Z")).toEqual([
      { start: "2023-03-11T16:00:00Z", end: "2023-03-11T18:00:00Z", localStart: "2023-03-12T01:00+09:00[Asia/Tokyo]" },
    ]);
  });

  it.each([
    [
      "clocks go forward over the start",
      { start: "02:30", duration: "2h" },
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      "clocks go forward, there is no 02:30: it starts at 03:00",
    ],
    [
      "the night that Samoa left out",
      { day: "Friday" as const, duration: "2h" },
      "Pacific/Apia",
      "2011-12-29T12:00Z",
      "clocks go forward, there is no 2011-12-30 01:00: it starts at Saturday 2011-12-31 00:00",
    ],
    [
      "clocks go back over the start",
      { start: "02:30", duration: "2h" },
      "Europe/Berlin",
      "2026-10-24T00:00Z",
      "clocks go back, 02:30 comes twice: it starts at the first; clocks go back by 1h: it lasts 2h and ends at 03:30",
    ],
    [
      "a slot loses an hour",
      { end: "03:00" },
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      "clocks go forward by 1h: it lasts 1h and ends at 03:00",
    ],
    [
      "a duration ends an hour later by the clock",
      { duration: "4h" },
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      "clocks go forward by 1h: it lasts 4h and ends at 06:00",
    ],
    [
      "a slot in half a gap",
      { start: "02:30", end: "04:00" },
      "Europe/Berlin",
      "2026-03-28T00:00Z",
      "clocks go forward, there is no 02:30: it starts at 03:00; it lasts 1h and ends at 04:00",
    ],
  ])("[W1] tells what a change of the clocks does: %s", (_, slot, zone, from, note) => {
    expect(ask(weekly(slot), zone, from)[0]!.note).toBe(note);
  });

  it("[W1a] tells the slot that a gap swallowed, in the note of the next one", () => {
    const [next] = ask(weekly({ start: "02:00", end: "03:00" }), "Europe/Berlin", "2026-03-28T00:00Z");
    expect(next).toMatchObject({
      start: "2026-04-05T00:00:00Z",
      note: "clocks leave out 02:00–03:00 on Sunday 2026-03-29: the window does not occur then",
    });
  });

  it("[W6] leaves out what starts in a freeze and says so, and ends what runs into one", () => {
    const freezes = [{ name: "holidays", from: "2026-12-19", to: "2027-01-05" }];
    expect(ask(weekly({ duration: "4h" }, freezes), "UTC", "2026-12-14T00:00Z")[0]).toMatchObject({
      start: "2027-01-10T01:00:00Z",
      note: "freeze holidays until 2027-01-05 takes out the 3 occurrences before",
    });
    const late = weekly({ day: "Friday", start: "22:00", duration: "4h" }, freezes);
    expect(ask(late, "UTC", "2026-12-14T00:00Z")[0]).toMatchObject({
      end: "2026-12-19T00:00:00Z",
      note: "freeze holidays begins on 2026-12-19: it ends there, after 2h",
    });
    expect(ask(late, "UTC", "2026-12-19T01:00Z")[0]!.start).toBe("2027-01-08T22:00:00Z");
  });

  it("[W4] shows the last start of a piece, and where it does not fit", () => {
    const piece = { pieceMilliseconds: 90 * 60_000, count: 2 };
    const found = ask(weekly({ end: "03:00" }), "Europe/Berlin", "2026-03-28T00:00Z", piece);
    expect(found.map(({ lastStart }) => lastStart)).toEqual([undefined, "2026-04-04T23:30:00Z"]);
    expect(found[0]!.note).toContain("a piece of 1h30m does not fit");
  });

  it("the running occurrence comes first; with a notice it is not offered", () => {
    const spec = weekly({ duration: "4h" });
    expect(ask(spec, "UTC", "2026-11-22T02:00Z")[0]).toMatchObject({ start: "2026-11-22T01:00:00Z", note: "open now" });
    expect(ask(spec, "UTC", "2026-11-22T02:00Z", { notBefore: at("2026-11-22T02:00Z") })[0]!.start).toBe("2026-11-29T01:00:00Z");
  });

  it("ends in a freeze of centuries, and keeps notes within 256 characters", () => {
    expect(ask(weekly({ duration: "4h" }, [{ name: "ever", from: "2026-01-01", to: "9999-12-31" }]), "UTC", "2026-12-14T00:00Z")).toEqual(
      [],
    );
    const freezes = Array.from({ length: 12 }, (_, month) => ({
      name: `freeze-with-a-rather-long-name-${month}`,
      from: `2027-${String(month + 1).padStart(2, "0")}-01`,
      to: `2027-${String(month + 1).padStart(2, "0")}-28`,
    }));
    for (const { note = "" } of ask(weekly({ duration: "4h" }, freezes), "UTC", "2026-12-28T00:00Z", { count: 5 }))
      expect(note.length).toBeLessThanOrEqual(256);
  });
});
