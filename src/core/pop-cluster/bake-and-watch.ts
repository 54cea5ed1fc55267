import type { PopClusterSpec, PopRun } from "../../api/pop-cluster.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf } from "../rollout/timer.ts";
import { DAY } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import { milliseconds } from "./milliseconds.ts";

/** How long the run's version bakes, as written: what its wave said when the run began, else the PoP's own (P8, G4). */
export const bakeOf = ({ bake }: PopRun, { strategy }: PopClusterSpec): string =>
  bake !== undefined && parseDuration(bake) !== undefined ? bake : strategy.bake;

/**
 * How much of the watch is left, and what it is in words (P8): until its rollout's last day and for at least 24 h, or without a rollout as
 * long as the PoP says. Hours are those in which the checks were healthy.
 */
export function watchOf(run: PopRun, { strategy }: PopClusterSpec, now: Instant): { readonly left: number; readonly words: string } {
  const watched = elapsedOf(run.timers.watch, now);
  if (run.watchUntil === undefined) return { left: milliseconds(strategy.watch) - watched, words: `for ${strategy.watch}` };
  return { left: Math.max(DAY - watched, Date.parse(run.watchUntil) - now), words: `until ${run.watchUntil}` };
}
