import type { TunnelSite } from "../../api/tunnel-site.ts";
import type { ForecastInput } from "../../control/ports.ts";
import type { Instant } from "../../core/decision.ts";

/** What is looked at: the fleet as it stands, and how far and how closely. */
export interface ForesightInput extends ForecastInput {
  /** The look ends here; left out: five weeks on, and as far as the trains of the rollouts go. */
  readonly until?: Instant;
  /** Whose tunnels are touched; left out: nobody asks. */
  readonly sites?: readonly TunnelSite[];
  /** Also how many Sundays a rollout would need that does not fit, and until when people have to approve: further looks. */
  readonly thorough?: boolean;
  /** Told how far the fleet has been run, at every instant at which something happens; a further look begins anew. */
  readonly onStep?: (now: Instant) => void;
}

export const CONFLICT_KINDS = [
  "Window",
  "Notice",
  "Freeze",
  "DST",
  "Region",
  "FleetLimit",
  "Capacity",
  "DualTunnel",
  "Approval",
  "Evidence",
  "Paused",
  "Failed",
  "Pinned",
  "OtherBase",
  "Unreachable",
  "FirstVersion",
  "Invalid",
  "Waiting",
] as const;
export type ConflictKind = (typeof CONFLICT_KINDS)[number];

/** Something that people should know before the first window, and what to do about it. */
export interface Conflict {
  readonly kind: ConflictKind;
  /** Conflict: the plan does not go as it should. Note: it does, if this is known or done. */
  readonly severity: "Conflict" | "Note";
  readonly rollout?: string;
  /** The PoPs that it concerns, in the order of names; at most 16 of `count`. */
  readonly who: readonly string[];
  readonly count: number;
  readonly message: string;
}

/** One use of a window by a PoP, as instants and on the clock of the place. */
export interface ForecastWindow {
  readonly start: string;
  readonly end: string;
  readonly localStart: string;
  readonly localEnd: string;
  /** The local date on which it starts. */
  readonly date: string;
  /** When the first node is taken up in it, when the last one is done, and how many there are. */
  readonly begins: string;
  readonly ends: string;
  readonly nodes: number;
}

export interface TouchedSites {
  /** Sites with a tunnel to another PoP too: they feel seconds. */
  readonly seconds: number;
  /** Sites whose only tunnel ends here: they feel minutes. */
  readonly minutes: number;
  /** Some of their names, `namespace/name`, those of minutes first. */
  readonly names: readonly string[];
}

export interface PopForecast {
  readonly pop: string;
  readonly region?: string;
  readonly timeZone: string;
  readonly wave: string;
  readonly nodes: number;
  /** Absent: it does not begin before the look ends. */
  readonly start?: string;
  readonly localStart?: string;
  /** When the last node is done; absent: it does not get that far. */
  readonly end?: string;
  /** When it has baked. */
  readonly passed?: string;
  readonly windows: readonly ForecastWindow[];
  /** What is true of it when the look ends. */
  readonly state: string;
  /** Whether all of its nodes are done within the dates of the train. */
  readonly fits: boolean;
  readonly why?: string;
  readonly sites?: TouchedSites;
}

/** A decision that people have to make, and until when it does no harm. */
export interface ApprovalNeeded {
  readonly action: "Promote" | "Emergency";
  readonly wave?: string;
  /** What the Approval has to name; absent where the rollout has no UID yet. */
  readonly digest?: string;
  /** When the rollout begins to wait for it. */
  readonly from: string;
  /** The latest minute at which a yes still lets it fit; only a `thorough` look finds it. */
  readonly by?: string;
}

export interface RolloutPlan {
  readonly name: string;
  readonly uid: string;
  readonly version: string;
  readonly content: boolean;
  readonly class: "Regular" | "Emergency";
  readonly startDate?: string;
  readonly endDate?: string;
  /** When the last PoP has all of its nodes done. */
  readonly finishAt?: string;
  readonly fits: boolean;
  /** The look went as far as the rollout does. If not, what it said so far is right, and whether it fits is not known. */
  readonly complete: boolean;
  readonly message: string;
  /** How many PoPs start on which local date. */
  readonly dates: readonly { readonly date: string; readonly pops: number }[];
  /** Of one that does not fit: on how many dates PoPs would start if its train were as long as it takes. */
  readonly needsDates?: number;
  /** How many of them come after its train, and when the last PoP would be done. */
  readonly moreDates?: number;
  readonly wouldFinishAt?: string;
  /** And which limit, and which regions, make it so. */
  readonly forcedBy?: string;
  readonly outcome?: string;
  readonly waves: readonly {
    readonly name: string;
    readonly state: string;
    readonly opens?: string;
    readonly ends?: string;
    readonly pops: number;
  }[];
  readonly pops: readonly PopForecast[];
  /** PoPs that get nothing by what they are: pinned, on another version, failed before, there already. */
  readonly leftOut: readonly { readonly pop: string; readonly reason: string; readonly message: string }[];
  readonly approvals: readonly ApprovalNeeded[];
}

export interface FleetForecast {
  /**
   * Of all that decides who rolls when, never of when it was looked: `sha256:…`; of a look that ended early also of where it ended. Of
   * sites it covers the tunnels that limit PoPs, not who feels what.
   */
  readonly digest: string;
  readonly from: string;
  readonly until: string;
  readonly rollouts: readonly RolloutPlan[];
  readonly conflicts: readonly Conflict[];
  /** Every rollout fits and nothing is in conflict. */
  readonly fits: boolean;
  /** The look went as far as every rollout does. */
  readonly complete: boolean;
}
