import { POP_LABEL } from "../api/names.ts";
import { PULL_LABEL } from "./act/pull-images.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { hostPortsOf } from "../core/pop-cluster/daemon-set.ts";
import type { ControllerRevisionObject, DaemonSetObject, NodeObject, PodObject } from "./kinds.ts";
import { selects } from "./observe/selected-nodes.ts";

/** Whom a change of an object concerns, by name of the PoPCluster. Too many names cost a look, a missing one costs a timer's time. */
export const wakeRules = {
  /** `before`: the node as it was. Those of its members, its own ledger's, and those that it was a member of until now. */
  popsOfNode(node: NodeObject, before: NodeObject | undefined, pops: readonly PopCluster[]): string[] {
    const isIn = ({ status }: PopCluster) => status?.nodes?.some(({ name }) => name === node.metadata.name) ?? false;
    return pops
      .filter((pop) => selects(pop, node) || (before !== undefined && selects(pop, before)) || isIn(pop))
      .map((pop) => pop.metadata.name);
  },
  /** `node`: the one that the pod is on. Of pods of others those with host ports concern the PoPs of their node, which may need them (P16). */
  popsOfPod(pod: PodObject, node: NodeObject | undefined, pops: readonly PopCluster[]): string[] {
    const named = pod.metadata.labels?.[POP_LABEL] ?? pod.metadata.labels?.[PULL_LABEL];
    if (named !== undefined) return [named];
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller)?.name;
    const inTheWay = node !== undefined && hostPortsOf(pod.spec).length > 0;
    return pops
      .filter((pop) => (pop.spec.adopt !== undefined && pop.spec.adopt.daemonSet.name === owner) || (inTheWay && selects(pop, node)))
      .map((pop) => pop.metadata.name);
  },
  popsOfDaemonSet(set: DaemonSetObject, pops: readonly PopCluster[]): string[] {
    const named = set.metadata.labels?.[POP_LABEL];
    if (named !== undefined) return [named];
    return pops.filter((pop) => pop.spec.adopt?.daemonSet.name === set.metadata.name).map((pop) => pop.metadata.name);
  },
  popsOfRecord(record: ControllerRevisionObject): string[] {
    const named = record.metadata.labels?.[POP_LABEL];
    return named === undefined ? [] : [named];
  },
} as const;
