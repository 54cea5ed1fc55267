import { NODE, POD, type NodeObject, type Taint } from "../../control/kinds.ts";
import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sameJson } from "./objects.ts";
import { Worker } from "./worker.ts";

/** How long a pod of a vanished node is kept, in case the node is only away for a moment. */
const QUARANTINE_MILLISECONDS = 40_000;

const PREFIX = "node.kubernetes.io/";
const PRESSURES: Readonly<Record<string, string>> = {
  MemoryPressure: "memory-pressure",
  DiskPressure: "disk-pressure",
  PIDPressure: "pid-pressure",
  NetworkUnavailable: "network-unavailable",
};
const OURS = new Set(["not-ready", "unreachable", "unschedulable", ...Object.values(PRESSURES)].map((name) => PREFIX + name));

/**
 * Keeps the taints that the control plane derives from a node's conditions and from a cordon. They matter to whoever patches taints "as
 * seen": a cordon changes the list.
 */
export function runNodeTaints(cluster: Cluster, clock: Clock, reactionMilliseconds = 20): () => void {
  const touched = new Set<string>();
  const worker = new Worker(clock, reactionMilliseconds, async () => {
    for (const name of touched) {
      touched.delete(name);
      const node = nodes.get(name);
      if (node === undefined) continue;
      const [current, wanted] = [node.spec?.taints ?? [], wantedTaints(node, clock)];
      const order = (taints: readonly Taint[]) => taints.map(({ key, effect }) => key + effect).sort();
      if (sameJson(order(current), order(wanted))) continue;
      const { uid, resourceVersion } = node.metadata;
      // Until it is written: what is refused is tried again.
      touched.add(name);
      await cluster.patch(NODE, node.metadata.name, undefined, [
        { op: "test", path: "/metadata/uid", value: uid },
        { op: "test", path: "/metadata/resourceVersion", value: resourceVersion },
        { op: "add", path: "/spec/taints", value: wanted },
      ]);
      touched.delete(name);
    }
  });
  const nodes = worker.watch(cluster.cache({ ...NODE, project: (node: NodeObject) => node }));
  nodes.onChange(({ metadata }) => touched.add(metadata.name));
  return () => worker.stop();
}

function wantedTaints(node: NodeObject, clock: Clock): readonly Taint[] {
  const kept = (node.spec?.taints ?? []).filter(({ key }) => !OURS.has(key));
  const known = new Map((node.spec?.taints ?? []).map((taint) => [taint.key + taint.effect, taint]));
  const taint = (name: string, effect: Taint["effect"]): Taint => {
    const key = PREFIX + name;
    const timeAdded = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
    return known.get(key + effect) ?? { key, effect, ...(effect === "NoExecute" && { timeAdded }) };
  };
  const wanted = [...kept];
  if (node.spec?.unschedulable) wanted.push(taint("unschedulable", "NoSchedule"));
  for (const { type, status } of node.status?.conditions ?? []) {
    const pressure = PRESSURES[type];
    if (pressure !== undefined && status === "True") wanted.push(taint(pressure, "NoSchedule"));
    if (type !== "Ready" || status === "True") continue;
    const name = status === "False" ? "not-ready" : "unreachable";
    wanted.push(taint(name, "NoSchedule"), taint(name, "NoExecute"));
  }
  return wanted;
}

/** Removes the pods of nodes that no longer exist, for good: there is no kubelet left to confirm their end. */
export function runPodCollector(cluster: Cluster, clock: Clock): () => void {
  const missingSince = new Map<string, number>();
  const worker = new Worker(clock, 20, async () => {
    if (!nodes.synced || !pods.synced) return;
    const homeless = pods.list().filter((pod) => pod.spec.nodeName && nodes.get(pod.spec.nodeName) === undefined);
    const names = new Set(homeless.map((pod) => pod.spec.nodeName!));
    for (const name of missingSince.keys()) if (!names.has(name)) missingSince.delete(name);
    for (const name of names) {
      if (missingSince.has(name)) continue;
      missingSince.set(name, clock.elapsed());
      worker.wakeLater(QUARANTINE_MILLISECONDS);
    }
    for (const { metadata, spec } of homeless) {
      if (clock.elapsed() - missingSince.get(spec.nodeName!)! < QUARANTINE_MILLISECONDS) continue;
      await cluster.delete(POD, metadata.name, metadata.namespace, { uid: metadata.uid, gracePeriodSeconds: 0 });
    }
  });
  const nodes = worker.watch(cluster.cache(NODE));
  const pods = worker.watch(cluster.cache(POD));
  return () => worker.stop();
}
