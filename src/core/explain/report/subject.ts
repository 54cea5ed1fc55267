import type { Approval } from "../../../api/approval.ts";
import type { Fleet } from "../../../api/fleet.ts";
import type { PopCluster } from "../../../api/pop-cluster.ts";
import type { Assignment, PopRollout } from "../../../api/pop-rollout.ts";
import type { RunRecord } from "./run-records.ts";

/** What a report is made of: the objects as they stand in the cluster. */
export interface ReportSubject {
  readonly rollout: PopRollout;
  readonly pops: readonly PopCluster[];
  readonly approvals: readonly Approval[];
  readonly fleet?: Fleet;
}

/** One PoP of the rollout with its own object and its runs of the version; `pop` undefined: that object is gone. */
export interface Member {
  readonly assignment: Assignment;
  readonly pop: PopCluster | undefined;
  /** The zone of the PoP, as long as its object is there. */
  readonly zone: string | undefined;
  /** Oldest first. */
  readonly runs: readonly RunRecord[];
}
