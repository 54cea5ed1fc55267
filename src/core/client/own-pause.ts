import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientPolicies } from "../../api/client-policy.ts";
import { CLIENT_SYSTEMS } from "../../api/client-rollout.ts";
import { isSameVersion, policyFor } from "./policy.ts";

/** One version of the Clients on its way through an account, as its AccountPolicy tells it. */
export type VersionOfAccount = NonNullable<AccountPolicyStatus["clients"]>[number];

/** Until when the account's own pause holds a version that is held by it; undefined: it does not, or until somebody lifts it (rule C5). */
export function ownPauseUntil(policies: ClientPolicies | undefined, { os, version, held }: VersionOfAccount): string | undefined {
  const system = CLIENT_SYSTEMS.find((one) => one === os);
  const pause = system === undefined ? undefined : policyFor(policies, system)?.pause;
  return held?.by === "Pause" && pause !== undefined && isSameVersion(pause.version, version) ? pause.until : undefined;
}
