import { spentChart } from "./chart.ts";
import { escapeHtml } from "./escape-html.ts";
import { htmlPage, tableHtml, textHtml } from "./page.ts";
import type { Report } from "./report.ts";
import { DURATIONS, tablesOf, type Table } from "./tables.ts";

/** A report as one HTML page that needs nothing else. Every text of the report is escaped (G12). */
export function reportHtml(report: Report): string {
  return htmlPage({
    title: report.title,
    main: [
      `<h1>${escapeHtml(report.title)}</h1>`,
      `<p class="verdict">${report.inProgress ? "in progress" : "over"}</p>`,
      '<ul class="summary">',
      ...report.summary.map((line) => `<li>${textHtml(line)}</li>`),
      "</ul>",
      ...tablesOf(report).map((table) => section(table, table.title === DURATIONS ? spentChart(report.durations.pops) : "")),
    ],
    footer: `Written ${textHtml(report.asOf)} from what stood in the cluster then. Times that name no zone are UTC.`,
  });
}

function section({ title, heading, rows, empty, note, sums }: Table, chart: string): string {
  const last = rows.length - 1;
  return [
    "<section>",
    `<h2>${escapeHtml(title)}</h2>`,
    ...(chart === "" ? [] : [chart]),
    rows.length === 0 ? `<p>${escapeHtml(empty)}</p>` : tableHtml(title, heading, rows, (row) => sums === true && row === last),
    ...(note === undefined ? [] : [`<p class="note">${textHtml(note)}</p>`]),
    "</section>",
  ].join("\n");
}
