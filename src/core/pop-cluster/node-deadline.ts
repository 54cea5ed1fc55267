import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { milliseconds } from "./milliseconds.ts";
import type { PopView } from "./view.ts";

/**
 * When a node that is not done has failed. It counts from the step's stored start and never restarts with a pod that wobbles (P4); but an
 * operator that was away, or could not reach the PoP, gives it the time that a node usually takes before it judges what it has not seen.
 */
export function nodeDeadline(view: PopView, entry: PopNodeStatus, now: Instant): Instant {
  const { deadline, expected } = view.seen.pop.spec.strategy.perNode;
  return Math.max(Date.parse(entry.since) + milliseconds(deadline), watchedFor(view, milliseconds(expected), now));
}

/**
 * The same while nobody has created the new pod: that is the work of the cluster's controllers, which come back up to a minute after its
 * API server does, so a cluster that was away is given the whole deadline anew before the version is blamed (P6, P17).
 */
export function creationDeadline(view: PopView, entry: PopNodeStatus, now: Instant): Instant {
  const { deadline } = view.seen.pop.spec.strategy.perNode;
  return Math.max(nodeDeadline(view, entry, now), watchedFor(view, milliseconds(deadline), now));
}

/** When this operator will have watched the PoP for so many elapsed milliseconds without a break: time in which nobody looked judges nothing (G3). */
export function watchedFor({ seen: { site } }: PopView, wanted: number, now: Instant): Instant {
  const watched = site.state === "Reachable" ? site.watchedMilliseconds : 0;
  return now - watched + wanted;
}
