import { issueText } from "../../api/issue-text.ts";
import { maintenanceWindowSpec, type MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import { closest } from "../closest.ts";
import { windowProblems } from "./parse.ts";

/** A window as somebody wrote it, read: the spec with its defaults, or what is wrong with it. */
export type ReadWindow =
  | { readonly spec: MaintenanceWindowSpec; readonly problems?: undefined }
  | { readonly problems: readonly string[]; readonly spec?: undefined };

type Fields = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

/** What is wrong with the structure; `unknownIn`: only a name in that map, so that what else is wrong can still be asked. */
interface Wrong {
  readonly text: string;
  readonly unknownIn?: string;
}

/**
 * Fields that nobody knows. The API server refuses them in a strict request; in a file they must not pass either: `timezone` for
 * `timeZone` would silently mean the local zone.
 */
function unknownFields(value: Fields, path: string, known: readonly string[]): readonly Wrong[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ text: `${path}.${key} is no field; write ${closest(key, known) ?? `one of ${known.join(", ")}`}`, unknownIn: path }));
}

const SLOT = ["day", "start", "end", "duration"];
const FREEZE = ["name", "from", "to", "timeZone", "reason", "allow"];

function listProblems(value: unknown, path: string, known: readonly string[], example: string): readonly Wrong[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [{ text: `${path} is no list; write a list, for example [${example}]` }];
  return value.flatMap((item: unknown, index) =>
    isMap(item)
      ? unknownFields(item, `${path}[${index}]`, known)
      : [{ text: `${path}[${index}] is ${JSON.stringify(item)}; write for example ${example}` }],
  );
}

/** Whether lists are lists, maps are maps and all names are known; only where they are can the fields themselves be asked. */
function structureProblems(spec: unknown): readonly Wrong[] {
  if (!isMap(spec))
    return [{ text: 'there is no spec; write for example spec: {schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}}' }];
  const { schedule } = spec;
  const problems = [...unknownFields(spec, "spec", ["schedule", "timeZone", "notice", "freezes"])];
  if (spec["timeZone"] !== undefined && typeof spec["timeZone"] !== "string")
    problems.push({ text: "spec.timeZone is no text; write an IANA zone such as Europe/Berlin, or Local" });
  problems.push(...listProblems(spec["freezes"], "spec.freezes", FREEZE, "{name: year-end, from: 2026-12-19, to: 2027-01-05}"));
  if (!isMap(schedule)) {
    const text = 'spec.schedule is missing; write for example schedule: {weekly: [{day: Sunday, start: "01:00", duration: 4h}]}';
    return [...problems, { text }];
  }
  problems.push(...unknownFields(schedule, "spec.schedule", ["weekly", "everyWeeks", "anchor", "once"]));
  problems.push(...listProblems(schedule["weekly"], "spec.schedule.weekly", SLOT, '{day: Sunday, start: "01:00", duration: 4h}'));
  const { once } = schedule;
  if (once !== undefined && !isMap(once))
    problems.push({ text: 'spec.schedule.once is no map; write for example {date: 2026-11-24, start: "23:00", duration: 2h}' });
  if (isMap(once)) problems.push(...unknownFields(once, "spec.schedule.once", ["date", "start", "duration"]));
  return problems;
}

/**
 * Reads the spec of a window from a file or a request, where no API server has looked at it before (rule W10). Every problem is a
 * sentence that says what to write instead; a misspelt name hides nothing but that the field it stands for is missing.
 */
export function readWindow(spec: unknown): ReadWindow {
  const structure = structureProblems(spec);
  const texts = structure.map(({ text }) => text);
  if (structure.some(({ unknownIn }) => unknownIn === undefined)) return { problems: texts };
  const misspelt = structure.flatMap(({ unknownIn }) => unknownIn ?? []);
  const isConsequence = (problem: string): boolean => misspelt.some((path) => problem.startsWith(`${path} has neither `));
  const problems = [...texts, ...windowProblems(spec as MaintenanceWindowSpec).filter((problem) => !isConsequence(problem))];
  if (problems.length > 0) return { problems };
  const parsed = maintenanceWindowSpec.safeParse(spec);
  if (parsed.success) return { spec: parsed.data };
  return { problems: parsed.error.issues.map((issue) => issueText(issue, spec)) };
}
