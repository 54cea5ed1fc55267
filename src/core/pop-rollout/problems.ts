import type { WaitingReason } from "../../api/reasons.ts";
import { rangeProblem, versionProblem } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { startProblem } from "./dates.ts";
import { eligibilityOf } from "./eligibility.ts";
import { isNewer } from "./other-rollouts.ts";
import { hasLabels } from "./pick.ts";
import { EXPOSED, hasBegun, type RolloutView } from "./view.ts";

/** Why a rollout cannot be carried out as it is written; the reason stands in both closed tables. */
export interface Problem {
  readonly reason: Extract<WaitingReason, "StartInvalid" | "WavesInvalid" | "RangeInvalid" | "SupersedesUnknown">;
  readonly message: string;
}

/**
 * What a person has to correct before a wave opens (rules F1, F5, F8), each a sentence that says what to write instead. What the fleet
 * decides is asked only until the first wave opens: PoPs that come and go later make no rollout wrong.
 */
export function problemsOf(view: RolloutView, now: Instant): readonly Problem[] {
  const range = rangeProblems(view);
  if (range.length > 0) return range;
  if (hasBegun(view)) return [];
  const start = startProblem(view, now);
  return [
    ...(start === undefined ? [] : [{ reason: "StartInvalid" as const, message: start }]),
    ...supersedesProblems(view),
    ...waveProblems(view, now),
  ];
}

function rangeProblems({ spec: { version, from } }: RolloutView): Problem[] {
  const found = [
    version === undefined ? undefined : [`spec.version: ${versionProblem(version) ?? ""}`, versionProblem(version)],
    from === undefined ? undefined : [`spec.from: ${rangeProblem(from) ?? ""}`, rangeProblem(from)],
  ];
  return found.flatMap((one) => (one?.[1] === undefined ? [] : [{ reason: "RangeInvalid" as const, message: one[0]! }]));
}

function supersedesProblems(view: RolloutView): Problem[] {
  const named = view.spec.supersedes?.name;
  if (named === undefined) return [];
  const problem = (message: string): Problem[] => [{ reason: "SupersedesUnknown", message }];
  if (view.mends === undefined) {
    const other = view.seen.others.some(({ name }) => name === named);
    const what = view.content ? "content" : "a version";
    return problem(
      other
        ? `spec.supersedes names ${named}, which does not bring ${what} as this one does; write the rollout that is mended, or leave it out`
        : `spec.supersedes names ${named}, and there is no PoPRollout of that name; write the rollout that is mended, or leave it out`,
    );
  }
  if (isNewer(view.mends, view))
    return problem(`spec.supersedes names ${named}, which is newer than this rollout; write the rollout that is mended`);
  if (view.spec.waves.some(({ name }) => name === EXPOSED))
    return problem(`a rollout that supersedes another has a first wave ${EXPOSED} of its own; give the wave ${EXPOSED} another name`);
  return [];
}

/** Waves that cover nobody, or only PoPs that an earlier one covers; where some PoPs have the version already the fleet is no measure. */
function waveProblems(view: RolloutView, now: Instant): Problem[] {
  if (view.spec.supersedes !== undefined) return [];
  const pops = [...view.pops.values()].filter((pop) => !pop.deleting);
  const judged = pops.map((pop) => ({ pop, kind: eligibilityOf(view, pop, now).kind }));
  const eligible = judged.filter(({ kind }) => kind === "Eligible").map(({ pop }) => pop);
  if (eligible.length === 0 || judged.some(({ kind }) => kind === "There")) return [];
  const labelled = new Set<string>();
  let taken = 0;
  return view.spec.waves.flatMap(({ name, pops: { count, percent, matchLabels } }): Problem[] => {
    const problem = (message: string): Problem[] => [{ reason: "WavesInvalid", message: `wave ${name} ${message}` }];
    const left = eligible.length - taken;
    if (matchLabels !== undefined) {
      const matching = eligible.filter((pop) => hasLabels(pop, matchLabels));
      const fresh = matching.filter((pop) => !labelled.has(pop.name));
      for (const pop of fresh) labelled.add(pop.name);
      taken = Math.min(eligible.length, taken + fresh.length);
      if (matching.length === 0)
        return problem("covers nobody: no PoP that may get the version has its labels; write labels that PoPs have");
      if (fresh.length > 0) return [];
      const twice = matching.slice(0, 4).map((pop) => pop.name);
      return problem(
        `covers PoPs twice: ${twice.join(", ")} have the labels of an earlier wave too; write labels that tell the waves apart`,
      );
    }
    if (left <= 0)
      return problem(`covers nobody: the waves before it take all ${eligible.length} PoPs; leave it out, or make them smaller`);
    if (count !== undefined) {
      taken += Math.min(count, left);
      return [];
    }
    const target = Math.ceil((eligible.length * (percent ?? 0)) / 100);
    if (target <= taken)
      return problem(
        `covers nobody: ${percent} % of ${eligible.length} PoPs are ${target}, and the waves before it have ${taken} already; write a larger percentage, or leave it out`,
      );
    taken = target;
    return [];
  });
}
