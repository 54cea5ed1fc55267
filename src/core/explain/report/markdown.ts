import type { Report } from "./report.ts";
import { tablesOf, type Table } from "./tables.ts";

/** A report as Markdown: one heading a section, tables in the form that GitHub and others read. What others wrote stays text (G12). */
export function reportMarkdown(report: Report): string {
  const parts = [
    `# ${escapeMarkdown(report.title)}`,
    report.summary.map((line) => `- ${escapeMarkdown(line)}`).join("\n"),
    ...tablesOf(report).map(tableMarkdown),
    `Written ${escapeMarkdown(report.asOf)} from what stood in the cluster then.`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function tableMarkdown({ title, heading, rows, empty, note, sums }: Table): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const last = rows.length - 1;
  const lines = rows.map((cells, index) => {
    const texts = cells.map(escapeMarkdown);
    return row(sums === true && index === last ? texts.map((text) => `**${text}**`) : texts);
  });
  const table = rows.length === 0 ? [empty] : [[row(heading), row(heading.map(() => "---")), ...lines].join("\n")];
  return [`## ${title}`, ...table, ...(note === undefined ? [] : [escapeMarkdown(note)])].join("\n\n");
}

/** Markdown's own signs, those that begin markup of HTML included; a line that begins with one is no list and no heading. */
const SIGNS = /[\\`*_{}[\]<>|#!~&]|^[-+=]/g;
const escapeMarkdown = (text: string): string => text.replace(SIGNS, (sign) => `\\${sign}`);
