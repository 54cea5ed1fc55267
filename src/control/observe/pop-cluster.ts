import { POP_LABEL } from "../../api/names.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { POP_CLUSTER, FLEET, MAINTENANCE_WINDOW } from "../../api/resources.ts";
import { hostPortsOf } from "../../core/pop-cluster/daemon-set.ts";
import type { DataPlanePod, ObservedPop, ObservedSite, OtherPod, PopClusterObservation } from "../../core/pop-cluster/observation.ts";
import type { Sample } from "../../core/health/probe.ts";
import { windowProblems } from "../../core/window/parse.ts";
import { CONFIG_MAP, CONTROLLER_REVISION, type ControllerRevisionObject, DAEMON_SET, type DaemonSetObject, NODE, type NodeObject, POD, type PodObject } from "../kinds.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster } from "../ports.ts";
import type { Site } from "../sites.ts";
import { dataPlanePod, memberOf, observedAdoptee, observedDaemonSet, otherPod, ownerOf } from "./members.ts";
import { recordFrom } from "./revision-records.ts";

/** The raw objects that one observation is made of, wherever they were read. */
export interface PopObjects {
  readonly pop: PopCluster;
  readonly window: MaintenanceWindow | undefined;
  readonly fleet: Fleet | undefined;
  readonly site: ObservedSite;
  readonly nodes: readonly NodeObject[];
  readonly pods: readonly PodObject[];
  /** Pods of the whole site as the cache has them, for host ports and evictions. */
  readonly allPods: readonly PodObject[];
  readonly daemonSets: readonly DaemonSetObject[];
  readonly records: readonly ControllerRevisionObject[];
  readonly contentSource: { readonly found: boolean } | undefined;
  readonly live: boolean;
}

/** What the operator knows beside the objects. */
export interface PopSurroundings {
  readonly memory: PopMemory;
  readonly samples: (key: string) => readonly Sample[];
  readonly sampledKeys: () => Iterable<string>;
  readonly queryErrors: ReadonlyMap<string, string>;
  readonly defaultPrometheus: string | undefined;
}

/** Puts the objects together; decides nothing. */
export function popObservation(objects: PopObjects, { memory, samples, sampledKeys, queryErrors, defaultPrometheus }: PopSurroundings): PopClusterObservation {
  const { pop, window, fleet } = objects;
  const { name } = pop.metadata;
  const adoptee = objects.daemonSets.find((set) => set.metadata.name === pop.spec.adopt?.daemonSet.name);
  const pods = objects.pods.map((pod) => dataPlanePod(pod, name, adoptee?.metadata.uid)).filter((pod) => pod !== undefined);
  const members = objects.nodes.map(memberOf);
  memory.keepNodes(new Set(members.map((member) => member.uid)));
  return {
    pop: observedPop(pop),
    window: window ? { found: true, spec: window.spec, problems: windowProblems(window.spec) } : { found: false },
    fleet: fleet
      ? { found: true, paused: fleet.spec.paused, freezes: fleet.spec.freezes ?? [], disruptions: fleet.status?.disruptions ?? [], ...(fleet.spec.reason ? { reason: fleet.spec.reason } : {}) }
      : { found: false },
    site: objects.site,
    members,
    pods,
    foreignPods: foreignPods(objects, pods, adoptee),
    daemonSets: objects.daemonSets.filter((set) => set.metadata.labels?.[POP_LABEL] === name).map(observedDaemonSet),
    records: objects.records.map((record) => recordFrom(record, name)).filter((record) => record !== undefined),
    ...(adoptee ? { adoptee: observedAdoptee(adoptee) } : {}),
    ...(defaultPrometheus ? { defaultPrometheus } : {}),
    queryErrors,
    samples: new Map([...sampledKeys()].map((key) => [key, samples(key)])),
    dryRuns: memory.dryRuns,
    drains: memory.drains(),
    drainedSessions: memory.drainedSessions,
    evictions: memory.evictions(),
    otherPods: pop.spec.strategy.drain.evictPods ? othersByNode(objects, pods) : new Map(),
    pulls: memory.pulls,
    contents: memory.contents(),
    ...(objects.contentSource ? { contentSource: objects.contentSource } : {}),
    live: objects.live,
  };
}

function observedPop(pop: PopCluster): ObservedPop {
  const { metadata, spec, status } = pop;
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    uid: metadata.uid,
    generation: metadata.generation ?? 0,
    deleting: metadata.deletionTimestamp !== undefined,
    finalizers: metadata.finalizers ?? [],
    spec,
    status: status ?? {},
  };
}

