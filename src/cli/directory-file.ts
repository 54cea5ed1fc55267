import { parseAllDocuments } from "yaml";
import type { DirectoryMember } from "../control/client-inventory.ts";
import { userKey } from "../core/client/cohort.ts";
import { closest } from "../core/closest.ts";
import { stripControl } from "../core/text.ts";
import { readCsv } from "./csv.ts";

/** As an AccountPolicy names users and groups, and as the gateway takes names of devices. */
const [LONGEST_NAME, LONGEST_DEVICE] = [320, 128];
const MOST_GROUPS = 64;
const MOST_DEVICES = 256;
const COLUMNS = ["user", "groups", "devices"] as const;
type Column = (typeof COLUMNS)[number];

interface Read {
  readonly members: readonly DirectoryMember[];
  /** Each with its line, or its place in the list, and what to write instead. Nothing counts where there is one. */
  readonly problems: readonly string[];
}

/** One user as he stands in the file, unchecked. */
interface Entry {
  readonly where: string;
  readonly user: unknown;
  readonly groups: unknown;
  readonly devices: unknown;
}

/** Reads a directory: CSV with the columns user, groups, devices, or a list of such mappings in JSON or YAML. */
export function readDirectory(text: string): Read {
  const { entries, problems } = looksLikeList(text) ? entriesOfList(text) : entriesOfCsv(text);
  if (problems.length > 0) return { members: [], problems };
  const members: DirectoryMember[] = [];
  const found: string[] = [];
  const users = new Map<string, string>();
  const devices = new Map<string, string>();
  for (const entry of entries) {
    const read = memberOf(entry);
    const wrong = "problem" in read ? read.problem : repeated(read, entry.where, users, devices);
    if (wrong !== undefined) found.push(`${entry.where}: ${wrong}`);
    else if (!("problem" in read)) members.push(read);
  }
  if (members.length === 0 && found.length === 0)
    return { members, problems: ["it holds no user; a directory of nobody would leave every pilot group empty, so write at least one"] };
  return { members, problems: found };
}

