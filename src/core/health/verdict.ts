import type { CheckStatus, HealthCheck } from "../../api/pop-cluster.ts";
import { cleanText } from "../text.ts";
import { parseThresholds, type Thresholds } from "./comparison.ts";
import type { ProbeResult, ProbeTiming, Sample } from "./probe.ts";
import { elapsedText, listText, numberText } from "./wording.ts";

export type Verdict = CheckStatus["verdict"];

/** A verdict with what it rests on, ready for status (rule P9). */
export interface Judgement {
  readonly verdict: Verdict;
  /** Query, value, series and age, in words; stripped and capped (rule G12). */
  readonly evidence: string;
  /** The evidence without what changes by the second (ages, latencies, counts so far): what holds and messages are made of (rule G11). */
  readonly finding: string;
  /** Nothing answered in the samples that decided. With most members silent at once, ask the witness before believing it. */
  readonly silent: boolean;
  /**
   * Only where it proves little by itself, because nothing answers, nobody listens, or no good sample was ever seen: for how long that has
   * been so, as far as samples reach back; elapsed milliseconds.
   */
  readonly doubtfulMilliseconds?: number;
  /** Unknown only because what was read does not agree for long enough: the source speaks, the subject wobbles (rule P4). */
  readonly undecided?: boolean;
  /** Unknown only for a while: in so many milliseconds it ends by itself, whatever is read by then (rule P11). */
  readonly endsInMilliseconds?: number;
}

export const EVIDENCE_LIMIT = 1024;

/** The part of a check that is judged by consecutive samples; a reconnect check is judged by `judgeReconnect`. */
export type SampledCheck = Pick<HealthCheck, "name" | "http" | "tcp" | "prometheus" | "successes" | "failures">;

/** How a probe asks, and for Prometheus what: the query with the names filled in, which evidence shows so that it can be asked again. */
type AskedTiming = ProbeTiming & { readonly query?: string };

/**
 * Judges one check by its samples, oldest first (rules P9, G9). The last `successes` good: Healthy; the last `failures` bad: Unhealthy;
 * in between the previous verdict stands. Only what follows each other without a gap counts, so one blip a day never adds up. No
 * sample, a newest one that cannot be read or is older than three intervals and a timeout: Unknown, whatever was believed before.
 *
 * `previous` is this check's last verdict on the *same* key; the verdict on another pod or run must not be handed in.
 */
export function judge(check: SampledCheck, samples: readonly Sample[], timing: AskedTiming, previous?: Verdict): Judgement {
  const thresholds = check.prometheus === undefined ? undefined : parseThresholds(check.prometheus);
  if (thresholds?.ok === false) return judgement("Unknown", `${check.name}: ${thresholds.problem}`);
  const newest = samples.at(-1);
  if (newest === undefined) return judgement("Unknown", `${check.name}: no sample yet`);

  const patience = stalenessLimit(timing);
  const ageText = `${elapsedText(newest.ageMilliseconds)} ago`;
  if (newest.ageMilliseconds > patience) {
    return judgement(
      "Unknown",
      `${check.name}: the last sample is ${elapsedText(newest.ageMilliseconds)} old, expected one within ${elapsedText(patience)}`,
      false,
      `${check.name}: the last sample is too old, expected one within ${elapsedText(patience)}`,
    );
  }
  const read = (sample: Sample): Reading => readSample(check, sample.result, thresholds?.thresholds);
  const latest = read(newest);
  const subject = check.prometheus === undefined ? check.name : `${check.name}: ${timing.query ?? check.prometheus.query}`;
  const found = `${subject}: ${latest.finding}`;
  if (latest.mark === "Unknown") return judgement("Unknown", `${found}, ${ageText}`, latest.silent, found);

  const run = latestRun(samples, patience, read);
  const silent = run.every((reading) => reading.silent);
  if (latest.mark === "Good" && run.length >= check.successes)
    return judgement("Healthy", `${found}, ${times(run.length)} in a row, ${ageText}`, false, `${subject}: passes`);
  if (latest.mark === "Bad" && run.length >= check.failures) {
    const bad = judgement("Unhealthy", `${found}, ${times(run.length)} in a row, ${ageText}`, silent, `${subject}: fails`);
    const doubtful = run.every((reading) => reading.silent || reading.refused) || !samples.some((sample) => read(sample).mark === "Good");
    return doubtful ? { ...bad, doubtfulMilliseconds: samples[samples.length - run.length]!.ageMilliseconds } : bad;
  }
  const needed = latest.mark === "Good" ? check.successes : check.failures;
  const progress = latest.mark === "Between" ? "between passIf and failIf" : `${run.length} of ${needed} in a row`;
  const open = latest.mark === "Between" ? progress : `not yet ${needed} in a row that say the same`;
  const undecided = judgement(previous ?? "Unknown", `${found}, ${progress}, ${ageText}`, latest.silent, `${subject}: ${open}`);
  // The source has only just come back: that nothing is decided yet is its absence, and no wobble of the subject (G9).
  const before = samples[samples.length - run.length - 1];
  const afterAbsence = latest.mark === "Good" && before !== undefined && read(before).mark === "Unknown";
  return afterAbsence ? undecided : { ...undecided, undecided: true };
}

