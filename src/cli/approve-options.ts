import type { APPROVAL_ACTIONS } from "../api/approval.ts";
import type { ClusterOptions } from "./with-cluster.ts";

export type Action = (typeof APPROVAL_ACTIONS)[number];

export interface ApproveOptions extends ClusterOptions {
  readonly reason: string;
  readonly refuse?: boolean;
  readonly action?: Action;
  readonly freeze: readonly string[];
  readonly digest?: string;
  readonly stage?: string;
  readonly wave?: string;
  readonly for: string;
}

/** What waits for a person, as an Approval names it. */
export interface Waiting {
  readonly actions: readonly Action[];
  readonly digest: string;
  readonly subject: string;
  /** What the decision is about, for whoever decides. */
  readonly shown?: string;
}
