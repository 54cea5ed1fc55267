import { POP_LABEL } from "../api/names.ts";
import { PULL_LABEL } from "./act/pull-images.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { ControllerRevisionObject, DaemonSetObject, PodObject } from "./kinds.ts";

/** Whom a change of an object concerns, by name of the PoPCluster. Too many names cost a look, a missing one costs a timer's time. */
export const wakeRules = {
  popsOfPod(pod: PodObject, pops: readonly PopCluster[]): string[] {
    const named = pod.metadata.labels?.[POP_LABEL] ?? pod.metadata.labels?.[PULL_LABEL];
    if (named !== undefined) return [named];
    const owner = pod.metadata.ownerReferences?.find((reference) => reference.controller)?.name;
    return pops.filter((pop) => pop.spec.adopt !== undefined && pop.spec.adopt.daemonSet.name === owner).map((pop) => pop.metadata.name);
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
