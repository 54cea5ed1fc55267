import type { Instant } from "../decision.ts";
import { parseDuration } from "../time/duration.ts";
import { stableFraction } from "../window/spread.ts";
import type { Timer } from "./timer.ts";

/** A share of all, and how long it lasts before the next one opens. */
interface Step {
  readonly percent: number;
  readonly for: string;
}

/** How far a ramp has come: the share that it has reached, and how long that has lasted. */
interface Reached {
  readonly percent: number;
  readonly timer?: Timer | undefined;
}

/** Where in a ramp something stands, in percent: another place for each rollout and version (rules S10, G7). A step of 100 takes all. */
export const placeInRamp = (siteUid: string, rollout: { readonly uid: string; readonly version: string }): number =>
  stableFraction(`${siteUid}\n${rollout.uid}\n${rollout.version}`) * 100;

/** Whether a share takes what stands at this place. */
export const isReached = (place: number, percent: number): boolean => place < percent || percent >= 100;

/**
 * The steps that are still to open, each with when that will be if nothing holds the ramp (rule S10). While it is held nobody knows when:
 * its timer stands still.
 */
export function stepsToCome(
  steps: readonly Step[],
  { percent, timer }: Reached,
): readonly { readonly percent: number; readonly at?: Instant }[] {
  const open = steps.findLast((step) => step.percent <= percent);
  const length = open === undefined ? 0 : parseDuration(open.for);
  const since = timer?.since === undefined ? undefined : Date.parse(timer.since);
  let at = since === undefined || length === undefined ? undefined : since + length - (timer?.accumulated ?? 0);
  return steps
    .filter((step) => step.percent > percent)
    .map((step) => {
      const opens = at === undefined ? { percent: step.percent } : { percent: step.percent, at };
      const lasts = parseDuration(step.for);
      at = at === undefined || lasts === undefined ? undefined : at + lasts;
      return opens;
    });
}
