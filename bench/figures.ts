// How results are written down: the median with minimum and maximum, a target where there is one, and whether it was met.

export interface Row {
  readonly what: string;
  readonly value: string;
  readonly target?: string;
  readonly met?: boolean;
  /** A count that does not depend on the machine: missed, the run ends with 1. */
  readonly gated?: boolean;
}

export interface Figures {
  readonly title: string;
  /** What was run on what, and how it was measured. */
  readonly how: string;
  readonly rows: readonly Row[];
}

/** The value that `share` of the values do not exceed; the values need no order. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** `12.3 ms (11.0 to 14.2, n = 5)`: median, minimum, maximum. */
export function spread(values: readonly number[], unit: string, digits = 0): string {
  const text = (value: number) => value.toFixed(digits);
  return `${text(median(values))} ${unit} (${text(Math.min(...values))} to ${text(Math.max(...values))}, n = ${values.length})`;
}

const verdict = ({ met }: Row): string => (met === undefined ? "" : met ? "met" : "**missed**");

/** As a Markdown section. */
export function markdown({ title, how, rows }: Figures): string {
  const lines = rows.map((row) => `| ${row.what} | ${row.value} | ${row.target ?? ""} | ${verdict(row)} |`);
  return [`## ${title}`, "", `${how}.`, "", "| | measured | target | |", "| --- | --- | --- | --- |", ...lines, ""].join("\n");
}

export function printFigures(figures: Figures): void {
  console.log(markdown(figures));
}
