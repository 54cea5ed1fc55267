import type { Assignment, PopRollout } from "../../api/pop-rollout.ts";

/** The PoPs whose own share is another one than before; how far the rollout saw them get is nothing that they read. */
export function changedShares({ status: before = {} }: PopRollout, { status: after = {} }: PopRollout): readonly string[] {
  if ((before.supersededBy === undefined) !== (after.supersededBy === undefined))
    return [...(before.assignments ?? []), ...(after.assignments ?? [])].map(({ pop }) => pop);
  if (before.assignments === after.assignments) return [];
  const known = new Map((before.assignments ?? []).map((one) => [one.pop, one]));
  return (after.assignments ?? []).filter((one) => !sameShare(known.get(one.pop), one)).map(({ pop }) => pop);
}

function sameShare(before: Assignment | undefined, after: Assignment): boolean {
  if (before === after) return true;
  if (before === undefined || (before.state === "Skipped") !== (after.state === "Skipped")) return false;
  const read = ({ uid, version, from, to, order, orderedAt, retryAt, because, liftedFreezes = [] }: Assignment) =>
    [uid, version, from, to, order, orderedAt, retryAt, because, ...liftedFreezes].join("\n");
  return read(before) === read(after);
}
