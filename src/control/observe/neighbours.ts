import type { PopCluster } from "../../api/pop-cluster.ts";
import type { NeighbourPop } from "../../core/pop-cluster/observation.ts";

/** Are these two different PoPs of one region? One without a region has no neighbours. */
const areNeighbours = (one: PopCluster, other: PopCluster): boolean =>
  one.metadata.uid !== other.metadata.uid && one.spec.region !== undefined && one.spec.region === other.spec.region;

/** Whom a change of this PoP concerns besides itself: those of its region, and of the one that it was in `before`, that it may excuse (P10). */
export function excusedBeside(pop: PopCluster, pops: readonly PopCluster[], before: string | undefined): readonly PopCluster[] {
  const there = { ...pop, spec: { ...pop.spec, ...(before === undefined ? {} : { region: before }) } };
  return pops.filter(
    (other) => other.status?.run?.timers.excuse?.since !== undefined && (areNeighbours(pop, other) || areNeighbours(there, other)),
  );
}

/**
 * The other PoPs of the region with what fails there; one whose nodes are being moved runs no single revision. Only a version that bakes or
 * is watched has such neighbours: for all others nothing is gone through.
 */
export function neighboursOf(pop: PopCluster, pops: readonly PopCluster[]): NeighbourPop[] {
  const state = pop.status?.run?.state;
  if (state !== "Baking" && state !== "Passed") return [];
  return pops
    .filter((other) => areNeighbours(pop, other) && other.metadata.deletionTimestamp === undefined)
    .map(({ metadata, status = {} }): NeighbourPop => {
      const rests = !status.run || status.run.state === "Baking" || status.run.state === "Passed";
      const revision = rests ? status.revisions?.current : undefined;
      return {
        name: metadata.name,
        ...(revision === undefined ? {} : { revision }),
        checks: (status.checks ?? []).flatMap(({ name, verdict, since }) => (verdict === "Unhealthy" ? [{ name, verdict, since }] : [])),
      };
    });
}
