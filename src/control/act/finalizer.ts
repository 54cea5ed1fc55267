import { FINALIZER } from "../../api/names.ts";
import { POP_CLUSTER } from "../../api/resources.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { Cluster } from "../ports.ts";

/** P13: written before the grant is asked for, taken off last; both conditional on the version observed. */
export async function setFinalizer(hub: Cluster, pop: PopCluster, present: boolean): Promise<PopCluster> {
  const others = (pop.metadata.finalizers ?? []).filter((name) => name !== FINALIZER);
  const finalizers = present ? [...others, FINALIZER] : others;
  const version = { op: "test" as const, path: "/metadata/resourceVersion", value: pop.metadata.resourceVersion };
  const uid = { op: "test" as const, path: "/metadata/uid", value: pop.metadata.uid };
  const change =
    pop.metadata.finalizers === undefined
      ? { op: "add" as const, path: "/metadata/finalizers", value: finalizers }
      : { op: "replace" as const, path: "/metadata/finalizers", value: finalizers };
  return hub.patch<PopCluster>(POP_CLUSTER, pop.metadata.name, pop.metadata.namespace, [uid, version, change]);
}
