import type { PopCluster, RunSpent } from "../../../api/pop-cluster.ts";
import type { PopRollout } from "../../../api/pop-rollout.ts";

/** One run of the rollout's version on one PoP, with the way back from it. */
export interface RunRecord {
  readonly began: string;
  /** Of a way back that is not over. */
  readonly backSince?: string;
  /** When it had baked; a run that was promoted from an older operator's ledger has none. */
  readonly passed?: string;
  readonly ended?: string;
  /** How it ended, or its state. */
  readonly outcome: string;
  /** It is in hand, or watched. */
  readonly current: boolean;
  readonly evidence?: string;
  readonly nodes?: number;
  readonly spent: readonly RunSpent[];
}

/**
 * The runs of the rollout's version on a PoP, oldest first: of its history what ended since the rollout exists, and the one in hand.
 * A run before that, of an earlier rollout of the same version, is not this one's.
 */
export function runsOf({ status = {} }: PopCluster, { metadata, spec: { version } }: PopRollout): RunRecord[] {
  if (version === undefined) return [];
  const created = Date.parse(metadata.creationTimestamp ?? "1970-01-01T00:00:00Z");
  const over = (status.history ?? [])
    .filter((entry) => entry.version === version && Date.parse(entry.endedAt) >= created)
    .map(({ startedAt, endedAt, outcome, evidence, nodes, spent }): RunRecord => ({
      began: startedAt,
      ...(spent?.passedAt === undefined ? {} : { passed: spent.passedAt }),
      ended: endedAt,
      outcome,
      current: false,
      ...(evidence === undefined ? {} : { evidence }),
      ...(nodes === undefined ? {} : { nodes }),
      spent: spent === undefined ? [] : [spent],
    }));
  const { run } = status;
  const isBack = run?.kind === "Rollback";
  if (run === undefined || (isBack ? run.takesBack?.version : run.version) !== version) return over;
  const passed = isBack ? run.takesBack?.spent?.passedAt : run.spent?.passedAt;
  const inHand: RunRecord = {
    began: run.takesBack?.startedAt ?? run.startedAt,
    ...(isBack ? { backSince: run.startedAt } : {}),
    ...(passed === undefined ? {} : { passed }),
    outcome: run.ending ?? run.state,
    current: true,
    ...(run.cause === undefined ? {} : { evidence: run.cause }),
    nodes: run.frozen.members.length,
    spent: [run.takesBack?.spent, run.spent].filter((one) => one !== undefined),
  };
  return [...over, inHand];
}
