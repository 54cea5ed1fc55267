import type { WaitingReason } from "../api/reasons.ts";

/** Calendar milliseconds since the epoch. The only time that core knows. */
export type Instant = number;

/** What holds an object, why, and until when if that is known (rule G2). */
export interface Hold {
  /** The rule's ID, for example `W4`. */
  readonly rule: string;
  readonly reason: WaitingReason;
  /** What is waited for, with its numbers. */
  readonly message: string;
  readonly until?: Instant;
}

/** Something to be told about the object; published once per change, never a decision. */
export interface Announcement {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  /** The machine-readable verb (`ClaimNode`, `RollBack` …). */
  readonly action: string;
  readonly message: string;
}

/**
 * What should happen, as plain data. `status` absent: leave it as it is. Actions are performed in order after the status is
 * written; a decision that moves the ledger carries no disruptive action: claim first, act in the next pass.
 */
export interface Decision<Status, Action, Probe = never> {
  readonly status?: Status;
  readonly actions: readonly Action[];
  readonly events: readonly Announcement[];
  /** What to sample from now on; what is not named any more is no longer sampled. */
  readonly probes: readonly Probe[];
  /** Look again at this instant, also when nothing changed. */
  readonly wakeAt?: Instant;
  readonly holds: readonly Hold[];
}
