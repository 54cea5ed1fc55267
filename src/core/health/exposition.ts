/**
 * The Prometheus text format, as data planes export it. Sixty lines of our own: the parser for it on npm keeps numbers as text, builds
 * all families of a page and knows no bounds, and a data plane that answers with rubbish must cost us one Unknown and nothing else
 * (invariant I19).
 */
export interface MetricSample {
  /** The sample's name as it stands on the line: `pop_session_reconnect_seconds_bucket`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples beyond this are not read; a page that long is not a data plane's. */
const MAXIMUM_SAMPLES = 20_000;
const MAXIMUM_LABELS = 64;
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\\n]|\\.)*)"\s*(,?)/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", "\\": "\\", '"': '"' };

/**
 * The samples of a page, of the named series only when names are given. Lines that cannot be read are left out and counted: one odd
 * line does not take the evidence of all others away, but the caller can say that it was there.
 */
export function parseExposition(text: string, names?: readonly string[]): { samples: MetricSample[]; unreadableLines: number } {
  const wanted = names === undefined ? undefined : new Set(names);
  const samples: MetricSample[] = [];
  let unreadableLines = 0;
  for (const line of text.split("\n")) {
    if (samples.length >= MAXIMUM_SAMPLES) break;
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const name = NAME.exec(trimmed)?.[0];
    if (name !== undefined && wanted !== undefined && !wanted.has(name)) continue;
    const sample = name === undefined ? undefined : parseSample(name, trimmed);
    if (sample === undefined) unreadableLines += 1;
    else samples.push(sample);
  }
  return { samples, unreadableLines };
}

/** The samples of a histogram that `parseExposition` has to be asked for. */
export const histogramNames = (histogram: string): readonly string[] => [`${histogram}_bucket`, `${histogram}_count`];

function parseSample(name: string, line: string): MetricSample | undefined {
  let rest = line.slice(name.length).trimStart();
  let labels: Record<string, string> = {};
  if (rest.startsWith("{")) {
    const parsed = parseLabels(rest);
    if (parsed === undefined) return undefined;
    labels = parsed.labels;
    rest = rest.slice(parsed.length).trimStart();
  }
  // After the value there may be a time stamp and an OpenMetrics exemplar; neither is of use here.
  const value = parseNumber(rest.split(/\s/, 1)[0] ?? "");
  return value === undefined ? undefined : { name, labels, value };
}

function parseLabels(text: string): { labels: Record<string, string>; length: number } | undefined {
  // No prototype: a label called `__proto__` is a label.
  const labels = Object.create(null) as Record<string, string>;
  LABEL.lastIndex = 1;
  for (let count = 0; count < MAXIMUM_LABELS; count += 1) {
    const start = LABEL.lastIndex;
    const match = LABEL.exec(text);
    if (match === null) return closing(text, start, labels);
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, escaped: string) => ESCAPES[escaped] ?? `\\${escaped}`);
    if (match[3] === "") return closing(text, LABEL.lastIndex, labels);
  }
  return undefined;
}

function closing(
  text: string,
  position: number,
  labels: Record<string, string>,
): { labels: Record<string, string>; length: number } | undefined {
  const brace = text.slice(position).search(/\S/);
  return brace >= 0 && text[position + brace] === "}" ? { labels, length: position + brace + 1 } : undefined;
}

/** A number as Prometheus writes it: `+Inf`, `-Inf` and `NaN` included. Undefined when it is none. */
export function parseNumber(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  return Number(text);
}
