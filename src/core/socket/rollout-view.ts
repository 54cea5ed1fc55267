import type { RampLedger, SocketRolloutSpec } from "../../api/socket-rollout.ts";
import type { Instant } from "../decision.ts";

/** A SocketRollout as a site looks at it, and nothing else of it. A site never writes into it, and a rollout never into a site. */
export interface RolloutView {
  readonly name: string;
  readonly uid: string;
  /** Version and digest of the artifact: what a verdict is of (rule G8). */
  readonly revision: string;
  readonly spec: Pick<SocketRolloutSpec, "version" | "models" | "from" | "expected" | "paused" | "releaseNotes">;
  readonly announcedAt: Instant;
  /** When the operator first saw it; absent: not yet written, so nothing is planned by it (rule W3). */
  readonly seenAt?: Instant;
  readonly ramp?: RampLedger;
  /** Starts nothing more; `Failures`: also the second Socket of a pair in hand is not started (rule S8). */
  readonly stopped?: "Person" | "Failures" | "Superseded";
  /** It may be chosen at all: Accepted is True. */
  readonly accepted: boolean;
  /** Times measured where they are longer than expected, in milliseconds (rule W4). */
  readonly measured: { readonly download?: number; readonly install?: number; readonly failover?: number };
  /** After the ramp: this site is among the late joiners admitted so far (rule G4). */
  readonly standingSince?: Instant;
  /** It stands, and this site has to wait: as many late joiners as may be were admitted this week (rule G4). */
  readonly late?: "Waiting";
}
