import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import type { Sample } from "../health/probe.ts";
import { type Judgement } from "../health/verdict.ts";
import { judgeReconnect, type ReconnectCounts, reconnectQuantile, sumReconnects } from "../health/reconnect.ts";
import type { Instance } from "./action.ts";
import { healthSpec, reconnectCheck, scrapeKey } from "./health.ts";
import { milliseconds } from "./milliseconds.ts";
import type { DataPlanePod } from "./observation.ts";
import type { NodeView, PopView } from "./view.ts";

/** A scrape older than this says nothing about now; elapsed milliseconds. */
const SCRAPE_FRESH = 5_000;
/** What a scrape may come late: its interval, its timeout and a little. */
const SCRAPE_SLACK = 3_000;

/** The container instance of a data-plane pod that drain calls mean. */
export function instanceOf(pod: DataPlanePod | undefined): Instance | undefined {
  const containerID = pod?.containers[0]?.containerID;
  if (!pod?.address || !containerID) return undefined;
  return { podUID: pod.uid, containerID, address: pod.address };
}

/** The pod that is drained: the one that runs on the node now, whether or not it is Ready. */
export const drainedPod = (node: NodeView): DataPlanePod | undefined => node.pods.find((pod) => !pod.deleting && pod.phase === "Running");

const fresh = (samples: readonly Sample[] | undefined): Sample | undefined => {
  const last = samples?.at(-1);
  return last && last.ageMilliseconds <= SCRAPE_FRESH && last.result.ok ? last : undefined;
};

const metricsOf = (view: PopView, pod: DataPlanePod) => {
  const sample = fresh(view.seen.samples.get(scrapeKey(pod)));
  return sample?.result.ok && sample.result.metrics ? { metrics: sample.result.metrics, ageMilliseconds: sample.ageMilliseconds } : undefined;
};

/** How many sessions the pod holds now, by its own metrics; undefined when nobody can say. */
export function sessionsHeld(view: PopView, pod: DataPlanePod | undefined): { readonly count: number; readonly ageMilliseconds: number } | undefined {
  const metric = view.seen.pop.spec.strategy.drain.sessions?.metric;
  const scrape = metric && pod ? metricsOf(view, pod) : undefined;
  const values = scrape?.metrics.filter((line) => line.name === metric).map((line) => line.value) ?? [];
  if (!scrape || values.length === 0 || values.some((value) => !Number.isFinite(value))) return undefined;
  return { count: Math.round(values.reduce((sum, value) => sum + value, 0)), ageMilliseconds: scrape.ageMilliseconds };
}

export type DrainBaseline = { readonly sessions: number; readonly returned: ReconnectCounts } | { readonly missing: string };

/**
 * What has to be counted before a drain begins, so that P11 can be judged afterwards: the sessions that the node holds, and how
 * many of its earlier sessions had come back. Undefined where the PoP counts no sessions; `missing` says what could not be read.
 */
export function drainBaseline(view: PopView, node: NodeView): DrainBaseline | undefined {
  const { sessions } = view.seen.pop.spec.strategy.drain;
  if (!node.servingPod || !sessions) return undefined;
  const held = sessionsHeld(view, node.servingPod);
  if (!held) return { missing: `${sessions.metric} of pod ${node.servingPod.name} could not be read` };
  const returned = returns(view, node, node.servingPod.uid);
  if (reconnectCheck(view) && returned.unreadable > 0) return { missing: `${returned.unreadable} pods of the PoP could not be read` };
  return { sessions: held.count, returned: returned.counts };
}

/** Sessions from `node` that the PoP's pods have seen come back; the drained pod is left out, because it goes away with its counters. */
function returns(view: PopView, node: NodeView, without: string | undefined): { readonly counts: ReconnectCounts; readonly unreadable: number } {
  const reconnect = reconnectCheck(view)?.reconnect;
  const pods = view.seen.pods.filter((pod) => !pod.deleting && pod.phase === "Running" && pod.uid !== without);
  const scrapes = pods.map((pod) => metricsOf(view, pod)?.metrics);
  const read = scrapes.filter((scrape) => scrape !== undefined);
  const counts = reconnect?.histogram ? sumReconnects(read, reconnect.histogram, reconnect.from, node.member.name) : { count: 0, buckets: [] };
  return { counts, unreadable: scrapes.length - read.length };
}

/** The verdict on the sessions of a node that was drained (P11); undefined where none is due. */
export function judgeReturns(view: PopView, node: NodeView, entry: PopNodeStatus, now: Instant): (Judgement & { readonly p95: number | undefined }) | undefined {
  const check = reconnectCheck(view);
  if (!check?.reconnect || entry.sessions === undefined || !entry.reconnectBaseline) return undefined;
  const { counts, unreadable } = returns(view, node, undefined);
  const baseline = { count: entry.reconnectBaseline.count, buckets: entry.reconnectBaseline.buckets.map(({ le, count }) => [le, count] as const) };
  const found = judgeReconnect(
    {
      check: check.name,
      node: node.member.name,
      held: entry.sessions,
      withinMilliseconds: milliseconds(check.reconnect.within),
      percent: check.reconnect.percent,
      minimumSamples: healthSpec(view).minimumSamples,
      drainEndedAgo: Math.max(0, now - Date.parse(entry.since)),
      slackMilliseconds: SCRAPE_SLACK,
      unreadablePods: unreadable,
    },
    baseline,
    counts,
  );
  return { ...found, p95: reconnectQuantile(baseline, counts, 0.95) };
}

/** Is the drain over: no sessions any more, counted after the drain was heard, or its time is up. */
export function drainOver(view: PopView, node: NodeView, entry: PopNodeStatus, now: Instant): { readonly over: boolean; readonly until: Instant } {
  const { drain } = view.seen.pop.spec.strategy;
  const until = Date.parse(entry.since) + milliseconds(drain.timeout);
  const pod = drainedPod(node);
  if (!drain.start || !pod?.ready || now >= until) return { over: true, until };
  const answer = view.seen.drains.get(node.member.uid);
  const heard = answer?.verb === "start" && answer.token === entry.token && answer.podUID === pod.uid && answer.firstHeardMilliseconds !== undefined;
  const held = sessionsHeld(view, pod);
  return { over: heard && held?.count === 0 && held.ageMilliseconds < answer.firstHeardMilliseconds, until };
}
