import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { sameJson } from "../canonical-json.ts";
import type { PopView } from "./view.ts";

/**
 * Is the status written now (P14)? At once when the ledger moved or nothing is in hand. While a node is in hand or soaks, what only
 * follows from observation (a check read for the first time, a message with a new number) goes with the next write of the ledger: a
 * node costs at most four status writes. What a person or the Fleet waits for is written at once all the same.
 */
export function worthWriting(view: PopView, ledger: PopClusterStatus, status: PopClusterStatus): boolean {
  const before = view.seen.pop.status;
  if (sameJson(status, before)) return false;
  const moved = ledger !== before && !sameJson(ledger, before);
  return moved || !busy(view) || !sameJson(urgent(status), urgent(before));
}

const busy = (view: PopView): boolean =>
  view.nodes.some(({ entry }) => entry?.token !== undefined && ["Claimed", "Updating", "Soaking"].includes(entry.step));

function urgent({ observedGeneration, pausedAt, members, holds = [], conditions = [], checks = [] }: PopClusterStatus) {
  return {
    observedGeneration,
    pausedAt,
    members,
    holds: holds.map(({ rule, reason, until }) => ({ rule, reason, until })),
    symptoms: checks.filter(({ verdict }) => verdict === "Unhealthy").map(({ name, node }) => ({ name, node })),
    // Checks of a new pod are unread at first: only a breach of the version cannot wait.
    conditions: conditions
      .filter(({ type, status }) => type !== "VersionHealthy" || status === "False")
      .map(({ type, status, reason }) => ({ type, status, reason })),
  };
}
