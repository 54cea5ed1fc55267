import type { Hold, Instant } from "../decision.ts";
import type { OtherRollout } from "./observation.ts";
import { hasBegun, type RolloutView } from "./view.ts";

/** A forecast moves by seconds with every node that is done; who waits behind it does not write its status for that (rule G11). */
const SHOWN_STEP = 15 * 60_000;

/** Created later; of two of the same second the one with the greater UID. */
export function isNewer(other: OtherRollout, { seen: { rollout } }: RolloutView): boolean {
  const difference = Date.parse(other.createdAt) - Date.parse(rollout.createdAt);
  return difference > 0 || (difference === 0 && other.uid > rollout.uid);
}

/**
 * Two rollouts never interleave (rule F6): this one waits for another that is under way, unless it mends it or the other is faulty. The
 * newer of two waits; an older one that has not begun waits too, so that neither cuts into the other. An emergency waits for
 * emergencies only. Until the other's forecast says that it is over, where it has one.
 */
export function otherHold(view: RolloutView, now: Instant): Hold | undefined {
  const other = inTheWayOf(view);
  if (other !== undefined) {
    const finish = Math.ceil(Date.parse(other.finishAt ?? "") / SHOWN_STEP) * SHOWN_STEP;
    const message = `PoPRollout ${other.name} (${other.version}) is under way, and two rollouts never interleave; this one goes on when it is over, or is halted, stopped or superseded`;
    return { rule: "F6", reason: "RolloutUnderWay", message, ...(finish > now ? { until: finish } : {}) };
  }
  const { mends } = view;
  if (mends === undefined || mends.supersededBy !== undefined) return undefined;
  return { rule: "F5", reason: "RolloutUnderWay", message: `PoPRollout ${mends.name} has not taken note yet that this one mends it` };
}

/** The rollout under way that this one waits for. */
export const inTheWayOf = (view: RolloutView): OtherRollout | undefined =>
  view.seen.others.find((one) => underWay(one) && inTheWay(view, one));

function inTheWay(view: RolloutView, other: OtherRollout): boolean {
  if (other.content !== view.content || other.faulty || other.supersededBy !== undefined || other.uid === view.mends?.uid) return false;
  if (view.emergency && other.class !== "Emergency") return false;
  return !isNewer(other, view) || !hasBegun(view);
}

/** It has opened a wave and is not over. */
export const underWay = ({ ended, standing, waves }: OtherRollout): boolean =>
  !ended && !standing && waves.some(({ state }) => state !== "Pending");
