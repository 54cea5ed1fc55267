import { parseNumber, type MetricSample } from "./exposition.ts";
import { judgement, type Judgement } from "./verdict.ts";
import { elapsedText, listText, numberText } from "./wording.ts";

/**
 * How many sessions of one node came back, summed over the pods of its PoP: the `from` series of the data plane's histogram of
 * loss-to-return times (rule P11). Counters only grow, so what a drain did is the difference of two of these.
 */
export interface ReconnectCounts {
  /** Sessions that came back at all. */
  readonly count: number;
  /** Cumulative counts by upper bound in seconds, ascending. Finite bounds only: JSON has no infinity, and `count` says the same. */
  readonly buckets: readonly (readonly [upperBound: number, count: number])[];
}

export const NO_RECONNECTS: ReconnectCounts = { count: 0, buckets: [] };

/**
 * Adds up the histogram over scrapes of the PoP's pods, for sessions that came from `node`. Leave out the pod that is drained: it goes
 * away with its counters, and a sum that shrinks looks like a restart.
 */
export function sumReconnects(
  scrapes: readonly (readonly MetricSample[])[],
  histogram: string,
  fromLabel: string,
  node: string,
): ReconnectCounts {
  const buckets = new Map<number, number>();
  let count = 0;
  for (const sample of scrapes.flat()) {
    if (sample.labels[fromLabel] !== node || !Number.isFinite(sample.value)) continue;
    if (sample.name === `${histogram}_count`) count += sample.value;
    if (sample.name !== `${histogram}_bucket`) continue;
    const bound = parseNumber(sample.labels["le"] ?? "");
    if (bound !== undefined && Number.isFinite(bound)) buckets.set(bound, (buckets.get(bound) ?? 0) + sample.value);
  }
  return { count, buckets: [...buckets].toSorted(([a], [b]) => a - b) };
}

export interface ReconnectQuestion {
  readonly check: string;
  readonly node: string;
  /** Sessions that the node held when its drain began. */
  readonly held: number;
  readonly withinMilliseconds: number;
  /** Percent of `held`. */
  readonly percent: number;
  /** Below this many held sessions nothing is concluded, and nothing blocked. */
  readonly minimumSamples: number;
  /** Elapsed milliseconds since the drain ended; absent while it goes on. */
  readonly drainEndedAgo?: number;
  /** What a scrape may come late: at least its interval and timeout. Milliseconds. */
  readonly slackMilliseconds: number;
  /** Pods of the PoP that could not be read: sessions may have come back there. */
  readonly unreadablePods: number;
  /** Nodes whose counters since the baseline are lost for good, or away with their node: what they took over is not in the counts. */
  readonly missing: { readonly lost: readonly string[]; readonly away: readonly string[] };
  /** How long after the drain counters that are away are waited for. Milliseconds. */
  readonly patienceMilliseconds: number;
}

/**
 * The verdict on a drained node's sessions (rule P11). Healthy as soon as the share is there; Unhealthy only when `within` and the
 * slack have passed since the drain ended, every pod was read, and the share is not there. Sessions that went to another PoP or
 * nowhere are not in the histogram and count as not returned.
 */
export function judgeReconnect(
  question: ReconnectQuestion,
  baseline: ReconnectCounts | undefined,
  now: ReconnectCounts | undefined,
): Judgement {
  const { check, node, held, withinMilliseconds, minimumSamples } = question;
  if (held < Math.max(1, minimumSamples)) return tooFew(question);
  if (baseline === undefined)
    return judgement("Unknown", `${check}: how often sessions of ${node} had returned before its drain is not known`);
  if (now === undefined) return judgement("Unknown", `${check}: no pod of the PoP could be read yet`);
  const returned = now.count - baseline.count;
  if (returned < 0) {
    const verdict =
      (question.drainEndedAgo ?? 0) > limitOf(question) && question.missing.away.length === 0 ? "NotEnoughSamples" : "Unknown";
    if (question.missing.lost.length + question.missing.away.length === 0)
      return judgement(verdict, `${check}: the counters went back by ${-returned}, a pod has restarted since the drain of ${node} began`);
  }
  const range = returnedWithin(baseline, now, withinMilliseconds / 1000);
  const late = returned > range.most ? `, ${returned - range.most} later` : "";
  return judgeShare(
    question,
    range.least,
    range.most,
    `${late}, ${Math.max(0, held - returned)} not seen again${boundsNote(range, withinMilliseconds)}`,
  );
}

/**
 * The same from lists of session ids: the node's sessions seen again on another node **of this PoP**. `seen` are the ids on those
 * nodes, `elsewhere` how many were found at other PoPs, if anybody looked. The time is counted from the end of the drain.
 */
export function judgeSessions(
  question: Omit<ReconnectQuestion, "held">,
  held: readonly string[],
  seen: ReadonlySet<string>,
  elsewhere?: number,
): Judgement {
  const asked = { ...question, held: held.length };
  if (held.length < Math.max(1, question.minimumSamples)) return tooFew(asked);
  const returned = held.filter((id) => seen.has(id)).length;
  const gone = held.length - returned;
  return judgeShare(
    asked,
    returned,
    returned,
    elsewhere === undefined ? `, ${gone} not seen again` : `, ${elsewhere} at another PoP, ${gone - elsewhere} nowhere`,
  );
}

