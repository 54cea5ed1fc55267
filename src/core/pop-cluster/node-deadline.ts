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
