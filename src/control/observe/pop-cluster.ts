import { POP_LABEL } from "../../api/names.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { POP_CLUSTER, FLEET, MAINTENANCE_WINDOW } from "../../api/resources.ts";
import { hostPortsOf } from "../../core/pop-cluster/daemon-set.ts";
import type { DataPlanePod, ObservedPop, ObservedSite, OtherPod, PopClusterObservation } from "../../core/pop-cluster/observation.ts";
import type { Sample } from "../../core/health/probe.ts";
import type { PopAssignments } from "../../core/rollout/assignment.ts";
import { windowProblems } from "../../core/window/parse.ts";
import {
  CONTROLLER_REVISION,
  type ControllerRevisionObject,
  DAEMON_SET,
  type DaemonSetObject,
  NODE,
  type NodeObject,
  POD,
  type PodObject,
} from "../kinds.ts";
import { PULL_LABEL, pullKey, pullOutcome } from "../act/pull-images.ts";
import type { PopMemory } from "../pop-memory.ts";
import { ApiError, type Cluster } from "../ports.ts";
import type { Site } from "../sites.ts";
import { readAssignments } from "./assignments.ts";
import { type ContentSources, readContentSources } from "./content-sources.ts";
import { neighboursOf } from "./neighbours.ts";
import { dataPlanePod, memberOf, observedAdoptee, observedDaemonSet, otherPod, ownerOf } from "./members.ts";
import { recordFrom } from "./revision-records.ts";

/** The raw objects that one observation is made of, wherever they were read. */
export interface PopObjects {
  readonly pop: PopCluster;
  readonly window: MaintenanceWindow | undefined;
  readonly fleet: Fleet | undefined;
  readonly site: ObservedSite;
  readonly nodes: readonly NodeObject[];
  /** UIDs of nodes of the ledger that exist and that the selector matches no longer. */
  readonly deselected: ReadonlySet<string>;
  readonly pods: readonly PodObject[];
  /** Everybody's pods on these nodes, and those that pull for the PoP, as the cache has them: for host ports and evictions. */
  readonly allPods: readonly PodObject[];
  readonly daemonSets: readonly DaemonSetObject[];
  readonly records: readonly ControllerRevisionObject[];
  /** The ConfigMaps that content is, and was, loaded from. */
  readonly contentSources: ContentSources;
  /** What rollouts assign. */
  readonly assignments: PopAssignments;
  readonly live: boolean;
}

/** What the operator knows beside the objects. */
export interface PopSurroundings {
  readonly memory: PopMemory;
  readonly samples: (key: string) => readonly Sample[];
  readonly sampledKeys: () => Iterable<string>;
  /** The PoPs of its region, itself among them, as the hub's cache has them. */
  readonly pops: readonly PopCluster[];
  readonly defaultPrometheus: string | undefined;
  readonly partners: ReadonlyMap<string, number> | undefined;
}

/** Puts the objects together; decides nothing. */
export function popObservation(
  objects: PopObjects,
  { memory, samples, sampledKeys, pops, defaultPrometheus, partners }: PopSurroundings,
): PopClusterObservation {
  const { pop, window, fleet } = objects;
  const { name } = pop.metadata;
  const adoptee = objects.daemonSets.find((set) => set.metadata.name === pop.spec.adopt?.daemonSet.name);
  const pods = objects.pods.map((pod) => dataPlanePod(pod, name, adoptee?.metadata.uid)).filter((pod) => pod !== undefined);
  const members = objects.nodes.map(memberOf);
  memory.keepNodes(new Set(members.map((member) => member.uid)));
  return {
    pop: observedPop(pop, objects.assignments),
    window: window ? { found: true, spec: window.spec, problems: windowProblems(window.spec) } : { found: false },
    fleet: fleet
      ? {
          found: true,
          paused: fleet.spec.paused,
          freezes: fleet.spec.freezes ?? [],
          disruptions: fleet.status?.disruptions ?? [],
          waiting: fleet.status?.waiting ?? [],
          ...(fleet.spec.reason ? { reason: fleet.spec.reason } : {}),
        }
      : { found: false },
    ...(partners ? { partners } : {}),
    site: objects.site,
    members,
    deselected: objects.deselected,
    pods,
    foreignPods: foreignPods(objects, pods, adoptee),
    daemonSets: objects.daemonSets.filter((set) => set.metadata.labels?.[POP_LABEL] === name).map(observedDaemonSet),
    records: objects.records.map((record) => recordFrom(record, name)).filter((record) => record !== undefined),
    ...(adoptee ? { adoptee: observedAdoptee(adoptee) } : {}),
    ...(defaultPrometheus ? { defaultPrometheus } : {}),
    samples: new Map([...sampledKeys()].map((key) => [key, samples(key)])),
    dryRuns: memory.dryRuns(),
    drains: memory.drains(),
    drainedSessions: memory.drainedSessions,
    evictions: memory.evictions(),
    otherPods: pop.spec.strategy.drain.evictPods ? othersByNode(objects, pods) : new Map(),
    refusedMoves: memory.refusedMoves(),
    pulls: memory.pulls(),
    pullPods: pullPods(objects.allPods, name),
    contents: memory.contents(),
    ...objects.contentSources,
    neighbours: neighboursOf(pop, pops),
    live: objects.live,
  };
}

