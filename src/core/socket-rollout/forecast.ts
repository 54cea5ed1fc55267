import type { SocketRolloutStatus } from "../../api/socket-rollout.ts";
import type { Instant } from "../decision.ts";
import { WEEK } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import type { SocketRolloutObservation } from "./observation.ts";
import { openAt, type Ramp } from "./ramp.ts";

/**
 * When all is over, if nothing fails and nobody pauses it (rule F7 for Sockets): the end of the last planned window, and not before the
 * ramp is open and every site has had a week with its window. Told in absolute instants, so that waiting writes nothing (G11).
 */
export function forecastOf(
  { rollout, lastPlannedEnd, numbers }: SocketRolloutObservation,
  ramp: Ramp | undefined,
  now: Instant,
): SocketRolloutStatus["forecast"] {
  if (ramp === undefined) return undefined;
  const over = numbers.confirmed + numbers.failed;
  const open = openAt(ramp, rollout.spec.ramp, now);
  const sitesThisWeek = Math.max(0, numbers.inRamp - over);
  if (open === undefined || (numbers.sites > 0 && over >= numbers.sites)) return { sitesThisWeek };
  return { finishAt: formatInstant(Math.max(open + WEEK, lastPlannedEnd ?? 0)), sitesThisWeek };
}
