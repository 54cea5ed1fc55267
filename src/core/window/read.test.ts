import { describe, expect, it } from "vitest";
import { readWindow } from "./read.ts";

const slot = { day: "Sunday", start: "01:00", duration: "4h" };
const weekly = (change: object) => ({ schedule: { weekly: [{ ...slot, ...change }] } });

it("[W10] a misspelt field and a wrong one beside it are both told, and not that the misspelt one is missing", () => {
  const spec = { schedule: { weekly: [{ day: "Sonday", start: "01:00", duraton: "4h" }] }, notise: "1h", notice: "2 days" };
  expect(readWindow(spec).problems).toEqual([
    "spec.notise is no field; write notice",
    "spec.schedule.weekly[0].duraton is no field; write duration",
    expect.stringContaining('spec.schedule.weekly[0].day is "Sonday"'),
    expect.stringContaining('spec.notice is "2 days"'),
  ]);
});

describe("reading a window", () => {
  it("fills in the defaults", () => {
    expect(readWindow({ schedule: { weekly: [slot] } }).spec).toEqual({ schedule: { weekly: [slot], everyWeeks: 1 }, timeZone: "Local" });
  });

  it.each([
    ["nothing", undefined, "there is no spec"],
    ["no schedule", {}, "spec.schedule is missing"],
    ["a misspelt day", weekly({ day: "Sundy" }), 'spec.schedule.weekly[0].day is "Sundy", which is no day of the week; write Sunday'],
    ["a short day", weekly({ day: "Thu" }), "write Thursday"],
    ["a day of another language", weekly({ day: "Sonntag" }), "write one of Monday, Tuesday"],
    ["a slot without end or duration", weekly({ duration: undefined }), "has neither end nor duration; write one of them"],
    ["a slot with both", weekly({ end: "05:00" }), "has end and duration; write one of them"],
    ["a slot that ends when it starts", weekly({ duration: undefined, end: "01:00" }), "write duration: 24h for a whole day"],
    ["a time with one digit", weekly({ start: "1:00" }), 'write "01:00"'],
    ["a time that YAML 1.1 made a number of", weekly({ start: 60 }), 'write "01:00" in quotes'],
    ["24:00", weekly({ duration: undefined, end: "24:00" }), 'write "00:00"'],
    ["a duration of 0", weekly({ duration: "0s" }), "would never be open"],
    ["a duration of a week", weekly({ duration: "168h" }), "write at most 167h"],
    ["a duration in days", weekly({ duration: "1d" }), "write 24h"],
    ["no slot", { schedule: { weekly: [] } }, "is empty; write at least one slot"],
    ["a slot instead of a list", { schedule: { weekly: slot } }, "spec.schedule.weekly is no list"],
    [
      "weekly and once",
      { schedule: { weekly: [slot], once: { date: "2026-11-24", start: "01:00", duration: "1h" } } },
      "has weekly and once",
    ],
    ["neither", { schedule: {} }, "has neither weekly nor once"],
    [
      "every two weeks without an anchor",
      { schedule: { weekly: [slot], everyWeeks: 2 } },
      "spec.schedule.anchor is missing, and everyWeeks is 2",
    ],
    ["everyWeeks as text", { schedule: { weekly: [slot], everyWeeks: "2" } }, "write a whole number from 1 to 52"],
    [
      "an anchor that the calendar does not have",
      { schedule: { weekly: [slot], everyWeeks: 2, anchor: "2026-02-29" } },
      "is no date of the calendar",
    ],
    [
      "a once without a real date",
      { schedule: { once: { date: "24.11.2026", start: "01:00", duration: "1h" } } },
      "write it as 2026-11-22",
    ],
    [
      "an unknown zone",
      { ...weekly({}), timeZone: "europe/london" },
      'spec.timeZone: "europe/london" is not spelt as IANA spells it; write Europe/London',
    ],
    [
      "a misspelt field, which would have meant the local zone",
      { ...weekly({}), timezone: "Asia/Tokyo" },
      "spec.timezone is no field; write timeZone",
    ],
    ["a misspelt field of a slot", weekly({ duraton: "4h" }), "weekly[0].duraton is no field; write duration"],
    ["a notice in days", { ...weekly({}), notice: "2d" }, "write 48h"],
    ["a notice over two weeks", { ...weekly({}), notice: "337h" }, "write at most 336h"],
    [
      "a freeze that ends before it begins",
      { ...weekly({}), freezes: [{ name: "f", from: "2026-12-02", to: "2026-12-01" }] },
      "ends on 2026-12-01, before it begins",
    ],
    ["a freeze without an end", { ...weekly({}), freezes: [{ name: "f", from: "2026-12-02" }] }, "spec.freezes[0].to is nothing"],
    [
      "a freeze in an unknown zone",
      { ...weekly({}), freezes: [{ name: "f", from: "2026-12-02", to: "2026-12-03", timeZone: "CET" }] },
      "write Europe/Brussels",
    ],
    [
      "a freeze without a name",
      { ...weekly({}), freezes: [{ from: "2026-12-02", to: "2026-12-03" }] },
      "spec.freezes[0].name is missing; write a text",
    ],
    ["a freeze that is a text", { ...weekly({}), freezes: ["2026-12-02"] }, "write for example {name: year-end"],
    ["a list", [], "there is no spec"],
  ])("[W10] refuses %s with what to write instead", (_, spec, sentence) => {
    const { problems } = readWindow(spec);
    expect(problems?.join("\n")).toContain(sentence);
  });

  it("[W10] names every problem, not only the first", () => {
    expect(readWindow({ ...weekly({ day: "Sundy", start: "1:00" }), timeZone: "EST", notice: "2d" }).problems).toHaveLength(4);
  });
});
