import { formatZoned } from "../../core/time/format.ts";
import type { FleetForecast, PopForecast, RolloutPlan } from "../../simulation/foresight/types.ts";
import { alignedTable } from "../table.ts";
import { DIGEST_LATER } from "./approvals.ts";
import { wrapped } from "./wrapped.ts";

/** What a terminal shows in a line without folding it. */
const WIDTH = 120;
/** So many PoPs that are left out get a line each. */
const MOST_LEFT_OUT = 20;
/** A cell is never cut shorter: names have to be told apart. */
const LEAST = 16;

/**
 * The plan for people at a terminal, in lines of at most 120 characters: each rollout with its waves and PoPs, then what is in conflict.
 * What has no room in a column stands below the table; everything stands in `-o json`.
 */
export function planTable(forecast: FleetForecast, assumed: readonly string[]): string {
  const { digest, from, until, rollouts, conflicts, complete } = forecast;
  const of = complete ? "digest" : "digest of what was looked at alone";
  const heading = `From ${from} to ${until}\n${of} ${digest}\n`;
  if (rollouts.length === 0) return `${heading}no rollout is to come\n`;
  const found = conflicts.map(({ severity, kind, rollout, message }) =>
    wrapped(`${severity === "Conflict" ? "!" : "-"} ${kind}${rollout === undefined ? "" : ` ${rollout}`}: ${message}`, WIDTH, "  "),
  );
  return [
    heading,
    ...rollouts.map(rolloutText),
    found.length === 0 ? "" : `${found.join("\n")}\n\n`,
    ...assumed.map((sentence) => `${wrapped(`assumed: ${sentence}`, WIDTH, "  ")}\n`),
  ].join("");
}

function rolloutText(plan: RolloutPlan): string {
  const { name, version, message, waves, pops, finishAt } = plan;
  return [
    `\n${wrapped(`${name} (${version}) ${message}`, WIDTH, "  ")}\n`,
    finishAt === undefined ? "" : `the last PoP is done at ${finishAt}\n`,
    waves.length === 0 ? "" : `\n${narrow(waveColumns(plan), waves)}`,
    approvalLines(plan),
    pops.length === 0 ? "" : `\n${popTable(pops)}`,
    leftOutLines(plan),
    "\n",
  ].join("");
}

const waveColumns = ({ approvals }: RolloutPlan): readonly Column<RolloutPlan["waves"][number]>[] => [
  { head: "WAVE", cell: ({ name }) => name },
  { head: "POPS", cell: ({ pops }) => String(pops) },
  { head: "OPENS", cell: ({ opens = "-" }) => opens },
  { head: "OVER", cell: ({ ends = "-" }) => ends },
  {
    head: "APPROVAL BY",
    cell: ({ name }) => {
      const approval = approvals.find(({ wave }) => wave === name);
      return approval === undefined ? "" : (approval.by ?? "-");
    },
  },
];

/** A digest is too long for a column. */
const approvalLines = ({ approvals }: RolloutPlan): string =>
  approvals
    .map(({ action, wave, digest = `that is ${DIGEST_LATER}` }) => {
      const what = wave === undefined ? `Approval with action ${action}` : `wave ${wave} opens on an Approval`;
      return `${wrapped(`${what} for digest ${digest}`, WIDTH, "  ")}\n`;
    })
    .join("");

function leftOutLines({ leftOut }: RolloutPlan): string {
  if (leftOut.length === 0) return "";
  const lines = leftOut
    .slice(0, MOST_LEFT_OUT)
    .map(({ reason, message }) => `${wrapped(`left out: ${message} (${reason})`, WIDTH, "  ")}\n`);
  const more = leftOut.length - lines.length;
  return `\n${lines.join("")}${more > 0 ? `and ${more} more PoPs are left out; -o json names them\n` : ""}`;
}

interface Column<Row> {
  readonly head: string;
  readonly cell: (row: Row) => string;
  /** Left away from the end of the list on where a line would be too long. */
  readonly isExtra?: true;
}

/** Reasons are the same for many PoPs, and long: each stands once, below. */
function popTable(pops: readonly PopForecast[]): string {
  const notes = [...new Set(pops.flatMap(({ why }) => why ?? []))];
  const touched = pops.some(({ sites }) => sites !== undefined && sites.seconds + sites.minutes > 0);
  const columns: readonly Column<PopForecast>[] = [
    { head: "POP", cell: ({ pop }) => pop },
    { head: "WAVE", cell: ({ wave }) => wave || "-" },
    { head: "REGION", cell: ({ region = "-" }) => region, isExtra: true },
    { head: "NODES", cell: ({ nodes }) => String(nodes) },
    { head: "STARTS", cell: ({ start, timeZone }) => (start === undefined ? "-" : localTime(start, timeZone)) },
    { head: "DONE", cell: doneCell },
    { head: "ZONE", cell: ({ timeZone }) => timeZone },
    ...(touched ? [{ head: "SITES", cell: sitesCell, isExtra: true as const }] : []),
    ...(notes.length > 0
      ? [{ head: "NOTE", cell: ({ why }: PopForecast) => (why === undefined ? "" : `[${notes.indexOf(why) + 1}]`) }]
      : []),
  ];
  const below = notes.map((why, index) => `${wrapped(`[${index + 1}] ${why}`, WIDTH, "    ")}\n`);
  return `${narrow(columns, pops)}${below.length === 0 ? "" : `\n${below.join("")}`}`;
}

/** A table in lines of at most 120 characters. */
function narrow<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const kept = fitting(columns, rows);
  return alignedTable(
    kept.map(({ head }) => head),
    rows.map((row) => kept.map(({ cell }) => cell(row))),
  );
}

/** Without the extra columns that have no room, the last first; then with the cells of the longest column cut. */
function fitting<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly Column<Row>[] {
  const widths = columns.map(({ head, cell }) => Math.max(head.length, ...rows.map((row) => cell(row).length)));
  const over = widths.reduce((sum, width) => sum + width, 2 * (columns.length - 1)) - WIDTH;
  if (over <= 0) return columns;
  const extra = columns.findLastIndex(({ isExtra }) => isExtra === true);
  if (extra >= 0) return fitting(columns.toSpliced(extra, 1), rows);
  const longest = widths.indexOf(Math.max(...widths));
  const { head, cell } = columns[longest]!;
  const most = Math.max(widths[longest]! - over, LEAST);
  if (most >= widths[longest]!) return columns;
  const cut = (text: string): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  return fitting(columns.toSpliced(longest, 1, { head, cell: (row) => cut(cell(row)) }), rows);
}

/** `2026-11-22T01:00+01:00`, the zone stands in a column of its own. */
const localTime = (instant: string, zone: string): string => formatZoned(Date.parse(instant), zone).replace(/\[.*\]$/, "");

/** The date is left away where it is that of the start; a PoP that needs several windows says how many. */
function doneCell({ start, end, timeZone, windows }: PopForecast): string {
  if (end === undefined) return "-";
  const done = localTime(end, timeZone);
  const more = windows.length > 1 ? ` (${windows.length} windows)` : "";
  const sameDay = start !== undefined && localTime(start, timeZone).slice(0, 10) === done.slice(0, 10);
  return `${sameDay ? done.slice(11) : done}${more}`;
}

/** Sites that feel seconds, and those whose only tunnel ends here. */
const sitesCell = ({ sites }: PopForecast): string => (sites === undefined ? "" : `${sites.seconds} s, ${sites.minutes} min`);
