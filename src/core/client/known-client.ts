import type { ClientSystem } from "../../api/client-rollout.ts";
import type { Instant } from "../decision.ts";

/** A Client is its account and its own name; the same name in another account is another device. */
export interface ClientKey {
  readonly account: string;
  readonly device: string;
}

/** A device as it is kept. */
export interface KnownClient extends ClientKey {
  readonly os: ClientSystem;
  readonly version?: string;
  /** By the imported directory, else by the Client itself, as it was at its last check-in. */
  readonly user?: string;
  readonly firstSeenAt: Instant;
  readonly seenAt: Instant;
  /** By UID of the rollout, the newest last; at most 8. */
  readonly attempts: readonly ClientAttempt[];
}

/** What one rollout did with one device. */
export interface ClientAttempt {
  /** UID of the ClientRollout. */
  readonly rollout: string;
  readonly revision: string;
  /** The stage that was open when the device was first reached; it keeps it: `exposed`, `pilot`, `phase-1` … */
  readonly stage: string;
  /** The account's own pilot group (rule C2). */
  readonly pilot: boolean;
  /** First check-in since a stage has reached it: it can be reached. */
  readonly reachedAt: Instant;
  readonly offeredAt?: Instant;
  /** It said so, or it runs the version. */
  readonly attemptedAt?: Instant;
  /** It said that it is installed: a day later it runs it, or has failed once more (as rule S12). */
  readonly installedAt?: Instant;
  /** The device itself reported the version. */
  readonly confirmedAt?: Instant;
  /** Of the last failure; it counts as failed until it is confirmed. */
  readonly failedAt?: Instant;
  readonly errorCode?: number;
  /** Check-ins at which it failed: repeats of one request count once (rule G8), and installed without effect once a day. */
  readonly failures: number;
}

/** One check-in, as the gateway answered it. Applied once: a request id that was among the device's last ones is passed over. */
export interface ClientReport extends ClientKey {
  readonly at: Instant;
  readonly os: ClientSystem;
  readonly version?: string;
  readonly user?: string;
  readonly requestId?: string;
  /** The rollout that reached it, offered now or run by it already. */
  readonly reached?: { readonly rollout: string; readonly revision: string; readonly stage: string; readonly pilot: boolean };
  readonly offered: boolean;
  /** What it said of the rollout that it was offered last, before this check-in. */
  readonly said?: { readonly meaning: "Began" | "Installed" | "Failed" | "Cancelled"; readonly errorCode?: number };
}
