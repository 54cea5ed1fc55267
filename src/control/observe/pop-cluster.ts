import { POP_LABEL } from "../../api/names.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { hostPortsOf } from "../../core/pop-cluster/daemon-set.ts";
import type { DataPlanePod, ObservedPop, ObservedSite, OtherPod, PopClusterObservation } from "../../core/pop-cluster/observation.ts";
import type { Sample } from "../../core/health/probe.ts";
import type { PopAssignments } from "../../core/rollout/assignment.ts";
import { windowProblems } from "../../core/window/parse.ts";
import type { ControllerRevisionObject, DaemonSetObject, NodeObject, PodObject } from "../kinds.ts";
import { PULL_LABEL, pullKey, pullOutcome } from "../act/pull-images.ts";
import type { PopMemory } from "../pop-memory.ts";
import type { ContentSources } from "./content-sources.ts";
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
