import { escapeHtml } from "./escape-html.ts";
import { textHtml } from "./page.ts";

export interface BarChart {
  /** Distinct on its page. */
  readonly id: string;
  readonly title: string;
  /** What the chart shows, for who does not see it; said below the title too. */
  readonly description: string;
  readonly legend: readonly { readonly fill: string; readonly text: string }[];
  /** `at` from 0, the left end, to 1; `day` stands above the text. */
  readonly ticks: readonly { readonly at: number; readonly text: string; readonly day?: string }[];
  readonly rows: readonly BarRow[];
}

export interface BarRow {
  readonly label: string;
  /** Said after the label, quietly. */
  readonly note?: string;
  /** Said behind the bars. */
  readonly end: string;
  readonly parts: readonly {
    readonly fill: string;
    readonly from: number;
    readonly to: number;
    readonly title: string;
    /** A part drawn inside another. */
    readonly isInner?: boolean;
  }[];
}

const HEIGHT = 22;

/**
 * Bars against one axis as markup that is as wide as its place. Lengths are percentages, so that names and patterns keep their size on
 * any screen. For who does not see it the chart is one picture with title and description.
 */
export function barChart({ id, title, description, legend, ticks, rows }: BarChart): string {
  const kept = keptWhereNarrow(ticks);
  const lines = ticks.map(({ at }) => `<line class="tick" x1="${percent(at)}" y1="0" x2="${percent(at)}" y2="${HEIGHT}"/>`).join("");
  return [
    "<figure>",
    `<figcaption><strong id="${id}-title">${textHtml(title)}.</strong> <span id="${id}-desc">${textHtml(description)}</span></figcaption>`,
    `<div role="img" aria-labelledby="${id}-title" aria-describedby="${id}-desc">`,
    `<div class="legend">${legend.map(({ fill, text }) => `<span>${SWATCH(fill)}${escapeHtml(text)}</span>`).join("")}</div>`,
    `<div class="axis"><div class="scale">${ticks.map((one, index) => tick(one, kept.has(index))).join("")}</div></div>`,
    ...rows.map((row) => rowHtml(row, lines)),
    "</div>",
    "</figure>",
  ].join("\n");
}

/** Solid, stripes, dots and outline, once on each page: the four are different without any colour. */
export const PATTERNS = `<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs>
<pattern id="window" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="window-ground" width="8" height="8"/><rect class="window-ink" width="3" height="8"/></pattern>
<pattern id="people" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="people-ground" width="6" height="6"/><circle class="people-ink" cx="3" cy="3" r="1.6"/></pattern>
</defs></svg>`;

const SWATCH = (fill: string): string => `<svg width="22" height="14"><rect class="bar ${fill}" x="1" y="1" width="20" height="12"/></svg>`;

/** Where there is no room for all labels of the axis, no two neighbours are shown, and those that begin a day rather than others. */
function keptWhereNarrow(ticks: BarChart["ticks"]): ReadonlySet<number> {
  const kept = new Set<number>();
  const isFree = (index: number): boolean => !kept.has(index - 1) && !kept.has(index + 1);
  for (const [index, { day }] of ticks.entries()) if (day !== undefined && isFree(index)) kept.add(index);
  for (const index of ticks.keys()) if (isFree(index)) kept.add(index);
  return kept;
}

function tick({ at, text, day }: BarChart["ticks"][number], isKept: boolean): string {
  return `<span${isKept ? "" : ' class="spare"'} style="left:${percent(at)}">${day === undefined ? "" : `<b>${escapeHtml(day)}</b>`}${escapeHtml(text)}</span>`;
}

function rowHtml({ label, note, end, parts }: BarRow, lines: string): string {
  const bars = parts.map(({ fill, from, to, title, isInner }) => {
    const [y, height] = isInner === true ? [7, HEIGHT - 14] : [3, HEIGHT - 6];
    // What took a moment of a week is there to be seen, too.
    const width = Math.max(0.15, round(to * 100) - round(from * 100));
    return `<rect class="bar ${fill}" x="${percent(from)}" y="${y}" width="${round(width)}%" height="${height}"><title>${escapeHtml(title)}</title></rect>`;
  });
  const said = note === undefined ? "" : ` <i>${escapeHtml(note)}</i>`;
  return `<div class="row"><div class="label" title="${escapeHtml(label)}">${escapeHtml(label)}${said}</div><svg class="track">${lines}${bars.join("")}</svg><div class="end">${escapeHtml(end)}</div></div>`;
}

const round = (value: number): number => Math.round(value * 100) / 100;
const percent = (fraction: number): string => `${round(fraction * 100)}%`;
