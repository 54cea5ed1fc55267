import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { judgeReconnect, judgeSessions, type ReconnectCounts, reconnectQuantile } from "../health/reconnect.ts";
import { type Judgement, judgement } from "../health/verdict.ts";
import type { Instance } from "./action.ts";
import { missingCounters } from "./counters.ts";
import { healthSpec } from "./health-spec.ts";
import { milliseconds } from "./milliseconds.ts";
import type { DataPlanePod, DrainAnswer } from "./observation.ts";
import { countsSessions, idsElsewhere, reconnectCheck, returnCounts, sessionsHeld } from "./scrape.ts";
import type { NodeView, PopView } from "./view.ts";

/** What a scrape may come late: its interval, its timeout and a little. */
const SCRAPE_SLACK = 3_000;

/** The container instance of a data-plane pod that drain calls mean. */
export function instanceOf(pod: DataPlanePod | undefined): Instance | undefined {
  const containerID = pod?.containers[0]?.containerID;
  if (!pod?.address || !containerID) return undefined;
  return { podUID: pod.uid, containerID, address: pod.address, pod: { name: pod.name, namespace: pod.namespace } };
}

/** Did that very container answer: after a reboot the pod is the same, and its container knows of no drain. */
export const isOf = (answer: DrainAnswer, { podUID, containerID }: Instance): boolean =>
  answer.podUID === podUID && answer.containerID === containerID;

/** The pod that is drained: the one that runs on the node now, whether or not it is Ready. */
export const drainedPod = (node: NodeView): DataPlanePod | undefined => node.pods.find((pod) => !pod.deleting && pod.phase === "Running");

export type DrainBaseline = { readonly sessions: number; readonly returned: ReconnectCounts } | { readonly missing: string };

/**
 * What has to be counted before a drain begins, so that P11 can be judged afterwards: the sessions that the node holds, and how
 * many of its earlier sessions had come back. Undefined where the PoP counts no sessions; `missing` says what could not be read.
 */
export function drainBaseline(view: PopView, node: NodeView): DrainBaseline | undefined {
  if (!node.servingPod || !countsSessions(view)) return undefined;
  const held = sessionsHeld(view, node.servingPod);
  if (!held) return { missing: `the sessions of pod ${node.servingPod.name} could not be read` };
  const returned = returnCounts(view, node.member.name, node.servingPod.uid);
  if (returned.unreadable.length > 0) return { missing: `the counters of ${podsText(returned.unreadable)} could not be read` };
  return { sessions: held.count, returned: returned.counts };
}

const podsText = (pods: readonly DataPlanePod[]): string => {
  const named = pods.slice(0, 3).map(({ name, node }) => `${name} on ${node}`);
  return `${named.join(", ")}${pods.length > named.length ? ` and ${pods.length - named.length} more` : ""}`;
};

/** The verdict on the sessions of a node that was drained (P11); undefined where none is due. */
export function judgeReturns(
  view: PopView,
  node: NodeView,
  entry: PopNodeStatus,
  now: Instant,
): (Judgement & { readonly p95: number | undefined }) | undefined {
  const check = reconnectCheck(view);
  if (!check?.reconnect || entry.sessions === undefined || !entry.reconnectBaseline) return undefined;
  const question = {
    check: check.name,
    node: node.member.name,
    withinMilliseconds: milliseconds(check.reconnect.within),
    percent: check.reconnect.percent,
    minimumSamples: healthSpec(view).minimumSamples,
    drainEndedAgo: Math.max(0, now - Date.parse(entry.since)),
    slackMilliseconds: SCRAPE_SLACK,
    patienceMilliseconds: milliseconds(view.seen.pop.spec.health.onUnknown.hold),
    missing: missingCounters(view, node, entry),
  };
  if (check.reconnect.sessions) return judgeLists(view, node, entry, question);
  const { counts, unreadable } = returnCounts(view, node.member.name);
  const baseline = {
    count: entry.reconnectBaseline.count,
    buckets: entry.reconnectBaseline.buckets.map(({ le, count }) => [le, count] as const),
  };
  const found = judgeReconnect({ ...question, held: entry.sessions, unreadablePods: unreadable.length }, baseline, counts);
  return { ...found, p95: reconnectQuantile(baseline, counts, 0.95) };
}

/** By lists of ids: those that the node held when its drain was first sent, seen again on another node of this PoP. */
function judgeLists(
  view: PopView,
  node: NodeView,
  entry: PopNodeStatus,
  question: Omit<Parameters<typeof judgeSessions>[0], "unreadablePods">,
) {
  const held = view.seen.drainedSessions.get(node.member.uid);
  if (!held || held.token !== entry.token) {
    const lost = judgement(
      "NotEnoughSamples",
      `${question.check}: the list of sessions of ${node.member.name} was lost with a restart of the operator, so nothing is concluded`,
    );
    return { ...lost, p95: undefined };
  }
  const { ids, unreadable } = idsElsewhere(view, held.podUID);
  return { ...judgeSessions({ ...question, unreadablePods: unreadable }, held.ids, ids), p95: undefined };
}

/** Is the drain over: no sessions any more, counted after the drain was heard, or its time is up. Only while it is in force. */
export function drainOver(
  view: PopView,
  node: NodeView,
  entry: PopNodeStatus,
  now: Instant,
): { readonly over: boolean; readonly until: Instant } {
  const { drain } = view.seen.pop.spec.strategy;
  const until = Date.parse(entry.since) + milliseconds(drain.timeout);
  const pod = drainedPod(node);
  if (!drain.start || !pod?.ready || !instanceOf(pod)) return { over: true, until };
  if (!drainInForce(view, node, entry, now)) return { over: false, until };
  if (now >= until) return { over: true, until };
  const answer = view.seen.drains.get(node.member.uid)!;
  if (answer.firstHeardMilliseconds === undefined) return { over: false, until };
  if (answer.sessions === 0) return { over: true, until };
  const held = sessionsHeld(view, pod);
  return { over: held?.count === 0 && held.ageMilliseconds < answer.firstHeardMilliseconds, until };
}

/**
 * Was the container told to drain so lately that its lease still runs? An operator that was away for longer finds a node that serves
 * again: its label must not leave under those sessions (model H6). One that does not answer is waited for as long as a drain may last;
 * one that refuses is given back. True where nothing is to be drained.
 */
export function drainInForce(view: PopView, node: NodeView, entry: PopNodeStatus, now: Instant): boolean {
  const { drain } = view.seen.pop.spec.strategy;
  const pod = drainedPod(node);
  const instance = instanceOf(pod);
  if (!drain.start || !pod?.ready || !instance) return true;
  const answer = view.seen.drains.get(node.member.uid);
  if (answer?.verb !== "start" || answer.token !== entry.token || !isOf(answer, instance)) return false;
  if (answer.ageMilliseconds > (milliseconds(drain.lease) * 2) / 3) return false;
  return (answer.status >= 200 && answer.status < 300) || now >= Date.parse(entry.since) + milliseconds(drain.timeout);
}
