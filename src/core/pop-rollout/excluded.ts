import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { cleanText, counted } from "../text.ts";
import { eligibilityOf } from "./eligibility.ts";
import type { RolloutView } from "./view.ts";

type Excluded = NonNullable<PopRolloutStatus["excluded"]>[number];

/** Groups shown, and PoPs named in each. */
const MOST_GROUPS = 16;
const NAMED = 8;

/**
 * The PoPs that have no share yet and may not get one as they stand, together where the same is true of them, most first: which base they
 * run, who is pinned (rules F1, F8, V3). Known before anybody approves anything; those of a wave that has opened stand as Skipped in it.
 */
export function excludedFrom(view: RolloutView, now: Instant): Excluded[] {
  const groups = new Map<string, { readonly reason: string; readonly because: string; readonly names: string[] }>();
  for (const pop of view.pops.values()) {
    if (pop.deleting || view.assigned.has(pop.name)) continue;
    const found = eligibilityOf(view, pop, now);
    if (found.kind !== "Skipped") continue;
    const key = `${found.reason}/${found.because}`;
    const group = groups.get(key) ?? { reason: found.reason, because: found.because, names: [] };
    group.names.push(pop.name);
    groups.set(key, group);
  }
  return [...groups.values()]
    .toSorted((a, b) => b.names.length - a.names.length || (a.because < b.because ? -1 : 1))
    .slice(0, MOST_GROUPS)
    .map(({ reason, because, names }) => ({
      reason,
      pops: names.length,
      message: cleanText(`${counted(names.length, "PoP")} (${listText(names.toSorted(), NAMED)}): ${because}`, 1024),
    }));
}
