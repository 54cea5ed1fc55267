import type { RolloutPop } from "./observation.ts";
import type { RolloutView } from "./view.ts";

/** The PoP runs the faulty version, on all of its nodes or, stopped in mid-roll, on some (rule F5). */
export function isExposed({ mends, content }: RolloutView, pop: RolloutPop): boolean {
  if (mends === undefined) return false;
  if (content) return pop.content?.current === mends.version || pop.content?.target === mends.version;
  return (
    pop.version === mends.version || (pop.run?.version === mends.version && pop.run.kind !== "Rollback" && pop.run.state !== "Preflight")
  );
}

/** The index of the wave that the faulty rollout had reached, its own wave of exposed PoPs apart; -1: none. */
export function reachedIndex({ mends }: RolloutView): number {
  if (mends === undefined) return -1;
  const own = mends.supersedes === undefined ? mends.waves : mends.waves.slice(1);
  return own.findLastIndex(({ state }) => state !== "Pending");
}
