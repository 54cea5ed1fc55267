import type { ApprovalSpec } from "../../api/approval.ts";
import type { Freeze } from "../../api/common.ts";
import type { FleetSpec } from "../../api/fleet.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { Assignment, PopRolloutSpec, PopRolloutStatus, RolloutForecast } from "../../api/pop-rollout.ts";

/** Everything that is known about one rollout at one moment, as plain data; nothing decided, nothing defaulted. */
export interface PopRolloutObservation {
  readonly rollout: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly createdAt: string;
    readonly deleting: boolean;
    readonly spec: PopRolloutSpec;
    readonly status: PopRolloutStatus;
  };
  readonly fleet:
    | {
        readonly found: true;
        readonly paused: boolean;
        readonly freezes: readonly Freeze[];
        readonly train?: FleetSpec["train"];
        readonly approvers: readonly string[];
      }
    | { readonly found: false };
  /** Every PoPCluster of the fleet namespace. */
  readonly pops: readonly RolloutPop[];
  /** The windows that the PoPs name, by name; a missing one is absent, `problems` says what cannot be read. */
  readonly windows: ReadonlyMap<string, { readonly spec: MaintenanceWindowSpec; readonly problems: readonly string[] }>;
  /** The other rollouts of the fleet namespace, deleted ones not. */
  readonly others: readonly OtherRollout[];
  /** Approvals that name this rollout. */
  readonly approvals: readonly ObservedApproval[];
  /** The newest answer to the question of each stage that has a check, by stage name. */
  readonly evidence: ReadonlyMap<string, StageEvidence>;
  /** The operator's own Prometheus, for checks that name no server. */
  readonly defaultPrometheus?: string;
  /** The last answer of the Forecast port, when it has one. */
  readonly forecast?: RolloutForecast;
  /** True when rollout and PoPs were read from the server just now: only then may the ledger move. */
  readonly live: boolean;
}

/** One PoPCluster as a rollout sees it: from spec and ledger alone, never from conditions (rule G1). */
export interface RolloutPop {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly timeZone: string;
  readonly windowRef: string;
  readonly deleting: boolean;
  /** `spec.version`: a person pinned it. */
  readonly pinned?: string;
  /** `spec.content.version`, likewise. */
  readonly pinnedContent?: string;
  /** `spec.content` is there: it says how content is loaded. */
  readonly loadsContent: boolean;
  /** The version that the whole PoP runs; absent: none yet. */
  readonly version?: string;
  readonly run?: {
    readonly kind: "Join" | "Roll" | "Rollback";
    readonly version: string;
    readonly state: "Preflight" | "Rolling" | "Baking" | "Passed" | "RollingBack";
    readonly startedAt: string;
    /** The version that a rollback takes back. */
    readonly takesBack?: string;
    readonly cause?: string;
    readonly ending?: "Stopped" | "Superseded";
    /** When its bake is over; absent while it does not bake, or its bake stands still. */
    readonly bakesUntil?: string;
  };
  readonly history: readonly {
    readonly version: string;
    readonly startedAt: string;
    readonly endedAt: string;
    readonly outcome: "Promoted" | "RolledBack" | "RollbackFailed" | "Stopped" | "Superseded";
    readonly evidence?: string;
  }[];
  /** Versions with a failed verdict on this PoP. */
  readonly failed: readonly { readonly version: string; readonly at: string; readonly evidence: string }[];
  /** Content: what it runs, what is being loaded, what failed. */
  readonly content?: {
    readonly current?: string;
    readonly target?: string;
    readonly state?: "Loading" | "Baking" | "Loaded" | "RollingBack";
    readonly failed: readonly { readonly version: string; readonly at: string; readonly evidence: string }[];
  };
  readonly members?: { readonly total: number; readonly out: number };
  /** `strategy.perNode.expected` and `strategy.bake`, as written. */
  readonly expected: string;
  readonly bake: string;
  readonly watch: string;
}

/** Another rollout, as far as it stands in the way, is mended, or stands (rules F5, F6, G4). */
export interface OtherRollout {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: string;
  readonly version: string;
  readonly content: boolean;
  readonly class: "Regular" | "Emergency";
  readonly supersedes?: string;
  readonly supersededBy?: string;
  readonly standing: boolean;
  readonly standingSince?: string;
  readonly ended: boolean;
  /** When it is over, as its forecast says; for people alone. */
  readonly finishAt?: string;
  /** It halted, was stopped or is being taken back: a newer one takes over and need not wait. */
  readonly faulty: boolean;
  readonly waves: readonly {
    readonly name: string;
    readonly state: "Pending" | "Open" | "Passed" | "Skipped";
    readonly pops: readonly string[];
  }[];
  readonly assignments: readonly Assignment[];
}

export interface ObservedApproval {
  readonly name: string;
  readonly createdAt: string;
  readonly spec: ApprovalSpec;
}

/** What was answered when a stage's question was asked; absent: it was not asked yet. */
export interface StageEvidence {
  readonly verdict: "Passed" | "Failed" | "NotYet" | "Unknown";
  /** What was asked and found, in words. */
  readonly evidence: string;
  readonly ageMilliseconds: number;
}