/** From this age on the newest sample says nothing any more; elapsed milliseconds. */
export const stalenessLimit = (timing: ProbeTiming): number => 3 * timing.intervalMilliseconds + timing.timeoutMilliseconds;

/** Several judgements as one: Unhealthy lists every cause; doubt outweighs what is healthy; too few samples block nothing (rule P11). */
export function combine(judgements: readonly Judgement[]): Judgement {
  const of = (verdict: Verdict) => judgements.filter((one) => one.verdict === verdict);
  for (const verdict of ["Unhealthy", "Unknown"] as const) {
    const causes = of(verdict);
    if (causes.length > 0)
      return {
        ...judgement(
          verdict,
          causes.map((one) => one.evidence).join("; "),
          causes.every((one) => one.silent),
          causes.map((one) => one.finding).join("; "),
        ),
        ...(causes.every((one) => one.undecided) ? { undecided: true } : {}),
        ...(causes.every((one) => one.doubtfulMilliseconds !== undefined)
          ? { doubtfulMilliseconds: Math.min(...causes.map((one) => one.doubtfulMilliseconds!)) }
          : {}),
      };
  }
  const healthy = of("Healthy");
  const few = of("NotEnoughSamples");
  if (healthy.length === 0 && few.length > 0) return judgement("NotEnoughSamples", few.map((one) => one.evidence).join("; "));
  return judgement("Healthy", healthy.length === 0 ? "no checks are set" : healthy.map((one) => one.evidence).join("; "));
}

/** A judgement whose evidence is fit for status. */
export function judgement(verdict: Verdict, evidence: string, silent = false, finding = evidence): Judgement {
  return { verdict, evidence: cleanText(evidence, EVIDENCE_LIMIT), finding: cleanText(finding, EVIDENCE_LIMIT), silent };
}

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

interface Reading {
  readonly mark: "Good" | "Bad" | "Between" | "Unknown";
  readonly finding: string;
  readonly silent: boolean;
  readonly refused?: boolean;
}

/** The samples at the end of the list that say the same and follow each other: a pause of the sampler ends a run like a change of mind. */
function latestRun(samples: readonly Sample[], patience: number, read: (sample: Sample) => Reading): Reading[] {
  const run: Reading[] = [];
  let later: Sample | undefined;
  for (const sample of samples.toReversed()) {
    const reading = read(sample);
    if (run[0] !== undefined && reading.mark !== run[0].mark) break;
    if (later !== undefined && sample.ageMilliseconds - later.ageMilliseconds > patience) break;
    run.push(reading);
    later = sample;
  }
  return run;
}

function readSample(check: SampledCheck, result: ProbeResult, thresholds: Thresholds | undefined): Reading {
  if (!result.ok) {
    const silent = result.silent === true;
    // A Prometheus that does not answer tells nothing of the PoP.
    const unreadable = result.unreadable === true || check.prometheus !== undefined;
    return { mark: unreadable ? "Unknown" : "Bad", finding: result.detail, silent, refused: result.refused === true };
  }
  if (thresholds === undefined) return { mark: "Good", finding: result.detail, silent: false };
  return readSeries(result.values ?? [], result.series ?? [], thresholds);
}

/** All series must pass; any series that fails is enough. A series that is NaN does not excuse one that fails (rule G9). */
function readSeries(values: readonly number[], series: readonly string[], { passIf, failIf }: Thresholds): Reading {
  const name = (index: number): string => `${series[index] ?? "{}"} ${numberText(values[index]!)}`;
  const indexes = values.map((_, index) => index);
  const numbers = indexes.filter((index) => !Number.isNaN(values[index]));
  const fails = failIf === undefined ? (value: number) => !passIf.holds(value) : failIf.holds;
  const bad = numbers.filter((index) => fails(values[index]!));
  const reading = (mark: Reading["mark"], finding: string): Reading => ({ mark, finding, silent: false });
  if (values.length === 0) return reading("Unknown", "the answer is empty, so nothing is known");
  if (bad.length > 0) {
    const asked = failIf === undefined ? `, asked for ${passIf.text}` : `, which fails at ${failIf.text}`;
    return reading("Bad", `${listText(bad.map(name))}${asked}`);
  }
  if (numbers.length < values.length) {
    return reading(
      "Unknown",
      `${listText(indexes.filter((index) => Number.isNaN(values[index])).map(name))} is no number, so nothing is known`,
    );
  }
  const notPassed = numbers.filter((index) => !passIf.holds(values[index]!));
  if (notPassed.length > 0) return reading("Between", `${listText(notPassed.map(name))}, asked for ${passIf.text}`);
  return reading("Good", `${listText(indexes.map(name))}, asked for ${passIf.text}`);
}
