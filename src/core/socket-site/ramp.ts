import type { Instant } from "../decision.ts";
import { isReached, placeInRamp } from "../rollout/ramp-steps.ts";
import type { RolloutView } from "../socket/rollout-view.ts";

/**
 * When the ramp of a rollout reached a site (rule S10): at the smallest share that was opened and holds the site's stable fraction, another
 * one for each rollout and version (rule G7). Undefined: not yet. 100 percent takes all.
 */
export function rampReached(siteUid: string, { uid, spec, ramp }: RolloutView): Instant | undefined {
  const place = placeInRamp(siteUid, { uid, version: spec.version });
  const reached = (ramp?.opened ?? []).filter(({ percent }) => isReached(place, percent));
  return reached.length === 0 ? undefined : Math.min(...reached.map(({ at }) => Date.parse(at)));
}
