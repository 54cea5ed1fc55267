/**
 * `maxUnavailable` as a number of nodes: a number, or a percentage of the members rounded down, but at least 1 (kinds: PoPCluster).
 */
export function unavailableLimit(maxUnavailable: number | string, members: number): number {
  if (typeof maxUnavailable === "number") return maxUnavailable;
  return Math.max(1, Math.floor((members * Number.parseInt(maxUnavailable, 10)) / 100));
}

/** May one more be started (rule P1): those out *other than itself*, plus itself, within the limit. */
export const mayStart = (outOthers: number, limit: number): boolean => outOthers + 1 <= limit;
