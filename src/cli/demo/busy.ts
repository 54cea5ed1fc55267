import type { PopCluster } from "../../api/pop-cluster.ts";

const WINDOW_HOLDS = new Set(["OutsideWindow", "LastStartPassed", "Frozen", "NoticeNotElapsed"]);

/** Is work in hand, or about to be: then the calendar runs as fast as the machine's clock (architecture: accelerated clock). */
export function isBusy({ metadata, status }: PopCluster, now: number): boolean {
  if (!status || (status.observedGeneration ?? 0) < (metadata.generation ?? 0)) return true;
  const { run, nodes = [], holds = [], revisions } = status;
  if (nodes.some(isInHand)) return true;
  if (holds.some(({ reason, until }) => reason === "FailedBefore" || (until !== undefined && Date.parse(until) > now))) return false;
  if (run?.state === "Baking" || run?.state === "Passed") return revisions?.wanted !== undefined && revisions.wanted !== run.revision;
  return run !== undefined || (revisions?.wanted !== undefined && revisions.wanted !== revisions.current);
}

export const isInHand = ({ step }: { readonly step: string }): boolean => step === "Claimed" || step === "Updating" || step === "Soaking";

/** The next instants at which something that a PoP waits for ends: a bake, the time until a window. */
export const nextEvents = (pops: readonly PopCluster[], now: number): number[] => untils(pops, now, () => true);

/** The next instants at which a waiting PoP may start a node. */
export const nextStarts = (pops: readonly PopCluster[], now: number): number[] => untils(pops, now, (reason) => WINDOW_HOLDS.has(reason));

const untils = (pops: readonly PopCluster[], now: number, counts: (reason: string) => boolean): number[] =>
  pops
    .flatMap(({ status }) => status?.holds ?? [])
    .flatMap(({ reason, until }) => (until !== undefined && counts(reason) && Date.parse(until) > now ? [Date.parse(until)] : []));
