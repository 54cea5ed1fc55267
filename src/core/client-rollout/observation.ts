import type { ApprovalSpec } from "../../api/approval.ts";
import type { ClientNumbers, ClientRolloutSpec, ClientRolloutStatus } from "../../api/client-rollout.ts";
import type { MissingFile } from "../client/missing-files.ts";
import type { Instant } from "../decision.ts";
import type { Sample } from "../health/probe.ts";

/** Everything that is known about one ClientRollout at one moment. Devices are counted by the inventory and never listed: a million. */
export interface ClientRolloutObservation {
  readonly rollout: ObservedRollout & { readonly generation: number };
  /** The other ClientRollouts, for what is announced twice, mended or mends. */
  readonly others: readonly ObservedRollout[];
  readonly fleetPaused: boolean;
  /**
   * By name of the stage that first reached the device: `exposed`, `pilot`, `phase-1` … A stage that was counted and has nobody is there
   * with zeros. Absent: the inventory does not answer, or has not counted yet, and nothing is concluded (rule G9).
   */
  readonly numbers?: ReadonlyMap<string, ClientNumbers>;
  /** Approvals of kind ClientRollout that name this one. */
  readonly approvals: readonly { readonly name: string; readonly createdAt: string; readonly spec: ApprovalSpec }[];
  /** Who may decide, by the Fleet; nobody named: everybody who can write an Approval (rule F8). */
  readonly approvers?: readonly string[];
  /** What the probes of the last decision found, by key. */
  readonly samples: ReadonlyMap<string, readonly Sample[]>;
  /** The operator's own Prometheus, for a figure that names no server. */
  readonly defaultPrometheus?: string;
  /** Live gateways that cannot read its file in their folder, and what is wrong with it (rule C7); absent: none is known to. */
  readonly missing?: readonly MissingFile[];
  /** Gateway replicas by their last sign; absent: they leave none, and ten seconds count instead (rule G15). */
  readonly replicas?: readonly {
    readonly name: string;
    /** Elapsed since its last sign: after ten seconds it is not fresh, and offers nothing. */
    readonly silentMilliseconds: number;
    /** The id of the last pause of this rollout that it obeys. */
    readonly confirmed: number;
  }[];
}

export interface ObservedRollout {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Instant;
  readonly spec: ClientRolloutSpec;
  readonly status: ClientRolloutStatus;
}