/** A list in JSON, or one in YAML: no heading of a CSV file begins so. */
const looksLikeList = (text: string): boolean => /^\s*(\[|-\s|#|---)/.test(text);

function entriesOfCsv(text: string): { readonly entries: readonly Entry[]; readonly problems: readonly string[] } {
  const { rows, problem } = readCsv(text);
  if (problem !== undefined) return { entries: [], problems: [problem] };
  const [heading, ...lines] = rows;
  if (heading === undefined) return { entries: [], problems: ["it is empty; write a line user,groups,devices, then one line a user"] };
  const names = heading.cells.map((cell) => cell.trim().toLowerCase());
  const problems = headingProblems(names, heading.cells);
  if (problems.length > 0) return { entries: [], problems };
  const at = (column: Column, cells: readonly string[]): string => cells[names.indexOf(column)] ?? "";
  const entries: Entry[] = [];
  for (const { line, cells } of lines) {
    if (cells.length !== names.length)
      problems.push(
        `line ${line} has ${cells.length} columns and the heading ${names.length}; several groups or devices stand in one cell, with ; between`,
      );
    else
      entries.push({
        where: `line ${line}`,
        user: at("user", cells),
        groups: listed(at("groups", cells)),
        devices: listed(at("devices", cells)),
      });
  }
  return { entries, problems };
}

function headingProblems(names: readonly string[], written: readonly string[]): string[] {
  const odd = names.findIndex((name) => !COLUMNS.includes(name as Column));
  if (odd !== -1 && !names.includes("user"))
    return [`line 1 is ${JSON.stringify(written.join(",").slice(0, 60))}; write the heading user,groups,devices there`];
  if (odd !== -1) {
    const meant = closest(names[odd]!, COLUMNS) ?? COLUMNS.join(", ");
    return [`line 1: there is no column ${JSON.stringify(written[odd])}; write ${meant}, or leave it out`];
  }
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return [`line 1 names the column ${twice} twice; write it once`];
  return names.includes("user") ? [] : ["line 1 names no column user; write user,groups,devices"];
}

const listed = (cell: string): string[] =>
  cell
    .split(";")
    .map((part) => part.trim())
    .filter((part) => part !== "");

function entriesOfList(text: string): { readonly entries: readonly Entry[]; readonly problems: readonly string[] } {
  const [document] = parseAllDocuments(text);
  const broken = document !== undefined && "errors" in document ? document.errors[0] : undefined;
  if (broken !== undefined) return { entries: [], problems: [`it is neither JSON nor YAML: ${broken.message.split("\n")[0]!}`] };
  const value: unknown = document !== undefined && "toJS" in document ? document.toJS({ maxAliasCount: 100 }) : undefined;
  if (!Array.isArray(value))
    return { entries: [], problems: ["it is no list; write - {user: …, groups: […], devices: […]} for each user"] };
  const problems: string[] = [];
  const entries = value.flatMap((one: unknown, index): Entry[] => {
    const where = `entry ${index + 1}`;
    if (typeof one !== "object" || one === null || Array.isArray(one)) {
      problems.push(`${where} is no mapping; write {user: …, groups: […], devices: […]}`);
      return [];
    }
    const odd = Object.keys(one).find((name) => !COLUMNS.includes(name as Column));
    if (odd !== undefined) {
      const meant = closest(odd, COLUMNS) ?? COLUMNS.join(", ");
      problems.push(`${where}: there is no field ${JSON.stringify(odd)}; write ${meant}, or leave it out`);
      return [];
    }
    const { user, groups = [], devices = [] } = one as Readonly<Record<string, unknown>>;
    return [{ where, user, groups, devices }];
  });
  return { entries, problems };
}

function memberOf({ user, groups, devices }: Entry): DirectoryMember | { readonly problem: string } {
  const wrong =
    nameProblem("the user", user, LONGEST_NAME) ??
    listProblem("group", groups, LONGEST_NAME, MOST_GROUPS) ??
    listProblem("device", devices, LONGEST_DEVICE, MOST_DEVICES);
  if (wrong !== undefined) return { problem: wrong };
  const unique = (names: unknown): string[] => [...new Set((names as string[]).map((name) => name.trim()))];
  return { user: (user as string).trim(), groups: unique(groups), devices: unique(devices) };
}

function nameProblem(what: string, name: unknown, longest: number): string | undefined {
  if (typeof name !== "string")
    return `${what} is ${JSON.stringify(name) ?? "missing"}; write a text${typeof name === "number" ? " in quotes" : ""}`;
  if (name.trim() === "") return `${what} is empty; write a name`;
  if (name.trim().length > longest) return `${what} has ${name.trim().length} characters; write at most ${longest}`;
  if (stripControl(name) !== name.trim())
    return `${what} ${JSON.stringify(name.slice(0, 40))} holds characters that nobody sees; take them out`;
  return undefined;
}

function listProblem(what: string, names: unknown, longest: number, most: number): string | undefined {
  if (!Array.isArray(names)) return `${what}s is ${JSON.stringify(names)}; write a list`;
  if (names.length > most) return `it has ${names.length} ${what}s; write at most ${most}`;
  return names.map((name) => nameProblem(`a ${what}`, name, longest)).find((problem) => problem !== undefined);
}

/** The same user under another spelling, or a computer of two people: which of both is meant, nobody knows. */
function repeated(
  { user, devices }: DirectoryMember,
  where: string,
  users: Map<string, string>,
  owners: Map<string, string>,
): string | undefined {
  const key = userKey(user);
  const before = users.get(key);
  if (before !== undefined) return `${user} stands at ${before} already; write one line for each user, groups and devices with ; between`;
  users.set(key, where);
  for (const device of devices) {
    const owner = owners.get(userKey(device));
    if (owner !== undefined) return `device ${device} is that of ${owner}; a computer has one user, so write it once`;
    owners.set(userKey(device), `the user at ${where}`);
  }
  return undefined;
}
