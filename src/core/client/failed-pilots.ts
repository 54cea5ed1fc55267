import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientRolloutSpec } from "../../api/client-rollout.ts";
import { ownPilotFailed } from "./policy.ts";

/**
 * The rollouts, by UID, of which an account's own pilots failed (rule C2), as its AccountPolicy tells their numbers: what a check-in is
 * answered by is what the account reads. An entry of an older object of the same name is nothing (rule G6).
 */
export function failedPilotsOf(
  status: Pick<AccountPolicyStatus, "clients"> | undefined,
  rollouts: readonly {
    readonly metadata: { readonly uid: string };
    readonly spec: { readonly pilot: Pick<ClientRolloutSpec["pilot"], "failedPercentAtMost"> };
  }[],
): ReadonlySet<string> {
  const failed = (status?.clients ?? []).filter(({ uid, pilot }) => {
    const rollout = rollouts.find(({ metadata }) => metadata.uid === uid);
    return pilot !== undefined && rollout !== undefined && ownPilotFailed(pilot, rollout.spec.pilot.failedPercentAtMost);
  });
  return new Set(failed.map(({ uid }) => uid));
}
