import type { z } from "zod";

type Issue = z.core.$ZodIssue;

const NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  boolean: "true or false",
};

/** What is wrong with a field of a manifest, and what to write instead: `spec.freezes[0].to is missing; write a date, …`. */
export function issueText(issue: Issue, spec: unknown): string {
  const path = issue.path.reduce<string>((text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}.${String(key)}`), "spec");
  return `${path} ${whatOf(issue, valueAt(spec, issue.path))}`;
}

function whatOf(issue: Issue, value: unknown): string {
  if (issue.code === "invalid_type") {
    const wanted = NAMES[issue.expected] ?? issue.expected;
    if (value === undefined) return `is missing; write ${isDate(issue.path) ? 'a date, for example "2026-11-22"' : wanted}`;
    const quoted = issue.expected === "string" && typeof value === "number" ? ` in quotation marks, "${value}"` : "";
    return `is ${shown(value)}, which is not ${wanted}; write ${wanted}${quoted}`;
  }
  if (issue.code === "invalid_union") return `is ${shown(value)}; ${unionText(issue, value)}`;
  if (issue.code === "too_small") return `${sizeOf(issue.origin, value)}; write at least ${String(issue.minimum)}`;
  if (issue.code === "too_big") return `${sizeOf(issue.origin, value)}; write at most ${String(issue.maximum)}`;
  if (issue.code === "invalid_value") return `is ${shown(value)}; write one of ${issue.values.map(String).join(", ")}`;
  // Our own sentence of what to write; the others are the library's.
  return `is ${shown(value)}${issue.message.startsWith("write ") ? ";" : ":"} ${issue.message}`;
}

/** Fields that hold a date: a schema tells only that it is a text. `from` is one of a freeze, and versions elsewhere. */
function isDate(path: readonly PropertyKey[]): boolean {
  const last = path.at(-1);
  return last === "to" || last === "date" || last === "anchor" || (last === "from" && path.includes("freezes"));
}

/** What each of the forms that it may have would ask for, once. */
function unionText({ errors }: Extract<Issue, { code: "invalid_union" }>, value: unknown): string {
  const asked = errors.flatMap(([first]) => first?.message ?? []).filter((text) => text.startsWith("write "));
  return asked.length > 0 ? [...new Set(asked)].join(", or ") : `none of its forms takes ${shown(value)}`;
}

function sizeOf(origin: string, value: unknown): string {
  if (origin === "array" && Array.isArray(value)) return `has ${value.length} entries`;
  if (origin === "string" && typeof value === "string") return `has ${value.length} characters`;
  return `is ${shown(value)}`;
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);

const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((at, key) => (typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined), value);
