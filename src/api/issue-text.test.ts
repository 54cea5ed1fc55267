import { expect, it } from "vitest";
import { approvalSpec } from "./approval.ts";
import { issueText } from "./issue-text.ts";
import { maintenanceWindowSpec } from "./maintenance-window.ts";
import { popStrategy } from "./strategy.ts";

const sentences = (schema: typeof maintenanceWindowSpec | typeof approvalSpec | typeof popStrategy, spec: object): string[] =>
  (schema.safeParse(spec).error?.issues ?? []).map((issue) => issueText(issue, spec));

it("[W10] a wrong duration, date, time or instant is told with what to write, and never with a pattern", () => {
  const spec = {
    schedule: { weekly: [{ day: "Sunday", start: "1:00", duration: "4 hours" }] },
    notice: "2 days",
    freezes: [{ name: "x", from: "19.12.2026", to: "2027-01-05" }],
  };
  expect(sentences(maintenanceWindowSpec, spec)).toEqual([
    'spec.schedule.weekly[0].start is "1:00"; write a local time of day in quotes, from "00:00" to "23:59", for example "01:00"',
    expect.stringMatching(
      /^spec\.schedule\.weekly\[0\]\.duration is "4 hours"; write hours, minutes and seconds in whole numbers, for example 336h/,
    ),
    expect.stringMatching(/^spec\.notice is "2 days"; write hours, minutes and seconds/),
    'spec.freezes[0].from is "19.12.2026"; write a date of the calendar as year, month and day, for example "2026-11-22"',
  ]);
  expect(sentences(approvalSpec, { expiresAt: "next week" }).at(-1)).toBe(
    'spec.expiresAt is "next week"; write an instant with its offset, for example 2026-11-13T12:00:00Z or 2026-11-13T21:00:00+09:00',
  );
});

it("[P1] a share that is none says which there are", () => {
  expect(sentences(popStrategy, { maxUnavailable: "a quarter" })[0]).toContain(
    'spec.maxUnavailable is "a quarter"; write a share from 1% to 100%',
  );
});
