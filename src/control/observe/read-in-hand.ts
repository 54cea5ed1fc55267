import { POP_LABEL } from "../../api/names.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { POP_CLUSTER } from "../../api/resources.ts";
import { NODE, POD, type PodObject } from "../kinds.ts";
import type { PopObjects } from "./pop-cluster.ts";
import { isUnreachable, type PopServers, readNamed } from "./pop-reads.ts";
import { isInHand } from "./selected-nodes.ts";

/** Beyond this many nodes in hand lists are cheaper than single objects. */
const IN_HAND_AT_MOST = 8;

/**
 * The objects once more, by GETs alone: the PoPCluster, what it names at the hub, and the nodes that it has in hand with their pods, which
 * the cache names (a pod that is named and not found is gone). All else stands as it was listed. Undefined: read everything anew, because
 * the PoPCluster was changed by somebody, a node in hand is gone, a server does not answer, or the lists would be no dearer.
 */
export async function readInHand(servers: PopServers, objects: PopObjects): Promise<PopObjects | undefined> {
  const { hub, site, podsAround } = servers;
  const { pop } = objects;
  if (site.state !== "Reachable" || objects.site.state !== "Reachable" || objects.site.uid !== site.uid || pop.spec.adopt) return undefined;
  const inHand = (pop.status?.nodes ?? []).filter(isInHand);
  if (inHand.length === 0 || inHand.length > IN_HAND_AT_MOST) return undefined;
  const names = new Set(inHand.map((entry) => entry.name));
  const isOn = (pod: PodObject) => pod.spec.nodeName !== undefined && names.has(pod.spec.nodeName);
  const cachedOnes = podsAround(objects.nodes).filter(
    (pod) => pod.metadata.namespace === pop.spec.dataPlaneNamespace && pod.metadata.labels?.[POP_LABEL] === pop.metadata.name,
  );
  const podNames = [...new Set([...objects.pods, ...cachedOnes].filter(isOn).map((pod) => pod.metadata.name))];
  const answers = await Promise.all([
    hub.get<PopCluster>(POP_CLUSTER, pop.metadata.name, pop.metadata.namespace),
    readNamed(servers, pop),
    Promise.all(inHand.map((entry) => site.cluster.get(NODE, entry.name))),
    Promise.all(podNames.map((name) => site.cluster.get(POD, name, pop.spec.dataPlaneNamespace))),
  ]).catch((error: unknown) => {
    if (!isUnreachable(error)) throw error;
    return undefined;
  });
  if (!answers) return undefined;
  const [now, named, nodes, pods] = answers;
  if (now?.metadata.uid !== pop.metadata.uid || now.metadata.resourceVersion !== pop.metadata.resourceVersion) return undefined;
  const read = new Map(nodes.flatMap((node) => (node ? [[node.metadata.uid, node]] : [])));
  if (inHand.some((entry) => !read.has(entry.uid) || !objects.nodes.some((node) => node.metadata.uid === entry.uid))) return undefined;
  return {
    ...objects,
    ...named,
    nodes: objects.nodes.map((node) => read.get(node.metadata.uid) ?? node),
    pods: [...objects.pods.filter((pod) => !isOn(pod)), ...pods.filter((pod) => pod !== undefined)],
    allPods: podsAround(objects.nodes),
  };
}
