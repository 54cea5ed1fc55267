import { NODE, POD, type NodeObject, type PodObject } from "../../control/kinds.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { InMemoryCluster } from "./in-memory-cluster.ts";
import { hostPorts, selectsNode, untolerated } from "./node-fit.ts";
import { Worker } from "./worker.ts";

/** Caches here keep whole objects: the projections of the operator drop tolerations and affinity. */
const WHOLE_POD = { ...POD, project: (pod: PodObject) => pod };

/**
 * The part of kube-scheduler that decides a roll: node selection, taints and host ports. A host port is held by every pod bound to the
 * node that has not ended, so the next pod stays Pending until the old one is gone. Resources and spreading are not its matter.
 */
export function runScheduler(cluster: InMemoryCluster, clock: Clock, reactionMilliseconds = 20): () => void {
  const worker = new Worker(clock, reactionMilliseconds, schedule);
  const nodes = worker.watch(cluster.cache(NODE));
  const pods = worker.watch(cluster.cache(WHOLE_POD));

  async function schedule(): Promise<void> {
    if (!nodes.synced || !pods.synced) return;
    const waiting = pods.list().filter(({ metadata, spec }) => !spec.nodeName && metadata.deletionTimestamp === undefined);
    if (waiting.length === 0) return;
    const taken = portsByNode(pods.list());
    for (const pod of waiting.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const node = nodes
        .list()
        .find((each) => fits(pod, each) && hostPorts(pod.spec).every((port) => !taken.get(each.metadata.name)?.has(port)));
      if (node === undefined) await markUnschedulable(cluster, clock, pod, nodes.list());
      else {
        await cluster.bind({ name: pod.metadata.name, namespace: pod.metadata.namespace! }, node.metadata.name);
        take(taken, node.metadata.name, pod);
      }
    }
  }
  return () => worker.stop();
}

const fits = (pod: PodObject, node: NodeObject): boolean =>
  node.metadata.deletionTimestamp === undefined &&
  selectsNode(pod.spec, node) &&
  untolerated(pod.spec, node, ["NoSchedule", "NoExecute"]).length === 0;

function portsByNode(pods: readonly PodObject[]): Map<string, Set<string>> {
  const taken = new Map<string, Set<string>>();
  for (const pod of pods) {
    const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
    if (pod.spec.nodeName && !ended) take(taken, pod.spec.nodeName, pod);
  }
  return taken;
}

function take(taken: Map<string, Set<string>>, node: string, pod: PodObject): void {
  const ports = taken.get(node) ?? new Set();
  for (const port of hostPorts(pod.spec)) ports.add(port);
  taken.set(node, ports);
}

async function markUnschedulable(cluster: InMemoryCluster, clock: Clock, pod: PodObject, nodes: readonly NodeObject[]): Promise<void> {
  const conditions = pod.status?.conditions ?? [];
  if (conditions.some(({ type, status }) => type === "PodScheduled" && status === "False")) return;
  const blocked = nodes.some((node) => fits(pod, node)) ? "the host ports that it asks for are taken" : "no node is selected and tolerated";
  const condition = {
    type: "PodScheduled",
    status: "False" as const,
    reason: "Unschedulable",
    message: `0 of ${nodes.length} nodes can take it: ${blocked}`,
    lastTransitionTime: new Date(clock.now()).toISOString(),
  };
  await cluster.updateStatus(POD, { ...pod, status: { ...pod.status, conditions: [...conditions, condition] } });
}
