/** What a spreadsheet would take for a formula: a name that somebody chose must not compute, nor ask another server. */
const FORMULA = /^[=+\-@\t\r]/;

/** Comma-separated values by RFC 4180, a heading first; formulas are made text by an apostrophe before them. */
export function csvText(heading: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [heading, ...rows].map((row) => `${row.map(cellText).join(",")}\r\n`).join("");
}

function cellText(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export interface CsvRow {
  /** From 1, where it begins in the file. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Reads comma-separated values by RFC 4180: quoted cells may hold commas, line breaks and doubled quotes; lines end with LF or CRLF; a byte
 * order mark and empty lines are passed over. A quote that is not closed, or that stands inside a bare cell, is a problem with its line.
 */
export function readCsv(text: string): { readonly rows: readonly CsvRow[]; readonly problem?: string } {
  const rows: CsvRow[] = [];
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  let [at, line] = [0, 1];
  while (at < source.length) {
    const began = line;
    const cells: string[] = [];
    for (;;) {
      const cell = source[at] === '"' ? quotedCell(source, at) : bareCell(source, at);
      if ("problem" in cell) return { rows, problem: `line ${line}: ${cell.problem}` };
      cells.push(cell.text);
      line += lineBreaks(cell.text);
      at = cell.end;
      if (source[at] !== ",") break;
      at += 1;
    }
    if (source[at] === "\r") at += 1;
    if (at < source.length && source[at] !== "\n") return { rows, problem: `line ${line}: after a closing quote stands no comma; write ,` };
    at += 1;
    line += 1;
    if (cells.length > 1 || cells[0] !== "") rows.push({ line: began, cells });
  }
  return { rows };
}

type Cell = { readonly text: string; readonly end: number } | { readonly problem: string };

function bareCell(source: string, from: number): Cell {
  let end = from;
  while (end < source.length && source[end] !== "," && source[end] !== "\n") end += 1;
  const carriage = source[end - 1] === "\r" && source[end] !== "," && end > from ? 1 : 0;
  const text = source.slice(from, end - carriage);
  return text.includes('"')
    ? { problem: `a quote stands inside ${JSON.stringify(text.slice(0, 40))}; put the whole cell in quotes, and double those inside` }
    : { text, end: end - carriage };
}

function quotedCell(source: string, from: number): Cell {
  for (let end = source.indexOf('"', from + 1); end !== -1; end = source.indexOf('"', end + 2)) {
    if (source[end + 1] === '"') continue;
    return { text: source.slice(from + 1, end).replaceAll('""', '"'), end: end + 1 };
  }
  return { problem: "a quote is opened and not closed; close it, or take it out" };
}

const lineBreaks = (text: string): number => text.split("\n").length - 1;