function observedPop(pop: PopCluster, assigned: PopAssignments): ObservedPop {
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
    ...(assigned.version ? { assignment: assigned.version } : {}),
    ...(assigned.content ? { contentAssignment: assigned.content } : {}),
  };
}

/** Pods of other DaemonSets, or of nobody, on our members that hold a host port which the template needs too (P16). */
function foreignPods(
  objects: PopObjects,
  ours: readonly DataPlanePod[],
  adoptee: DaemonSetObject | undefined,
): PopClusterObservation["foreignPods"] {
  const needed = new Set(hostPortsOf(objects.pop.spec.template.spec as Parameters<typeof hostPortsOf>[0]));
  if (needed.size === 0) return [];
  const known = new Set(ours.map((pod) => pod.uid));
  const members = new Set(objects.nodes.map((node) => node.metadata.name));
  return objects.allPods.flatMap((pod) => {
    // The cache may still show a pod of ours that the live list has seen go: ours is told by what the pod says of itself.
    const isOurs =
      dataPlanePod(pod, objects.pop.metadata.name, adoptee?.metadata.uid) !== undefined &&
      pod.metadata.namespace === objects.pop.spec.dataPlaneNamespace;
    if (isOurs || known.has(pod.metadata.uid) || !pod.spec.nodeName || !members.has(pod.spec.nodeName)) return [];
    const owner = ownerOf(pod);
    if (owner && owner.uid === adoptee?.metadata.uid) return [];
    const port = hostPortsOf(pod.spec).find((candidate) => needed.has(candidate));
    if (port === undefined) return [];
    return [
      {
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? "",
        node: pod.spec.nodeName,
        port,
        ...(owner ? { owner: owner.name } : {}),
      },
    ];
  });
}

function othersByNode(objects: PopObjects, ours: readonly DataPlanePod[]): Map<string, OtherPod[]> {
  const known = new Set(ours.map((pod) => pod.uid));
  const byNode = new Map<string, OtherPod[]>();
  for (const pod of objects.allPods) {
    const node = pod.spec.nodeName;
    if (
      !node ||
      known.has(pod.metadata.uid) ||
      pod.metadata.labels?.[PULL_LABEL] !== undefined ||
      pod.status?.phase === "Succeeded" ||
      pod.status?.phase === "Failed"
    )
      continue;
    byNode.set(node, [...(byNode.get(node) ?? []), otherPod(pod)]);
  }
  return byNode;
}

