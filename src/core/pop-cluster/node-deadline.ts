import type { PopNodeStatus } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { milliseconds } from "./milliseconds.ts";
import type { PopView } from "./view.ts";

/**
 * When a node that is not done has failed. It counts from the step's stored start and never restarts with a pod that wobbles (P4); but an
 * operator that was away, or could not reach the PoP, gives it the time that a node usually takes before it judges what it has not seen.
 */
export function nodeDeadline(view: PopView, entry: PopNodeStatus, now: Instant): Instant {
  const { site, pop } = view.seen;
  const { deadline, expected } = pop.spec.strategy.perNode;
  const watched = site.state === "Reachable" ? site.watchedMilliseconds : 0;
  return Math.max(Date.parse(entry.since) + milliseconds(deadline), now - watched + milliseconds(expected));
}

/**
 * The same while nobody has created the new pod: that is the work of the cluster's controllers, which come back up to a minute after its
 * API server does, so a cluster that was away is given the whole deadline anew before the version is blamed (P6, P17).
 */
export function creationDeadline(view: PopView, entry: PopNodeStatus, now: Instant): Instant {
  const { site, pop } = view.seen;
  const watched = site.state === "Reachable" ? site.watchedMilliseconds : 0;
  return Math.max(nodeDeadline(view, entry, now), now - watched + milliseconds(pop.spec.strategy.perNode.deadline));
}
