import { cleanText } from "../text.ts";
import { parseExposition, parseNumber } from "./exposition.ts";
import type { ProbeResult } from "./probe.ts";

/** What a call brought back, as the Prober port answers it. */
export interface Answer {
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly body: string;
  readonly milliseconds: number;
  readonly refused?: boolean;
  /** With status 0: who leads there could not be asked, so nothing is known of the other side. */
  readonly unreadable?: boolean;
  readonly truncated?: boolean;
}

const MAXIMUM_SERIES = 1000;
const MAXIMUM_SESSIONS = 200_000;
const DETAIL_LIMIT = 256;

/** An address longer than this is cut where people read it. */
const ADDRESS_LIMIT = 120;

/**
 * An HTTP health check of `url`: 2xx passes, anything else fails, a redirect too. What was asked and the status are the evidence; what the
 * body says is not (rule G12): status, Events and notices are read by more people than the page behind the address is meant for.
 */
export function readHttp(answer: Answer, url: string): ProbeResult {
  const asked = cleanText(`GET ${url}`, ADDRESS_LIMIT);
  const passed = answer.status >= 200 && answer.status < 300;
  if (passed) return { ok: true, detail: `${asked} answered ${answer.status} in ${Math.round(answer.milliseconds)} ms` };
  if (answer.status === 0) {
    const found = unanswered(answer);
    return { ...found, detail: `${asked}: ${found.detail}` };
  }
  return { ok: false, detail: `${asked} answered ${answer.status}`, ...(answer.status === 404 ? { notFound: true } : {}) };
}

/** Metrics of a node: the samples of the series asked for. A page that was cut is unreadable, for what is missing would read as zero. */
export function readMetrics(answer: Answer, names: readonly string[]): ProbeResult {
  const trouble = sourceTrouble(answer);
  if (trouble !== undefined) return trouble;
  const { samples, unreadableLines } = parseExposition(answer.body, names);
  const odd = unreadableLines === 0 ? "" : `, ${unreadableLines} lines could not be read`;
  return { ok: true, metrics: samples, detail: `${samples.length} samples${odd}` };
}

/** Session ids: `["a", "b"]`, or `{"sessions": ["a", "b"]}`. Ids may be numbers; each is kept as text. */
export function readSessions(answer: Answer): ProbeResult {
  const trouble = sourceTrouble(answer);
  if (trouble !== undefined) return trouble;
  const parsed = parseJson(answer.body);
  const ids: unknown = isRecord(parsed) ? parsed["sessions"] : parsed;
  const readable =
    Array.isArray(ids) && ids.length <= MAXIMUM_SESSIONS && ids.every((id) => typeof id === "string" || typeof id === "number");
  if (!readable) return unreadable(`is no list of at most ${MAXIMUM_SESSIONS} session ids, as in ["a","b"] or {"sessions":["a","b"]}`);
  return { ok: true, sessions: ids.map(String), detail: `${ids.length} sessions` };
}

/**
 * An answer of Prometheus' `/api/v1/query`. Whatever is not a plain vector or scalar is unreadable, never a value (rule G9): errors,
 * ranges, native histograms, an answer that was cut. A query that Prometheus cannot parse is told apart, a person has to correct it.
 */
export function readPrometheus(answer: Answer): ProbeResult {
  if (answer.status === 0) return { ...unanswered(answer), unreadable: true };
  if (answer.truncated === true) return unreadable("answered more than is read; aggregate in the query, for example sum(…)");
  const parsed = parseJson(answer.body);
  if (!isRecord(parsed) || parsed["status"] !== "success" || !isRecord(parsed["data"])) return prometheusError(answer, parsed);
  const { resultType, result } = parsed["data"];
  if (resultType === "scalar") return fromSeries([{ series: "{}", value: sampleValue(result) }]);
  if (resultType !== "vector" || !Array.isArray(result))
    return unreadable(`answered a ${cleanText(String(resultType), 32)}, expected an instant vector or a scalar`);
  if (result.length > MAXIMUM_SERIES)
    return unreadable(`answered ${result.length} series, at most ${MAXIMUM_SERIES} are judged; aggregate in the query, for example sum(…)`);
  return fromSeries(
    result.map((one: unknown) =>
      isRecord(one) ? { series: labelText(one["metric"]), value: sampleValue(one["value"]) } : { series: "{}", value: undefined },
    ),
  );
}

/** What Prometheus calls its errors; of another server's page not a word is shown (rule G12). */
const ERROR_TYPES: ReadonlySet<unknown> = new Set([
  "timeout",
  "canceled",
  "execution",
  "bad_data",
  "internal",
  "unavailable",
  "not_found",
  "not_acceptable",
]);

/** Of an error in Prometheus' own form its words are shown where a person has to correct the query, else its type. */
function prometheusError(answer: Answer, parsed: unknown): ProbeResult {
  const { errorType, error } = isRecord(parsed) && parsed["status"] === "error" ? parsed : {};
  const invalidQuery = answer.status === 400 && errorType === "bad_data" && typeof error === "string";
  if (invalidQuery)
    return { ok: false, unreadable: true, invalidQuery, detail: cleanText(`the query does not parse: ${error}`, DETAIL_LIMIT) };
  const said = ERROR_TYPES.has(errorType) ? String(errorType) : answer.body === "" ? "nothing" : "no answer of Prometheus";
  return unreadable(`answered ${answer.status}: ${said}`);
}

function fromSeries(found: readonly { series: string; value: number | undefined }[]): ProbeResult {
  const values = found.map(({ value }) => value).filter((value) => value !== undefined);
  if (values.length < found.length)
    return unreadable("answered a series without a plain value (a native histogram has to go through histogram_quantile or the like)");
  return { ok: true, values, series: found.map(({ series }) => series), detail: `${values.length} series` };
}

/** A sample is `[time, "value"]`. */
const sampleValue = (sample: unknown): number | undefined =>
  Array.isArray(sample) && typeof sample[1] === "string" ? parseNumber(sample[1]) : undefined;

function labelText(metric: unknown): string {
  const labels = isRecord(metric) ? Object.entries(metric) : [];
  return cleanText(`{${labels.map(([name, value]) => `${name}=${JSON.stringify(String(value))}`).join(",")}}`, 200);
}

/** Why a page cannot serve as evidence, if so. */
function sourceTrouble(answer: Answer): ProbeResult | undefined {
  if (answer.status === 0) return { ...unanswered(answer), unreadable: true };
  if (answer.status < 200 || answer.status >= 300) return unreadable(`answered ${answer.status}`);
  return answer.truncated === true ? unreadable("answered more than is read") : undefined;
}

function unanswered(answer: Answer): { ok: false; detail: string; silent?: boolean; refused?: boolean; unreadable?: boolean } {
  const detail = cleanText(answer.body === "" ? "no answer" : answer.body, DETAIL_LIMIT);
  if (answer.unreadable === true) return { ok: false, detail, unreadable: true };
  return answer.refused === true ? { ok: false, detail, refused: true } : { ok: false, detail, silent: true };
}

const unreadable = (detail: string): ProbeResult => ({ ok: false, unreadable: true, detail: cleanText(detail, DETAIL_LIMIT) });

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
