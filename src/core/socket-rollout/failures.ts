import type { SocketRolloutObservation } from "./observation.ts";

/**
 * Whether more sites failed than the rollout may lose (rule S10): a share of those attempted, once enough of them were. Exactly the share
 * is within it. Sites that were not reached are in neither number.
 */
export function exceedsFailureBudget({ rollout, numbers }: Pick<SocketRolloutObservation, "rollout" | "numbers">): boolean {
  const { attemptedAtLeast, failedPercent } = rollout.spec.failureBudget;
  return numbers.attempted >= attemptedAtLeast && numbers.failed * 100 > failedPercent * numbers.attempted;
}
