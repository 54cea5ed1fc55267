import { setTimeout as sleep } from "node:timers/promises";
import { POP_LABEL } from "../../api/names.ts";
import { allResources, APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../api/resources.ts";
import { ApiError, type Cluster, type Draft, type Kind, type KubernetesObject, type ListOptions } from "../../control/ports.ts";
import { WHOLE_NODE } from "../../simulation/nodes/kubelet.ts";
import { WHOLE_POD } from "../../simulation/nodes/pod-worker.ts";
import { DATA_PLANE_NAMESPACE } from "../../simulation/world.ts";
import { EXIT } from "../exit-codes.ts";
import { Refusal } from "../refusal.ts";
import type { Setting } from "./act.ts";
import { NAMESPACE } from "./cast.ts";
import { accountNamespace, CUSTOM_RESOURCE_DEFINITION, DAEMON_SET, NAMESPACE_KIND } from "./kinds.ts";

/** What the demo brought to a cluster, and its removal: what was there before stays. */
export interface Installed {
  remove(): Promise<void>;
}

const ESTABLISHED_WITHIN = 30_000;
/** A cluster without a controller for namespaces never empties them: then they stay behind as deleted, and the demo ends all the same. */
const GONE_WITHIN = 15_000;

type Brought = Pick<Setting, "pops" | "accounts">;

/**
 * Brings our kinds and the namespaces to the cluster and waits until the API server serves them. A cluster with a Fleet of its own is
 * refused: the demo would answer for it.
 */
export async function installOn(cluster: Cluster, setting: Brought, interrupted: AbortSignal): Promise<Installed> {
  const removals: (() => Promise<unknown>)[] = [];
  const bring = async (kind: Kind, object: Draft<KubernetesObject>): Promise<void> => {
    try {
      await cluster.create(kind, object);
    } catch (error) {
      if (error instanceof ApiError && error.code === 409) return;
      throw error;
    }
    removals.unshift(async () => {
      await cluster.delete(kind, object.metadata.name!, undefined);
      await gone(cluster, kind, object.metadata.name!);
    });
  };
  for (const resource of allResources) await bring(CUSTOM_RESOURCE_DEFINITION, resource.crd());
  for (const resource of allResources) await established(cluster, resource.crd().metadata.name, interrupted);
  await refuseOthers(cluster);
  for (const name of [NAMESPACE, DATA_PLANE_NAMESPACE]) {
    await bring(NAMESPACE_KIND, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  }
  for (const name of setting.accounts) await bring(NAMESPACE_KIND, accountNamespace(name));
  return {
    remove: async () => {
      await removeObjects(cluster, setting);
      for (const removal of removals) await removal();
    },
  };
}

async function established(cluster: Cluster, name: string, interrupted: AbortSignal): Promise<void> {
  for (const end = performance.now() + ESTABLISHED_WITHIN; ; await sleep(50, undefined, { signal: interrupted })) {
    const found = await cluster.get(CUSTOM_RESOURCE_DEFINITION, name);
    if (found?.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True")) return;
    if (performance.now() > end) throw new Error(`the API server did not establish ${name} within ${ESTABLISHED_WITHIN / 1000} s`);
  }
}

/** What is deleted goes when the cluster's own controllers have emptied it: whoever brings it again has to wait for that. */
async function gone(cluster: Cluster, kind: Kind, name: string): Promise<void> {
  for (const end = performance.now() + GONE_WITHIN; performance.now() < end; await sleep(100)) {
    if ((await cluster.get(kind, name)) === undefined) return;
  }
}

async function refuseOthers(cluster: Cluster): Promise<void> {
  const [fleet] = await cluster.list(FLEET, { namespace: NAMESPACE });
  if (!fleet) return;
  const sentence = `namespace ${NAMESPACE} of this cluster has a Fleet already; the demo does not play beside it: take another cluster, or none`;
  throw new Refusal(EXIT.badInput, sentence);
}

/** Without the operator nobody takes finalizers off, and without their kubelets nobody ends pods: both is done here. */
async function removeObjects(cluster: Cluster, { pops, accounts }: Brought): Promise<void> {
  await removeAll(cluster, POP_ROLLOUT, { namespace: NAMESPACE });
  await removeAll(cluster, APPROVAL, { namespace: NAMESPACE });
  for (const namespace of accounts) await removeAll(cluster, TUNNEL_SITE, { namespace });
  for (const { name } of pops) {
    const live = await cluster.get(POP_CLUSTER, name, NAMESPACE);
    if (live?.metadata.finalizers?.length)
      await cluster.patch(POP_CLUSTER, name, NAMESPACE, [{ op: "remove", path: "/metadata/finalizers" }]);
    await cluster.delete(POP_CLUSTER, name, NAMESPACE);
    const ofPop = { labelSelector: `${POP_LABEL}=${name}` };
    await removeAll(cluster, DAEMON_SET, { ...ofPop, namespace: DATA_PLANE_NAMESPACE });
    await removeAll(cluster, WHOLE_POD, { ...ofPop, namespace: DATA_PLANE_NAMESPACE });
    for (const node of await cluster.list(WHOLE_NODE, ofPop)) {
      // Only nodes that are ours: somebody may have given a real one the same label.
      if (node.spec?.providerID === `rollward-virtual://${node.metadata.name}`)
        await cluster.delete(WHOLE_NODE, node.metadata.name, undefined);
    }
  }
  await removeAll(cluster, FLEET, { namespace: NAMESPACE });
  await removeAll(cluster, MAINTENANCE_WINDOW, { namespace: NAMESPACE });
}

async function removeAll<T extends KubernetesObject>(cluster: Cluster, kind: Kind<T>, options: ListOptions): Promise<void> {
  for (const { metadata } of await cluster.list(kind, options)) {
    await cluster.delete(kind, metadata.name, metadata.namespace, { gracePeriodSeconds: 0 });
  }
}