/** Pods of other DaemonSets, or of nobody, on our members that hold a host port which the template needs too (P16). */
function foreignPods(objects: PopObjects, ours: readonly DataPlanePod[], adoptee: DaemonSetObject | undefined): PopClusterObservation["foreignPods"] {
  const needed = new Set(hostPortsOf(objects.pop.spec.template.spec as Parameters<typeof hostPortsOf>[0]));
  if (needed.size === 0) return [];
  const known = new Set(ours.map((pod) => pod.uid));
  const members = new Set(objects.nodes.map((node) => node.metadata.name));
  return objects.allPods.flatMap((pod) => {
    if (known.has(pod.metadata.uid) || !pod.spec.nodeName || !members.has(pod.spec.nodeName)) return [];
    const owner = ownerOf(pod);
    if (owner && owner.uid === adoptee?.metadata.uid) return [];
    const port = hostPortsOf(pod.spec).find((candidate) => needed.has(candidate));
    if (port === undefined) return [];
    return [{ name: pod.metadata.name, namespace: pod.metadata.namespace ?? "", node: pod.spec.nodeName, port, ...(owner ? { owner: owner.name } : {}) }];
  });
}

function othersByNode(objects: PopObjects, ours: readonly DataPlanePod[]): Map<string, OtherPod[]> {
  const known = new Set(ours.map((pod) => pod.uid));
  const byNode = new Map<string, OtherPod[]>();
  for (const pod of objects.allPods) {
    const node = pod.spec.nodeName;
    if (!node || known.has(pod.metadata.uid) || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed") continue;
    byNode.set(node, [...(byNode.get(node) ?? []), otherPod(pod)]);
  }
  return byNode;
}

const selectorOf = (pop: PopCluster): string =>
  Object.entries(pop.spec.nodeSelector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** An empty selector would take every node of the cluster; it selects none. */
export const selects = (pop: PopCluster, node: NodeObject): boolean => {
  const wanted = Object.entries(pop.spec.nodeSelector.matchLabels ?? {});
  return wanted.length > 0 && wanted.every(([key, value]) => node.metadata.labels?.[key] === value);
};

/** Everything read from the servers just now; undefined when the PoPCluster is gone. A site that does not answer is part of what is seen. */
export async function readLive(hub: Cluster, site: Site, name: string, namespace: string, cachedPods: readonly PodObject[], memory: PopMemory, elapsed: number): Promise<PopObjects | undefined> {
  const pop = await hub.get<PopCluster>(POP_CLUSTER, name, namespace);
  if (!pop) return undefined;
  const selector = { labelSelector: `${POP_LABEL}=${name}` };
  const [window, fleet, records, contentSource] = await Promise.all([
    hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, pop.spec.windowRef.name, namespace),
    hub.get<Fleet>(FLEET, "fleet", namespace),
    hub.list(CONTROLLER_REVISION, { namespace, ...selector }),
    contentSourceOf(hub, pop),
  ]);
  const base = { pop, window, fleet, records, contentSource, live: true };
  const nothing = { nodes: [], pods: [], allPods: [], daemonSets: [] };
  if (site.state === "CredentialsInvalid") return { ...base, ...nothing, site };
  if (site.state === "Unreachable") return { ...base, ...nothing, site: silent(memory, site.message, elapsed) };
  try {
    const places = { namespace: pop.spec.dataPlaneNamespace };
    const [nodes, pods, daemonSets] = await Promise.all([
      selectorOf(pop) ? site.cluster.list(NODE, { labelSelector: selectorOf(pop) }) : [],
      site.cluster.list(POD, pop.spec.adopt ? places : { ...places, ...selector }),
      site.cluster.list(DAEMON_SET, pop.spec.adopt ? places : { ...places, ...selector }),
    ]);
    memory.unreachableSince = undefined;
    return { ...base, nodes, pods, allPods: cachedPods, daemonSets, site: { state: "Reachable", uid: site.uid } };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return { ...base, ...nothing, site: silent(memory, `${site.cluster.name} does not answer: ${(error as ApiError).message}`, elapsed) };
  }
}

/** No answer, or one that says that the server is not there: told by code. */
const isUnreachable = (error: unknown): boolean => error instanceof ApiError && (error.code === 0 || error.code >= 500);

export function silent(memory: PopMemory, message: string, elapsed: number): ObservedSite {
  memory.unreachableSince ??= elapsed;
  return { state: "Unreachable", message, ageMilliseconds: elapsed - memory.unreachableSince };
}

async function contentSourceOf(hub: Cluster, pop: PopCluster): Promise<{ readonly found: boolean } | undefined> {
  const name = pop.spec.content?.source.configMapRef?.name;
  if (!name) return undefined;
  return { found: (await hub.get(CONFIG_MAP, name, pop.metadata.namespace)) !== undefined };
}
