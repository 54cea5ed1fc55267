import { barChart, type BarRow, PATTERNS } from "./bar-chart.ts";
import { durationText } from "./duration-text.ts";
import { CAUSE_WORDS, CAUSES, type MemberTimes } from "./member-times.ts";

/** Rows of the chart; the table beside it has all of them. */
const MOST_ROWS = 200;

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 28 * DAY];
const MOST_TICKS = 8;

/**
 * One bar a PoP against the time since its run began, split by what the time went into. Within a bar the causes are sums, not an order.
 * The four are told apart by pattern and lightness too, and the numbers stand beside the bars and in the table.
 */
export function spentChart(pops: readonly MemberTimes[]): string {
  const drawn = pops.filter(({ total }) => total > 0);
  if (drawn.length === 0) return "";
  const rows = drawn.slice(0, MOST_ROWS);
  const longest = Math.max(...rows.map(({ total }) => total));
  const step = STEPS.find((one) => longest / one <= MOST_TICKS) ?? Math.ceil(longest / MOST_TICKS / DAY) * DAY;
  const end = Math.ceil(longest / step) * step;
  const left = drawn.length - rows.length;
  const chart = barChart({
    id: "chart",
    title: "Calendar time of each PoP by what it was spent on",
    description:
      `${rows.length} ${rows.length === 1 ? "PoP" : "PoPs"}; the longest, ${rows.find(({ total }) => total === longest)!.pop}, took ${durationText(longest)}. ` +
      `Within a bar the causes are summed up, not in the order of time. The table below has every number.${left > 0 ? ` ${left} more PoPs stand in the table only.` : ""}`,
    legend: CAUSES.map((cause) => ({ fill: cause, text: CAUSE_WORDS[cause] })),
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, index) => ({
      at: (index * step) / end,
      text: index === 0 ? "0" : durationText(index * step),
    })),
    rows: rows.map((one) => rowOf(one, end)),
  });
  return `${PATTERNS}\n${chart}`;
}

function rowOf(one: MemberTimes, end: number): BarRow {
  const parts = CAUSES.flatMap((cause, index) => {
    if (one[cause] === 0) return [];
    const from = CAUSES.slice(0, index).reduce((sum, before) => sum + one[before], 0);
    const title = `${one.pop}: ${durationText(one[cause])} ${CAUSE_WORDS[cause]}`;
    return [{ fill: cause, from: from / end, to: (from + one[cause]) / end, title }];
  });
  return { label: one.pop, end: durationText(one.total), parts };
}
