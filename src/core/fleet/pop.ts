import type { PopCluster, PopClusterStatus } from "../../api/pop-cluster.ts";
import { unavailableLimit } from "../rollout/budget.ts";
import type { FleetPop } from "./observation.ts";

/** One PoPCluster as the Fleet sees it; from spec and ledger alone, never from conditions (rule G1). */
export function fleetPopOf(pop: PopCluster): FleetPop {
  const { metadata, spec, status } = pop;
  const limit = unavailableLimit(spec.strategy.maxUnavailable, status?.members?.total ?? 0);
  return {
    name: metadata.name,
    uid: metadata.uid,
    ...(spec.region === undefined ? {} : { region: spec.region }),
    deleting: metadata.deletionTimestamp !== undefined,
    ...(status?.grant ? { grant: status.grant } : {}),
    ...(status?.version === undefined ? {} : { version: status.version }),
    ...(status?.members ? { members: status.members } : {}),
    // A roll that turns into a rollback keeps its grant (G14), so it may take out what a rollback may.
    takesOut: { Roll: Math.max(limit, spec.rollback.maxUnavailable), Rollback: spec.rollback.maxUnavailable },
    degraded: leftOutByRollback(status) || brokeDown(status, limit),
    unfinished: ["Rolling", "RollingBack"].includes(status?.run?.state ?? ""),
    emergency: status?.grant?.class === "Emergency",
    unreachable: status?.unreachable === true,
    failedSessions: failedSessions(status),
  };
}

/**
 * More nodes out than its budget allows, or all of them, be that a single one: its sites have no second way left (rule F2). A PoP that
 * never ran a version serves nobody yet: it would hold places for ever that the rollout needs which brings it one (L3).
 */
const brokeDown = ({ members, version }: PopClusterStatus = {}, limit: number): boolean =>
  version !== undefined && members !== undefined && members.total > 0 && (members.out > limit || members.out >= members.total);

/** Of nodes that the version in hand did not let come back: the ledger keeps what each held when its drain began. */
function failedSessions({ nodes = [] }: PopClusterStatus = {}): number {
  const broken = nodes.filter(({ step }) => step !== "Done" && step !== "Soaking");
  return broken.reduce((sum, { sessions = 0 }) => sum + sessions, 0);
}

/** Nodes that RollbackFailed left out, until they serve (rule G14). */
function leftOutByRollback(status: PopClusterStatus | undefined): boolean {
  const last = (status?.history ?? []).toSorted((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt)).at(-1);
  // Not reported is not serving: in doubt the PoP counts as degraded.
  return last?.outcome === "RollbackFailed" && (status?.members?.out ?? 1) > 0;
}
