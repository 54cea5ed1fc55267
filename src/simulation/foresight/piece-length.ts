import type { PopCluster, PopNodeStatus } from "../../api/pop-cluster.ts";
import { unavailableLimit } from "../../core/rollout/budget.ts";
import { parseDuration } from "../../core/time/duration.ts";

/** How long one node is out, and how long it is watched before its place is free again; milliseconds. */
export interface PieceLength {
  readonly out: number;
  readonly soak: number;
}

export const milliseconds = (text: string | undefined): number => parseDuration(text ?? "") ?? 0;

/**
 * What a node takes: as the spec expects, or as the nodes of this run have really taken where that is longer. The ledger keeps when each
 * was done: with m at once the k-th began when the (k − m)-th was done. What is longer than any deadline allows was a wait for a window.
 */
export function pieceLength({ spec, status }: PopCluster): PieceLength {
  const { expected, soak, deadline, retries } = spec.strategy.perNode;
  const out = milliseconds(expected);
  const soaks = milliseconds(soak);
  const run = status?.run;
  if (run === undefined || run.kind === "Join") return { out, soak: soaks };
  const longest = milliseconds(deadline) * (retries + 1) + 2 * soaks;
  const limit = run.kind === "Rollback" ? spec.rollback.maxUnavailable : limitOf(spec.strategy.maxUnavailable, run.frozen.members.length);
  const done = doneOf(status?.nodes ?? [], run.revision).map(({ since }) => Date.parse(since));
  const began = (index: number): number => done[index - limit] ?? Date.parse(run.startedAt);
  const took = done
    .map((at, index) => at - began(index))
    .filter((length) => length > 0 && length <= longest)
    .toSorted((a, b) => a - b);
  const median = took[took.length >> 1];
  return { out: Math.max(out, (median ?? 0) - soaks), soak: soaks };
}

export const limitOf = (maxUnavailable: number | string, members: number): number => unavailableLimit(maxUnavailable, members);

/** Nodes of this revision that are done, in the order in which they were. */
const doneOf = (nodes: readonly PopNodeStatus[], revision: string): readonly PopNodeStatus[] =>
  nodes.filter((node) => node.step === "Done" && node.revision === revision).toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