const selectorOf = (pop: PopCluster): string =>
  Object.entries(pop.spec.nodeSelector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** An empty selector takes every node of a cluster of the PoP's own, and none of the one that we run in: there are others' nodes too. */
const selectsAnything = ({ spec: { nodeSelector, kubeconfigSecretRef } }: PopCluster): boolean =>
  Object.keys(nodeSelector.matchLabels ?? {}).length > 0 || kubeconfigSecretRef !== undefined;

/** Does the PoP select a node; made once for many nodes. */
function selecting(pop: PopCluster): (node: NodeObject) => boolean {
  const wanted = Object.entries(pop.spec.nodeSelector.matchLabels ?? {});
  if (!selectsAnything(pop)) return () => false;
  return ({ metadata: { labels } }) => wanted.every(([key, value]) => labels?.[key] === value);
}

export const selects = (pop: PopCluster, node: NodeObject): boolean => selecting(pop)(node);

/** Where one PoP is read: `podsAround` are its own and everybody's on these nodes, from a cache; `cachedRollouts` only name whom to ask. */
export interface PopServers {
  readonly hub: Cluster;
  readonly site: Site;
  readonly podsAround: (nodes: readonly NodeObject[]) => readonly PodObject[];
  readonly cachedRollouts: readonly PopRollout[];
}

/**
 * Everything read from the servers just now; undefined when the PoPCluster is gone. A site that does not answer is part of what is seen.
 * `known` is the PoPCluster as it was last seen: what it names is asked for together with it, and once more when it has changed since, so
 * that nodes and pods are never older than the ledger.
 */
export async function readLive(
  servers: PopServers,
  known: PopCluster,
  memory: PopMemory,
  elapsed: number,
): Promise<PopObjects | undefined> {
  const { name, namespace } = known.metadata;
  const [pop, around] = await Promise.all([
    servers.hub.get<PopCluster>(POP_CLUSTER, name, namespace),
    readAround(servers, known).catch((error: unknown) => ({ error })),
  ]);
  if (!pop) return undefined;
  const isKnown = pop.metadata.uid === known.metadata.uid && pop.metadata.resourceVersion === known.metadata.resourceVersion;
  if (isKnown && "error" in around) throw around.error;
  return withSite(servers, pop, isKnown && !("error" in around) ? around : await readAround(servers, pop), memory, elapsed);
}

/** What a PoPCluster names, read side by side. */
async function readAround(servers: PopServers, pop: PopCluster) {
  const { hub, site } = servers;
  const { name, namespace } = pop.metadata;
  const [siteObjects, named, records] = await Promise.all([
    site.state === "Reachable" ? readSite(site.cluster, pop) : undefined,
    readNamed(servers, pop),
    hub.list(CONTROLLER_REVISION, { ...(namespace === undefined ? {} : { namespace }), labelSelector: `${POP_LABEL}=${name}` }),
  ]);
  return { siteObjects, named, records };
}

/** The single objects that a PoPCluster names at the hub. */
export async function readNamed(
  { hub, cachedRollouts }: PopServers,
  pop: PopCluster,
): Promise<Pick<PopObjects, "window" | "fleet" | "contentSources" | "assignments">> {
  const { namespace } = pop.metadata;
  const reading = readAssignments(hub, pop, cachedRollouts);
  const [window, fleet, assignments, contentSources] = await Promise.all([
    hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, pop.spec.windowRef.name, namespace),
    hub.get<Fleet>(FLEET, "fleet", namespace),
    reading,
    reading.then(({ content }) => readContentSources(hub, pop, content)),
  ]);
  return { window, fleet, contentSources, assignments };
}

function withSite(
  { site, podsAround }: PopServers,
  pop: PopCluster,
  { siteObjects, named, records }: Awaited<ReturnType<typeof readAround>>,
  memory: PopMemory,
  elapsed: number,
): PopObjects {
  const base = { pop, ...named, records, live: true };
  const nothing = { nodes: [], deselected: new Set<string>(), pods: [], allPods: [], daemonSets: [] };
  if (site.state === "CredentialsInvalid") return { ...base, ...nothing, site: { ...site, ageMilliseconds: lostFor(memory, elapsed) } };
  if (site.state === "Unreachable") return { ...base, ...nothing, site: silent(memory, site.message, elapsed) };
  if (siteObjects instanceof ApiError) {
    return { ...base, ...nothing, site: silent(memory, `${site.cluster.name} does not answer: ${siteObjects.message}`, elapsed) };
  }
  return { ...base, ...siteObjects!, allPods: podsAround(siteObjects!.nodes), site: reached(memory, pop, site.uid, elapsed) };
}

/** Nodes, pods and DaemonSets of one PoP; the error of a cluster that is not there, told from one that refuses. */
async function readSite(
  cluster: Cluster,
  pop: PopCluster,
): Promise<Pick<PopObjects, "nodes" | "deselected" | "pods" | "daemonSets"> | ApiError> {
  const places = { namespace: pop.spec.dataPlaneNamespace };
  const selector = { labelSelector: `${POP_LABEL}=${pop.metadata.name}` };
  try {
    // Pods before nodes, both after the ledger: a container seen on a node whose label and claim still stand afterwards is the one that
    // the claim is about. The other way round a drain could name the new container, which serves and has never heard the token.
    const [pods, daemonSets] = await Promise.all([
      cluster.list(POD, pop.spec.adopt ? places : { ...places, ...selector }),
      cluster.list(DAEMON_SET, pop.spec.adopt ? places : { ...places, ...selector }),
    ]);
    const nodes = selectsAnything(pop) ? await cluster.list(NODE, selectorOf(pop) ? { labelSelector: selectorOf(pop) } : {}) : [];
    return { ...(await withNodesInHand(cluster, pop, nodes)), pods, daemonSets };
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    return error;
  }
}

