import { durationText } from "./duration-text.ts";
import { CAUSE_WORDS, CAUSES, type MemberTimes } from "./member-times.ts";
import { escapeHtml } from "./escape-html.ts";

const WIDTH = 960;
const NAMES = 150;
const TOTALS = 100;
const TOP = 56;
const ROW = 26;
const BAR = 16;
/** Rows of the chart; the table beside it has all of them. */
const MOST_ROWS = 200;
/** Characters of a name that fit beside the bars. */
const NAME_LENGTH = 20;

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
  const height = TOP + rows.length * ROW + 8;
  const x = (milliseconds: number): number => NAMES + ((WIDTH - NAMES - TOTALS) * milliseconds) / end;
  const left = drawn.length - rows.length;
  const desc =
    `${rows.length} ${rows.length === 1 ? "PoP" : "PoPs"}; the longest, ${rows.find(({ total }) => total === longest)!.pop}, took ${durationText(longest)}. ` +
    `Within a bar the causes are summed up, not in the order of time. The table below has every number.${left > 0 ? ` ${left} more PoPs stand in the table only.` : ""}`;
  return [
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="chart-title chart-desc" xmlns="http://www.w3.org/2000/svg">`,
    `<title id="chart-title">Calendar time of each PoP by what it was spent on</title>`,
    `<desc id="chart-desc">${escapeHtml(desc)}</desc>`,
    PATTERNS,
    ...legend(),
    ...ticks(end, step, x, height),
    ...rows.flatMap((one, index) => bar(one, TOP + index * ROW, x)),
    "</svg>",
  ].join("\n");
}

/** Solid, stripes, dots and outline: the four are different without any colour. */
const PATTERNS = `<defs>
<pattern id="window" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="window-ground" width="8" height="8"/><rect class="window-ink" width="3" height="8"/></pattern>
<pattern id="people" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="people-ground" width="6" height="6"/><circle class="people-ink" cx="3" cy="3" r="1.6"/></pattern>
</defs>`;

function legend(): string[] {
  return CAUSES.flatMap((cause, index) => {
    const left = NAMES + index * 190;
    return [
      `<rect class="bar ${cause}" x="${left}" y="6" width="22" height="14"/>`,
      `<text x="${left + 28}" y="17">${escapeHtml(CAUSE_WORDS[cause])}</text>`,
    ];
  });
}

function ticks(end: number, step: number, x: (milliseconds: number) => number, height: number): string[] {
  return Array.from({ length: Math.round(end / step) + 1 }, (_, index) => index * step).flatMap((at) => [
    `<line class="tick" x1="${round(x(at))}" y1="${TOP - 8}" x2="${round(x(at))}" y2="${height - 8}"/>`,
    `<text class="small" x="${round(x(at))}" y="${TOP - 14}" text-anchor="middle">${at === 0 ? "0" : durationText(at)}</text>`,
  ]);
}

function bar(one: MemberTimes, top: number, x: (milliseconds: number) => number): string[] {
  const name = one.pop.length > NAME_LENGTH ? `${one.pop.slice(0, NAME_LENGTH - 1)}…` : one.pop;
  const parts = CAUSES.map((cause, index) => {
    const from = CAUSES.slice(0, index).reduce((sum, before) => sum + one[before], 0);
    const width = round(x(from + one[cause]) - x(from));
    if (one[cause] === 0) return "";
    const title = escapeHtml(`${one.pop}: ${durationText(one[cause])} ${CAUSE_WORDS[cause]}`);
    return `<rect class="bar ${cause}" x="${round(x(from))}" y="${top}" width="${width}" height="${BAR}"><title>${title}</title></rect>`;
  });
  return [
    `<text x="${NAMES - 8}" y="${top + 13}" text-anchor="end">${escapeHtml(name)}</text>`,
    ...parts.filter((part) => part !== ""),
    `<text class="small" x="${round(x(one.total)) + 6}" y="${top + 12}">${escapeHtml(durationText(one.total))}</text>`,
  ];
}

const round = (value: number): number => Math.round(value * 100) / 100;
