import { z } from "zod";
import { ATOMIC_LIST, mapList, rules, SET_LIST } from "./cel.ts";
import { condition, duration, freeze, localDate, localTime, occurrence, type ObjectMeta, zoneName } from "./common.ts";
import { acceptedColumn, AGE_COLUMN, defineResource } from "./define-resource.ts";

export const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"] as const;

export const weeklySlot = z
  .object({
    day: z.enum(DAYS).describe("The local day on which the slot starts; the slot belongs to it also when it crosses midnight."),
    start: localTime().describe('Local start, for example "01:00". In a gap of the clock: the first instant after it.'),
    end: localTime()
      .optional()
      .describe('Local end, for example "03:00", on the next day if it is not after the start. Write end or duration.'),
    duration: duration({ atLeast: "1s", atMost: "167h" })
      .optional()
      .describe("How long the slot is open, in elapsed time. Write end or duration."),
  })
  .meta(
    rules(
      {
        rule: "has(self.end) != has(self.duration)",
        message: 'a slot has exactly one of end and duration: write end: "03:00" or duration: 2h',
      },
      {
        rule: "!has(self.end) || self.end != self.start",
        message: "the slot ends when it starts: write duration: 24h for a whole day, or a later end",
        fieldPath: ".end",
      },
    ),
  );

export const onceSlot = z.object({
  date: localDate().describe("The local date on which the window opens."),
  start: localTime().describe('Local start, for example "23:00".'),
  duration: duration({ atLeast: "1s", atMost: "336h" }).describe("How long the window is open, in elapsed time."),
});

export const schedule = z
  .object({
    weekly: z
      .array(weeklySlot)
      .min(1)
      .max(14)
      .meta(mapList("day", "start"))
      .optional()
      .describe("Slots of every week. Write weekly or once."),
    everyWeeks: z.int().min(1).max(52).default(1).describe("The slots recur every so many weeks; above 1 anchor says which."),
    anchor: localDate().optional().describe("A date of one week in which the slots occur; it fixes all the others."),
    once: onceSlot.optional().describe("One dated slot. Write weekly or once."),
  })
  .meta(
    rules(
      {
        rule: "has(self.weekly) != has(self.once)",
        message:
          "a schedule has exactly one of weekly and once: write weekly for slots of every week, once for one date, two windows for both",
      },
      {
        rule: "self.everyWeeks == 1 || has(self.anchor) || has(self.once)",
        message:
          'everyWeeks above 1 needs an anchor: write a date of one week in which the window occurs, for example anchor: "2026-11-22"',
        fieldPath: ".anchor",
      },
      { rule: "!has(self.once) || self.everyWeeks == 1", message: "once is a single date: leave everyWeeks out", fieldPath: ".everyWeeks" },
    ),
  );

export const maintenanceWindowSpec = z.object({
  schedule: schedule.describe("When the window is open, in local time."),
  timeZone: zoneName({ local: true })
    .default("Local")
    .describe("Local: the zone of whatever the window is applied to (PoP, site, account); or an IANA zone."),
  notice: duration({ atMost: "336h" })
    .optional()
    .describe("Elapsed time between the announcement and the start, at least; equal is enough."),
  freezes: z.array(freeze).max(32).meta(mapList("name")).optional().describe("Days on which the window does not open."),
});

export const maintenanceWindowStatus = z.object({
  observedGeneration: z.int().optional(),
  next: z
    .array(occurrence)
    .max(5)
    .meta(ATOMIC_LIST)
    .optional()
    .describe("The next five occurrences, where the zone is fixed; for Local its users show theirs."),
  tooShortFor: z.array(z.string().max(253)).max(20).meta(SET_LIST).optional().describe("Objects whose smallest piece fits no occurrence."),
  conditions: z.array(condition).max(8).meta(mapList("type")).optional(),
});

export type MaintenanceWindowSpec = z.infer<typeof maintenanceWindowSpec>;
export type MaintenanceWindowStatus = z.infer<typeof maintenanceWindowStatus>;
export interface MaintenanceWindow {
  readonly apiVersion: string;
  readonly kind: "MaintenanceWindow";
  readonly metadata: ObjectMeta;
  readonly spec: MaintenanceWindowSpec;
  readonly status?: MaintenanceWindowStatus;
}

export const MAINTENANCE_WINDOW = defineResource<MaintenanceWindow>({
  kind: "MaintenanceWindow",
  plural: "maintenancewindows",
  shortNames: ["mw"],
  description:
    "When something may be disrupted: slots in local time, with the notice that goes before and the days on which nothing happens.",
  spec: maintenanceWindowSpec,
  status: maintenanceWindowStatus,
  columns: [
    { name: "Zone", jsonPath: ".spec.timeZone" },
    { name: "Next", jsonPath: ".status.next[0].localStart", description: "Next start on the local clock." },
    { name: "Opens", jsonPath: ".status.next[0].start", description: "Next start in UTC." },
    { name: "Closes", jsonPath: ".status.next[0].end", description: "Its end in UTC." },
    acceptedColumn(),
    { name: "Too Short For", jsonPath: ".status.tooShortFor", priority: 1 },
    AGE_COLUMN,
  ],
  selectableFields: [".spec.timeZone"],
});