/** No answer, or one that says that the server is not there: told by code. */
export const isUnreachable = (error: unknown): error is ApiError => error instanceof ApiError && (error.code === 0 || error.code >= 500);

const silent = (memory: PopMemory, message: string, elapsed: number): ObservedSite => ({
  state: "Unreachable",
  message,
  ageMilliseconds: lostFor(memory, elapsed),
});

function lostFor(memory: PopMemory, elapsed: number): number {
  memory.unreachableSince ??= elapsed;
  return elapsed - memory.unreachableSince;
}

/** A cluster answers. It ends the PoP's silence only when it is the one that the PoP was pinned to (P17). */
export function reached(memory: PopMemory, pop: PopCluster, uid: string, elapsed: number): ObservedSite {
  const pinned = pop.status?.clusterUID;
  if (pinned !== undefined && pinned !== uid)
    return { state: "Reachable", uid, ageMilliseconds: lostFor(memory, elapsed), watchedMilliseconds: 0 };
  if (memory.unreachableSince !== undefined) memory.reachableSince = undefined;
  memory.unreachableSince = undefined;
  memory.reachableSince ??= elapsed;
  return { state: "Reachable", uid, ageMilliseconds: 0, watchedMilliseconds: elapsed - memory.reachableSince };
}

/** Entries of the ledger whose node is not among the members. */
const strayEntries = (pop: PopCluster, nodes: readonly NodeObject[]) => {
  const listed = new Set(nodes.map((node) => node.metadata.uid));
  return (pop.status?.nodes ?? []).filter((entry) => entry.skipped !== "Gone" && !listed.has(entry.uid));
};

export const isInHand = (entry: { readonly step: string; readonly token?: string | undefined }): boolean =>
  entry.token !== undefined && (entry.step === "Claimed" || entry.step === "Updating");

/**
 * Of the nodes that may be members those that the selector matches; one in hand stays a member until its step is over, whatever became of
 * its labels, so that it is looked up by its name.
 */
export function membersAmong(
  pop: PopCluster,
  candidates: readonly NodeObject[],
  named: (node: string) => NodeObject | undefined,
): Pick<PopObjects, "nodes" | "deselected"> {
  const nodes = candidates.filter(selecting(pop));
  const entries = strayEntries(pop, nodes);
  if (entries.length === 0) return { nodes, deselected: new Set() };
  const found = entries.map(({ name }) => named(name)).filter((node) => node !== undefined);
  const others = new Map(found.map((node) => [node.metadata.uid, node]));
  const strays = entries.filter((entry) => others.has(entry.uid));
  return {
    nodes: [...nodes, ...strays.filter(isInHand).map((entry) => others.get(entry.uid)!)],
    deselected: new Set(strays.filter((entry) => !isInHand(entry)).map((entry) => entry.uid)),
  };
}

/** The same from the server: what the list by labels does not show is looked up by name. */
async function withNodesInHand(
  cluster: Cluster,
  pop: PopCluster,
  listed: readonly NodeObject[],
): Promise<Pick<PopObjects, "nodes" | "deselected">> {
  const strays = strayEntries(pop, listed);
  if (strays.length === 0) return { nodes: listed, deselected: new Set() };
  const found = new Map(await Promise.all(strays.map(async ({ name }) => [name, await cluster.get(NODE, name)] as const)));
  const others = [...found.values()].filter((node) => node !== undefined);
  const unlisted = others.filter((node) => !listed.some((one) => one.metadata.uid === node.metadata.uid));
  return membersAmong(pop, [...listed, ...unlisted], (name) => found.get(name));
}

function pullPods(pods: readonly PodObject[], pop: string): PopClusterObservation["pullPods"] {
  return pods.flatMap((pod) => {
    const key = pullKey(pod, pop);
    if (key === undefined || pod.metadata.deletionTimestamp !== undefined) return [];
    return [
      {
        name: pod.metadata.name,
        namespace: pod.metadata.namespace ?? "",
        uid: pod.metadata.uid,
        key,
        over: pullOutcome(pod) !== undefined,
      },
    ];
  });
}
