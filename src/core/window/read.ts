import { maintenanceWindowSpec, type MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { closest } from "../closest.ts";
import { windowProblems } from "./parse.ts";

/** A window as somebody wrote it, read: the spec with its defaults, or what is wrong with it. */
export type ReadWindow =
  | { readonly spec: MaintenanceWindowSpec; readonly problems?: undefined }
  | { readonly problems: readonly string[]; readonly spec?: undefined };

type Fields = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Fields that nobody knows. The API server refuses them in a strict request; in a file they must not pass either: `timezone` for
 * `timeZone` would silently mean the local zone.
 */
function unknownFields(value: Fields, path: string, known: readonly string[]): readonly string[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => `${path}.${key} is no field; write ${closest(key, known) ?? `one of ${known.join(", ")}`}`);
}

const SLOT = ["day", "start", "end", "duration"];
const FREEZE = ["name", "from", "to", "timeZone", "reason", "allow"];

function listProblems(value: unknown, path: string, known: readonly string[], example: string): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [`${path} is no list; write a list, for example [${example}]`];
  return value.flatMap((item: unknown, index) =>
    isMap(item)
      ? unknownFields(item, `${path}[${index}]`, known)
      : [`${path}[${index}] is ${JSON.stringify(item)}; write for example ${example}`],
  );
}

/** Whether lists are lists, maps are maps and all names are known; only then can the fields themselves be asked. */
function structureProblems(spec: unknown): readonly string[] {
  if (!isMap(spec))
    return ['there is no spec; write for example spec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}}'];
  const { schedule } = spec;
  const problems = [...unknownFields(spec, "spec", ["schedule", "timeZone", "notice", "freezes"])];
  if (spec["timeZone"] !== undefined && typeof spec["timeZone"] !== "string")
    problems.push("spec.timeZone is no text; write an IANA zone such as Europe/Berlin, or Local");
  problems.push(...listProblems(spec["freezes"], "spec.freezes", FREEZE, "{name: year-end, from: 2026-12-19, to: 2027-01-05}"));
  if (!isMap(schedule)) {
    problems.push('spec.schedule is missing; write for example schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}');
    return problems;
  }
  problems.push(...unknownFields(schedule, "spec.schedule", ["weekly", "everyWeeks", "anchor", "once"]));
  problems.push(...listProblems(schedule["weekly"], "spec.schedule.weekly", SLOT, '{day: Sunday, start: "01:00", duration: 4h}'));
  const { once } = schedule;
  if (once !== undefined && !isMap(once))
    problems.push('spec.schedule.once is no map; write for example {date: 2026-11-24, start: "23:00", duration: 2h}');
  if (isMap(once)) problems.push(...unknownFields(once, "spec.schedule.once", ["date", "start", "duration"]));
  return problems;
}

/**
 * Reads the spec of a window from a file or a request, where no API server has looked at it before (rule W10). Every problem is a
 * sentence that says what to write instead.
 */
export function readWindow(spec: unknown): ReadWindow {
  const structure = structureProblems(spec);
  if (structure.length > 0) return { problems: structure };
  const problems = windowProblems(spec as MaintenanceWindowSpec);
  if (problems.length > 0) return { problems };
  const parsed = maintenanceWindowSpec.safeParse(spec);
  if (parsed.success) return { spec: parsed.data };
  return { problems: parsed.error.issues.map((issue) => `${["spec", ...issue.path.map(String)].join(".")}: ${issue.message}`) };
}
