import { spentChart } from "./chart.ts";
import { escapeHtml } from "./escape-html.ts";
import type { Report } from "./report.ts";
import { DURATIONS, tablesOf, type Table } from "./tables.ts";

/**
 * A report as one HTML page that needs nothing else: no script, no font, no request. Every text of the report is escaped (G12), and the
 * page forbids itself to load anything, should a browser see it otherwise. It is well-formed XML too.
 */
export function reportHtml(report: Report): string {
  const title = escapeHtml(report.title);
  return [
    "<!DOCTYPE html>",
    '<html lang="en" xmlns="http://www.w3.org/1999/xhtml">',
    "<head>",
    '<meta charset="utf-8"/>',
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    "</head>",
    "<body>",
    "<main>",
    `<h1>${title}</h1>`,
    "<ul>",
    ...report.summary.map((line) => `<li>${escapeHtml(line)}</li>`),
    "</ul>",
    ...tablesOf(report).map((table) => section(table, table.title === DURATIONS ? spentChart(report.durations.pops) : "")),
    "</main>",
    `<footer>Written ${escapeHtml(report.asOf)} from what stood in the cluster then.</footer>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function section({ title, heading, rows, empty, note, sums }: Table, chart: string): string {
  const last = rows.length - 1;
  const cells = (row: readonly string[]): string =>
    row.map((cell, index) => (index === 0 ? `<th scope="row">${escapeHtml(cell)}</th>` : `<td>${escapeHtml(cell)}</td>`)).join("");
  const body = rows.map((row, index) => `<tr${sums === true && index === last ? ' class="sum"' : ""}>${cells(row)}</tr>`);
  const head = `<thead><tr>${heading.map((one) => `<th scope="col">${escapeHtml(one)}</th>`).join("")}</tr></thead>`;
  const table = `<div class="wide" role="region" tabindex="0" aria-label="${escapeHtml(title)}"><table>${head}<tbody>\n${body.join("\n")}\n</tbody></table></div>`;
  return [
    "<section>",
    `<h2>${escapeHtml(title)}</h2>`,
    ...(chart === "" ? [] : [`<figure>${chart}</figure>`]),
    rows.length === 0 ? `<p>${escapeHtml(empty)}</p>` : table,
    ...(note === undefined ? [] : [`<p class="note">${escapeHtml(note)}</p>`]),
    "</section>",
  ].join("\n");
}

/** Light and dark as the reader has it; the four fills differ in lightness and pattern, so they can be told apart without hue. */
const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --quiet: #57606a; --ground: #ffffff; --line: #d0d7de; --working: #0b3d91; --window: #8fb8de; --window-ink: #3d6a94; --people: #ffe0b0; --people-ink: #9a5b00; --soaking: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9da7b3; --ground: #0d1117; --line: #3d444d; --working: #a5c8ff; --window: #1f4166; --window-ink: #6ea8dc; --people: #4a3200; --people-ink: #ffc46b; --soaking: #0d1117; } }
body { margin: 0; padding: 1rem 2rem; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 80rem; margin: 0 auto; }
figure { margin: 1rem 0; }
svg { width: 100%; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); }
svg .small { font-size: 12px; fill: var(--quiet); }
svg .tick { stroke: var(--line); stroke-width: 1; }
svg .bar { stroke: var(--text); stroke-width: 1; }
svg .working { fill: var(--working); }
svg .window { fill: url(#window); }
svg .people { fill: url(#people); }
svg .soaking { fill: var(--soaking); }
svg .window-ground { fill: var(--window); }
svg .window-ink { fill: var(--window-ink); }
svg .people-ground { fill: var(--people); }
svg .people-ink { fill: var(--people-ink); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; }
th, td { padding: 0.25rem 0.75rem 0.25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tr.sum { font-weight: 600; }
.note, footer { color: var(--quiet); font-size: 0.875rem; }
footer { max-width: 80rem; margin: 2rem auto 0; }
`;
