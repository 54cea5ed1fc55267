import type { Inherited, ReachedLedger } from "../../api/client-rollout.ts";
import { type Cohort, phaseOf, type Shares } from "./cohort.ts";

/** How a stage is called in status and in numbers: `exposed`, `pilot`, `phase-2`. */
export const stageName = ({ stage, phase }: Pick<ReachedLedger, "stage" | "phase">): string =>
  stage === "Phase" ? `phase-${phase ?? 1}` : stage.toLowerCase();

/**
 * The phase, from 1, with which the general rollout begins: a fixed version goes on with the first one that has at least both shares that
 * the faulty one reached (rule C6), so whom earlier ones would have reached, this one reaches.
 */
export function firstPhase(phases: readonly Shares[], inherited: Pick<Inherited, keyof Shares> | undefined): number {
  const found = phases.findIndex(
    ({ accountsPercent, usersPercent }) =>
      accountsPercent >= (inherited?.accountsPercent ?? 0) && usersPercent >= (inherited?.usersPercent ?? 0),
  );
  return found === -1 ? phases.length : found + 1;
}

/** The phase that reaches a user first. Shares only grow: phases that were edited to smaller ones may reach him later than the ledger did. */
export const reachingPhase = (
  cohort: Cohort,
  { phases, firstPhase: first }: { readonly phases: readonly Shares[]; readonly firstPhase: number },
): number | undefined => {
  const phase = phaseOf(cohort, phases);
  return phase === undefined ? undefined : Math.max(phase, first);
};
