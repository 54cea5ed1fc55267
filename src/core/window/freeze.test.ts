import { describe, expect, it } from "vitest";
import type { Freeze } from "../../api/common.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { freezeGate } from "./freeze-gate.ts";
import { activeFreeze, frozenSpans } from "./freeze.ts";
import { fits, usableOccurrence } from "./last-start.ts";

const at = (text: string) => parseInstant(text)!;
const holidays: Freeze = { name: "holidays", from: "2026-12-19", to: "2027-01-05" };
const HOUR = 3_600_000;

const occurrence = (start: string, hours: number) => ({
  start: at(start),
  end: at(start) + hours * HOUR,
  nominalStart: 0,
  nominalLength: hours * HOUR,
});

describe("freezes", () => {
  it("[W6] both dates are whole days in the zone of the thing frozen, or in the freeze's own", () => {
    const [tokyo] = frozenSpans([holidays], "Asia/Tokyo", at("2026-12-01T00:00Z"));
    expect([formatInstant(tokyo!.from), formatInstant(tokyo!.to)]).toEqual(["2026-12-18T15:00:00Z", "2027-01-05T15:00:00Z"]);
    const [utc] = frozenSpans([{ ...holidays, timeZone: "UTC" }], "Asia/Tokyo", at("2026-12-01T00:00Z"));
    expect([formatInstant(utc!.from), formatInstant(utc!.to)]).toEqual(["2026-12-19T00:00:00Z", "2027-01-06T00:00:00Z"]);
  });

  it("[W6] a freeze that is over is no freeze: it ends before the first instant of the day after its last", () => {
    expect(frozenSpans([holidays], "UTC", at("2027-01-05T23:59:59Z"))).toHaveLength(1);
    expect(frozenSpans([holidays], "UTC", at("2027-01-06T00:00:00Z"))).toHaveLength(0);
    expect(activeFreeze(frozenSpans([holidays], "UTC", 0), at("2027-01-06T00:00:00Z"))).toBeUndefined();
  });

  it("[W6] an occurrence that starts in a freeze cannot be used; one that runs into it ends there", () => {
    const spans = frozenSpans([holidays], "UTC", at("2026-12-01T00:00Z"));
    expect(usableOccurrence(occurrence("2026-12-19T00:00Z", 4), spans, 0)).toBeUndefined();
    expect(usableOccurrence(occurrence("2027-01-05T23:00Z", 4), spans, 0)).toBeUndefined();
    const cut = usableOccurrence(occurrence("2026-12-18T23:00Z", 4), spans, HOUR / 2)!;
    expect([formatInstant(cut.lastStart), formatInstant(cut.end), cut.cutBy?.freeze.name]).toEqual([
      "2026-12-18T23:30:00Z",
      "2026-12-19T00:00:00Z",
      "holidays",
    ]);
    expect(usableOccurrence(occurrence("2026-12-18T20:00Z", 4), spans, 0)!.cutBy).toBeUndefined();
  });

  it("[W4] a piece of two hours fits an occurrence of two hours, and one of a millisecond more does not", () => {
    expect(fits(usableOccurrence(occurrence("2026-11-22T01:00Z", 2), [], 2 * HOUR)!)).toBe(true);
    expect(fits(usableOccurrence(occurrence("2026-11-22T01:00Z", 2), [], 2 * HOUR + 1)!)).toBe(false);
  });
});

describe("freezeGate", () => {
  const question = { zone: "UTC", now: at("2026-12-24T00:00Z"), act: "Disruption" } as const;

  it("[W6] holds until the last of the freezes that follow each other has ended", () => {
    const more: Freeze = { name: "inventory", from: "2027-01-06", to: "2027-01-10", reason: "stocktaking" };
    const hold = freezeGate({ ...question, freezes: [holidays, more] });
    expect(hold).toMatchObject({ reason: "Frozen", until: at("2027-01-11T00:00Z") });
    expect(freezeGate({ ...question, freezes: [more] })).toBeUndefined();
  });

  it("[P15] lets content pass where the freeze allows it, and only content", () => {
    const freezes: Freeze[] = [{ ...holidays, allow: ["Content"] }];
    expect(freezeGate({ ...question, freezes, act: "Content" })).toBeUndefined();
    expect(freezeGate({ ...question, freezes })?.reason).toBe("Frozen");
    expect(freezeGate({ ...question, freezes: [holidays], act: "Content" })?.reason).toBe("Frozen");
  });

  it("[W10] a freeze that cannot be read holds everything, and says what to write", () => {
    const hold = freezeGate({
      ...question,
      freezes: [
        { ...holidays, timeZone: "EST" },
        { ...holidays, to: "2026-12-01" },
      ],
    });
    expect(hold).toMatchObject({ rule: "W10", reason: "WindowInvalid" });
    expect(hold!.message).toContain("write America/Panama");
    expect(hold!.message).toContain("ends on 2026-12-01, before it begins on 2026-12-19");
  });
});
