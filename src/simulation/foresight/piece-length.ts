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
 * What a node takes: as the nodes of this run have really taken where that is longer than the spec expects; where none of it is done yet,
 * `pace` times what is expected (see `paceOf`).
 */
export function pieceLength(pop: PopCluster, pace: number): PieceLength {
  const { expected, soak } = pop.spec.strategy.perNode;
  const measured = measuredOut(pop);
  const out = milliseconds(expected);
  return { out: measured === undefined ? Math.round(out * pace) : Math.max(out, measured), soak: milliseconds(soak) };
}

/**
 * How many times what is expected the nodes of a version take, by the PoPs that have begun it; at least 1. One PoP may be slow by itself;
 * of two or more the one in the middle says it, the faster of two: so more than half of them have to be slow before PoPs that have not
 * begun are foreseen to be.
 */
export function paceOf(pops: readonly PopCluster[], version: string): number {
  const paces = pops
    .filter(({ status }) => status?.run?.kind === "Roll" && status.run.version === version)
    .flatMap((pop) => {
      const expected = milliseconds(pop.spec.strategy.perNode.expected);
      const measured = measuredOut(pop);
      return measured === undefined || expected === 0 ? [] : [measured / expected];
    })
    .toSorted((a, b) => a - b);
  return paces.length < 2 ? 1 : Math.max(1, paces[(paces.length - 1) >> 1]!);
}

/**
 * The median of what the nodes of this run were out for; undefined while none is done. The ledger keeps when each was done: with m at once
 * the k-th began when the (k − m)-th was done. What is longer than any deadline allows was a wait for a window.
 */
function measuredOut({ spec, status }: PopCluster): number | undefined {
  const { soak, deadline, retries } = spec.strategy.perNode;
  const soaks = milliseconds(soak);
  const run = status?.run;
  if (run === undefined || run.kind === "Join") return undefined;
  const longest = milliseconds(deadline) * (retries + 1) + 2 * soaks;
  const limit = run.kind === "Rollback" ? spec.rollback.maxUnavailable : limitOf(spec.strategy.maxUnavailable, run.frozen.members.length);
  const done = doneOf(status?.nodes ?? [], run.revision).map(({ since }) => Date.parse(since));
  const began = (index: number): number => done[index - limit] ?? Date.parse(run.startedAt);
  const took = done
    .map((at, index) => at - began(index))
    .filter((length) => length > 0 && length <= longest)
    .toSorted((a, b) => a - b);
  const median = took[took.length >> 1];
  return median === undefined ? undefined : Math.max(0, median - soaks);
}

export const limitOf = (maxUnavailable: number | string, members: number): number => unavailableLimit(maxUnavailable, members);

/** Nodes of this revision that are done, in the order in which they were. */
const doneOf = (nodes: readonly PopNodeStatus[], revision: string): readonly PopNodeStatus[] =>
  nodes.filter((node) => node.step === "Done" && node.revision === revision).toSorted((a, b) => Date.parse(a.since) - Date.parse(b.since));