function tooFew({ check, node, held, minimumSamples }: ReconnectQuestion): Judgement {
  return judgement(
    "NotEnoughSamples",
    `${check}: ${node} held ${held} sessions, fewer than the ${Math.max(1, minimumSamples)} that a verdict needs`,
  );
}

/** `least` and `most` differ when no bucket ends at `within`; a verdict is given only where both say the same. */
function judgeShare(question: ReconnectQuestion, least: number, most: number, rest: string): Judgement {
  const { check, node, held, percent, withinMilliseconds, drainEndedAgo, unreadablePods } = question;
  const needed = Math.ceil((held * percent) / 100);
  const within = elapsedText(withinMilliseconds);
  const share = numberText(Math.floor((least * 1000) / held) / 10);
  const found = `${check}: ${least} of ${held} sessions of ${node} returned within ${within} (${share} %, asked for ${percent} %)${rest}`;
  if (least >= needed) return judgement("Healthy", found);
  const limit = limitOf(question);
  const unknown = (why: string): Judgement =>
    judgement(
      "Unknown",
      `${found}${why}`,
      false,
      `${check}: the sessions of ${node} (${held} before its drain) have not been seen to return within ${within}`,
    );
  if (drainEndedAgo === undefined) return unknown("; the node still drains");
  if (drainEndedAgo <= limit) return unknown(`; the drain ended ${elapsedText(drainEndedAgo)} ago, judged after ${elapsedText(limit)}`);
  const cannotTell = withoutCounters(question, drainEndedAgo);
  if (cannotTell) return cannotTell;
  if (unreadablePods > 0) return unknown(`; ${unreadablePods} pods of the PoP could not be read`);
  if (most >= needed) return unknown("");
  return judgement("Unhealthy", found);
}

const limitOf = ({ withinMilliseconds, slackMilliseconds }: Pick<ReconnectQuestion, "withinMilliseconds" | "slackMilliseconds">): number =>
  withinMilliseconds + slackMilliseconds;

/**
 * Counters that fell or went away with their node are no session lost (rule P11): without them the share that is seen is only the least
 * that can have come back. A node that is away is waited for, and named; nothing is concluded without it after a while.
 */
function withoutCounters(question: ReconnectQuestion, drainEndedAgo: number): Judgement | undefined {
  const { check, node, held, missing, patienceMilliseconds } = question;
  const whose = `how many of the ${held} sessions of ${node} came back cannot be told`;
  if (missing.away.length > 0 && drainEndedAgo <= patienceMilliseconds)
    return {
      ...judgement(
        "Unknown",
        `${check}: ${whose}: ${listText(missing.away)}, which may have taken them over, is not Ready, and its counters are away with it; ` +
          `when it is back or deleted, at the latest ${elapsedText(patienceMilliseconds)} after the drain, this goes on without a verdict on them`,
      ),
      endsInMilliseconds: patienceMilliseconds - drainEndedAgo,
    };
  const without = [...missing.lost, ...missing.away];
  if (without.length === 0) return undefined;
  return judgement(
    "NotEnoughSamples",
    `${check}: ${whose}: the counters of ${listText(without)}, which may have taken them over, were lost with a restart or with the node`,
  );
}

/** Sessions back within `seconds`, between the bucket that ends at or before it and the one that ends at or after it. */
function returnedWithin(baseline: ReconnectCounts, now: ReconnectCounts, seconds: number): { least: number; most: number } {
  const bounds = now.buckets.map(([bound]) => bound);
  const below = bounds.filter((bound) => bound <= seconds).at(-1);
  const above = bounds.find((bound) => bound >= seconds);
  return {
    // A counter that fell (its pod has restarted) is no session that came back less than never.
    least: below === undefined ? 0 : Math.max(0, grown(baseline, now, below)),
    most: Math.max(0, above === undefined ? now.count - baseline.count : grown(baseline, now, above)),
  };
}

const boundsNote = ({ least, most }: { least: number; most: number }, within: number): string =>
  least === most ? "" : `; the histogram has no bucket at ${elapsedText(within)}, up to ${most} may have been in time: give it one`;

const at = (counts: ReconnectCounts, bound: number): number => counts.buckets.find(([upper]) => upper === bound)?.[1] ?? 0;
const grown = (baseline: ReconnectCounts, now: ReconnectCounts, bound: number): number => at(now, bound) - at(baseline, bound);

/**
 * The quantile (0.5, 0.95 …) of the return times since the baseline in seconds, linear within its bucket as Prometheus does it; for
 * display only. Undefined when nothing returned. What lies beyond the last finite bound is shown as that bound.
 */
export function reconnectQuantile(baseline: ReconnectCounts, now: ReconnectCounts, quantile: number): number | undefined {
  const returned = now.count - baseline.count;
  const steps = now.buckets.map(([bound]) => [bound, grown(baseline, now, bound)] as const);
  const rank = quantile * returned;
  if (!(rank > 0) || steps.length === 0) return undefined;
  let lower = 0;
  let before = 0;
  for (const [bound, count] of steps) {
    if (count >= rank) return lower + ((bound - lower) * (rank - before)) / (count - before);
    [lower, before] = [bound, count];
  }
  return lower;
}
