import { barChart, type BarRow } from "../../core/explain/report/bar-chart.ts";
import { dayOfLocalTime, formatClock, formatLocalDate, HOUR, parseLocalDate } from "../../core/time/civil.ts";
import { describeInstant, weekdayName } from "../../core/time/format.ts";
import type { ForecastWindow, PopForecast } from "../../simulation/foresight/types.ts";

const MOST_ROWS = 200;
const MOST_TICKS = 9;
const STEPS = [1, 2, 3, 6, 12, 24].map((hours) => hours * HOUR);

interface Row {
  readonly pop: PopForecast;
  readonly window: ForecastWindow;
}

/** The PoPs of one local date: their windows against one axis in UTC, and in them the time in which nodes are taken up. */
export function dateChart(id: string, date: string, pops: readonly PopForecast[]): string {
  const all = pops.flatMap((pop) => pop.windows.filter((window) => window.date === date).map((window): Row => ({ pop, window })));
  const rows = all.slice(0, MOST_ROWS);
  const first = Math.min(...rows.map(({ window }) => Math.min(Date.parse(window.start), Date.parse(window.begins))));
  const last = Math.max(...rows.map(({ window }) => Math.max(Date.parse(window.end), Date.parse(window.ends))));
  const step = STEPS.find((one) => (last - first) / one <= MOST_TICKS) ?? 24 * HOUR;
  const from = Math.floor(first / step) * step;
  const to = Math.max(from + step, Math.ceil(last / step) * step);
  const at = (instant: string): number => (Date.parse(instant) - from) / (to - from);
  const more = all.length > rows.length ? ` ${all.length - rows.length} more PoPs stand in the table only.` : "";
  const late = rows.some(({ pop }) => !pop.fits);
  return barChart({
    id,
    title: `${weekdayName(parseLocalDate(date)!)} ${date}, the date of each PoP`,
    description:
      `${all.length} ${all.length === 1 ? "PoP" : "PoPs"}; the first node is taken up at ${earliest(rows)}, the last is done at ${latest(rows)}. ` +
      `The axis is UTC; the table below has every time in the zone of its PoP too.${more}`,
    legend: [
      { fill: "open", text: "maintenance window" },
      { fill: "working", text: "nodes in hand" },
      ...(late ? [{ fill: "late", text: "nodes in hand, and it does not fit" }] : []),
    ],
    ticks: Array.from({ length: Math.round((to - from) / step) + 1 }, (_, index) => tick(from + index * step, index, from, to, step)),
    rows: rows.map((row) => rowOf(row, at)),
  });
}

function tick(instant: number, index: number, from: number, to: number, step: number) {
  const day = dayOfLocalTime(instant);
  // Said where it begins, for the first tick too; where both would stand on each other, at the second alone.
  const isNew = index === 0 || dayOfLocalTime(instant - step) !== day;
  const next = index === 0 && dayOfLocalTime(instant + step) !== day;
  const text = `${formatClock(instant)}Z`;
  const at = (instant - from) / (to - from);
  return isNew && !next ? { at, text, day: `${weekdayName(day).slice(0, 3)} ${formatLocalDate(day).slice(8)}` } : { at, text };
}

function rowOf({ pop: { pop, timeZone, fits }, window }: Row, at: (instant: string) => number): BarRow {
  const local = (instant: string): string => describeInstant(Date.parse(instant), timeZone);
  return {
    label: pop,
    note: timeZone,
    end: `${window.nodes} ${window.nodes === 1 ? "node" : "nodes"}`,
    parts: [
      {
        fill: "open",
        from: at(window.start),
        to: at(window.end),
        title: `${pop}: window from ${local(window.start)} to ${local(window.end)}`,
      },
      {
        fill: fits ? "working" : "late",
        from: at(window.begins),
        to: at(window.ends),
        title: `${pop}: ${window.nodes} nodes from ${window.begins} to ${window.ends}`,
        isInner: true,
      },
    ],
  };
}

const earliest = (rows: readonly Row[]): string => rows.map(({ window }) => window.begins).toSorted()[0]!;
const latest = (rows: readonly Row[]): string =>
  rows
    .map(({ window }) => window.ends)
    .toSorted()
    .at(-1)!;
