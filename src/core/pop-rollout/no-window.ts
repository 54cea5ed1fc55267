import type { Freeze } from "../../api/common.ts";
import type { Hold, Instant } from "../decision.ts";
import { formatDuration, parseDuration } from "../time/duration.ts";
import { freezeGate } from "../window/freeze-gate.ts";
import { longestOccurrence } from "../window/gate.ts";
import { freezeProblems } from "../window/parse.ts";
import type { RolloutPop } from "./observation.ts";
import type { RolloutView } from "./view.ts";

/** The freezes that may hold this PoP: those of the Fleet and of its window, but for those that an Approval lifts (rules W6, F8). */
function freezesOf({ seen: { fleet, windows } }: RolloutView, pop: RolloutPop, lifted: readonly string[]): Freeze[] {
  const all = [...(fleet.found ? fleet.freezes : []), ...(windows.get(pop.windowRef)?.spec.freezes ?? [])];
  return all.filter(({ name }) => !lifted.includes(name));
}

/** The freeze that holds this PoP now, or the freezes that cannot be read, which hold it too (rules W6, W10). */
export const frozen = (view: RolloutView, pop: RolloutPop, lifted: readonly string[], now: Instant): Hold | undefined =>
  freezeGate({ freezes: freezesOf(view, pop, lifted), zone: pop.timeZone, now, act: view.content ? "Content" : "Disruption" });

/** What is wrong with the freezes of the Fleet: while they cannot be read no PoP starts anything forward (rule W10). */
export function unreadableFreezes({ seen: { fleet } }: RolloutView): string | undefined {
  const problems = fleet.found ? freezeProblems(fleet.freezes, "spec.freezes") : [];
  return problems.length === 0 ? undefined : `the Fleet's ${problems.join("; ")}; nothing rolls forward until that is corrected`;
}

/** Why none of these PoPs has a usable window, as far as one cause does for all that are looked at; else where to look. */
export function whyNoWindow(view: RolloutView, pops: readonly RolloutPop[]): string {
  const unreadable = unreadableFreezes(view);
  if (unreadable !== undefined) return unreadable;
  const causes = [...new Set(pops.flatMap((pop) => windowProblem(view, pop) ?? []))];
  return causes.length === 0 ? "look at their windows, notice and freezes" : causes.slice(0, 4).join("; ");
}

/** What keeps a PoP's window from ever holding one of its nodes (rules W4, W10). */
function windowProblem({ seen: { windows } }: RolloutView, { windowRef, expected }: RolloutPop): string | undefined {
  const window = windows.get(windowRef);
  if (window === undefined) return `MaintenanceWindow ${windowRef} does not exist`;
  if (window.problems.length > 0) return `MaintenanceWindow ${windowRef}: ${window.problems.join("; ")}`;
  const longest = longestOccurrence(window.spec);
  if (longest >= (parseDuration(expected) ?? 0)) return undefined;
  return `MaintenanceWindow ${windowRef} is at most ${formatDuration(longest)} long and holds no node: expected ${expected}`;
}
