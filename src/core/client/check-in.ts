import type { ClientSystem } from "../../api/client-rollout.ts";
import type { ClientPolicy } from "../../api/client-policy.ts";
import type { Owner } from "./cohort.ts";

/** One check-in of one Client, as the gateway read it and completed it from memory. Texts are stripped and capped (rule G12). */
export interface CheckIn extends Owner {
  readonly os: ClientSystem;
  /** What it says it runs; absent or all zeros: a new installation. */
  readonly version?: string;
  /** Groups of the user by the imported directory. */
  readonly groups: readonly string[];
  /** It wants only versions that begin so (`targetversionprefix`). */
  readonly targetVersionPrefix?: string;
  /** Its own administrator switched updates off on it (`updatedisabled`). */
  readonly updatesDisabled?: boolean;
  /** Check-ins of this device at which an offered revision had failed, by revision (rule G8). */
  readonly failures: ReadonlyMap<string, number>;
}

/** What is known of the device's account, read when it checks in (rule C1). */
export interface AccountView {
  /** The labels of its namespace: the provider's own accounts are told by them. */
  readonly labels: Readonly<Record<string, string>>;
  /** Its policy for the device's system; absent: Managed. */
  readonly policy?: ClientPolicy;
  /** Rollouts, by UID, of which the account's own pilots failed (rule C2). */
  readonly failedPilots: ReadonlySet<string>;
}

/** After so many failed check-ins a revision has its verdict on a device (rule G8). */
export const FAILED_CHECK_INS = 3;
