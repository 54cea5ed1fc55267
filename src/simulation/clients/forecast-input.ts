import type { ClientPolicies } from "../../api/client-policy.ts";
import type { ClientRollout, ClientSystem } from "../../api/client-rollout.ts";
import type { Owner } from "../../core/client/cohort.ts";
import type { Instant } from "../../core/decision.ts";

/** A Client as a forecast needs it. */
export interface ForecastClient extends Owner {
  readonly os: ClientSystem;
  readonly version?: string;
  /** Groups of its user by the imported directory. */
  readonly groups: readonly string[];
  /** Its last check-in; of all together these tell how long one takes until its next. */
  readonly seenAt?: Instant;
}

export interface ForecastAccount {
  readonly labels: Readonly<Record<string, string>>;
  /** `spec.clients` of its AccountPolicy; absent: it has none. */
  readonly policies: ClientPolicies | undefined;
  /** Rollouts, by UID, of which its own pilots failed. */
  readonly failedPilots?: ReadonlySet<string>;
}

/** What is looked at: the Clients of one system, and how far. */
export interface ClientForecastInput {
  readonly os: ClientSystem;
  /** Those that stand, with their status, and those of a manifest, with a UID of their own making; of other systems too. */
  readonly rollouts: readonly ClientRollout[];
  readonly accounts: ReadonlyMap<string, ForecastAccount>;
  readonly clients: Iterable<ForecastClient>;
  readonly from: Instant;
  readonly until: Instant;
  readonly fleetPaused?: boolean;
}
