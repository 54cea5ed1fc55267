import type { SocketNumbers, SocketRolloutSpec, SocketRolloutStatus } from "../../api/socket-rollout.ts";
import type { Instant } from "../decision.ts";

/** Everything that is known about one SocketRollout at one moment. What its sites do is counted beside it, not listed: 100,000 sites. */
export interface SocketRolloutObservation {
  readonly rollout: {
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly createdAt: Instant;
    readonly spec: SocketRolloutSpec;
    readonly status: SocketRolloutStatus;
  };
  /** The other SocketRollouts, for what is announced twice or superseded. */
  readonly others: readonly {
    readonly name: string;
    readonly uid: string;
    readonly version: string;
    readonly models?: readonly string[];
    readonly createdAt: Instant;
    /** Its ramp is through. */
    readonly standing?: boolean;
  }[];
  readonly fleetPaused: boolean;
  /** From the status of the sites, so that a lost inventory does not make failures forgotten (rule S10). */
  readonly numbers: SocketNumbers;
  readonly waiting: ReadonlyMap<string, number>;
  /** Late joiners that ask to be admitted, in the order of their hash (rule G4). */
  readonly lateAsking: number;
  /** The 95th percentiles of the inventory, in milliseconds, with how many upgrades they come from; absent: it does not answer. */
  readonly measured?: { readonly upgrades: number; readonly download?: number; readonly install?: number; readonly failover?: number };
  /** The end of the last planned window of a site in the ramp, for the forecast. */
  readonly lastPlannedEnd?: Instant;
}
