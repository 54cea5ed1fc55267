import { CLAIM_ANNOTATION, POP_LABEL, POP_REVISION_LABEL, REVISION_LABEL } from "../../api/names.ts";
import type { DataPlanePod, Member, ObservedAdoptee, ObservedDaemonSet, OtherPod } from "../../core/pop-cluster/observation.ts";
import { GENERATION_ANNOTATION, hostPortsOf } from "../../core/pop-cluster/daemon-set.ts";
import { NO_REVISION } from "../../core/pop-cluster/revision.ts";
import type { DaemonSetObject, NodeObject, PodObject } from "../kinds.ts";

/** A Node as the observation holds it; nothing defaulted but what Kubernetes itself leaves out when false. */
export function memberOf(node: NodeObject): Member {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready")?.status ?? "Unknown";
  const address = node.status?.addresses?.find((entry) => entry.type === "InternalIP")?.address;
  const label = node.metadata.labels?.[REVISION_LABEL];
  const claim = node.metadata.annotations?.[CLAIM_ANNOTATION];
  const bootID = node.status?.nodeInfo?.bootID;
  return {
    name: node.metadata.name,
    uid: node.metadata.uid,
    ...(label === undefined ? {} : { label }),
    ...(claim === undefined ? {} : { claim }),
    taints: node.spec?.taints,
    annotated: node.metadata.annotations !== undefined,
    unschedulable: node.spec?.unschedulable ?? false,
    ready,
    deleting: node.metadata.deletionTimestamp !== undefined,
    ...(address === undefined ? {} : { address }),
    // Kubelets of some virtual nodes register without one.
    ...(bootID ? { bootID } : {}),
    labels: node.metadata.labels ?? {},
  };
}

export const ownerOf = (pod: PodObject) => pod.metadata.ownerReferences?.find((owner) => owner.controller === true);

/** A pod of this PoP's data plane, or undefined when it is somebody else's. */
export function dataPlanePod(pod: PodObject, pop: string, adopted: string | undefined): DataPlanePod | undefined {
  const owner = ownerOf(pod);
  const labels = pod.metadata.labels ?? {};
  const ours = labels[POP_LABEL] === pop && labels[POP_REVISION_LABEL] !== undefined;
  const revision = ours ? labels[POP_REVISION_LABEL]! : owner?.uid === adopted && adopted !== undefined ? NO_REVISION : undefined;
  if (revision === undefined || owner?.kind !== "DaemonSet" || pod.spec.nodeName === undefined) return undefined;
  const statuses = pod.status?.containerStatuses ?? [];
  const address = pod.status?.podIP ?? pod.status?.hostIP;
  return {
    name: pod.metadata.name,
    namespace: pod.metadata.namespace ?? "",
    uid: pod.metadata.uid,
    node: pod.spec.nodeName,
    daemonSetUID: owner.uid,
    revision,
    ready: pod.status?.conditions?.find((condition) => condition.type === "Ready")?.status === "True",
    phase: pod.status?.phase ?? "Unknown",
    deleting: pod.metadata.deletionTimestamp !== undefined,
    ...(address === undefined ? {} : { address }),
    hostPorts: hostPortsOf(pod.spec),
    containers: pod.spec.containers.map((container) => {
      const status = statuses.find((candidate) => candidate.name === container.name);
      const waiting = status?.state?.waiting;
      return {
        name: container.name,
        ready: status?.ready ?? false,
        restarts: status?.restartCount ?? 0,
        ...(waiting?.reason === undefined ? {} : { waiting: waiting.reason }),
        ...(waiting?.message === undefined ? {} : { message: waiting.message.slice(0, 256) }),
        ...(status?.imageID === undefined ? {} : { imageID: status.imageID }),
        ...(status?.containerID === undefined ? {} : { containerID: status.containerID }),
      };
    }),
  };
}

export function otherPod(pod: PodObject): OtherPod {
  const owner = ownerOf(pod);
  return {
    name: pod.metadata.name,
    namespace: pod.metadata.namespace ?? "",
    uid: pod.metadata.uid,
    ...(owner ? { controller: owner.kind } : {}),
  };
}

/** Only the generation that we wrote is ours: a hand edit of the spec moves it. */
export function observedDaemonSet(set: DaemonSetObject): ObservedDaemonSet {
  const written = set.metadata.annotations?.[GENERATION_ANNOTATION];
  return {
    name: set.metadata.name,
    namespace: set.metadata.namespace ?? "",
    uid: set.metadata.uid,
    revision: set.metadata.labels?.[POP_REVISION_LABEL] ?? "",
    intact: written !== undefined && Number(written) === set.metadata.generation,
    deleting: set.metadata.deletionTimestamp !== undefined,
    resourceVersion: set.metadata.resourceVersion,
  };
}

interface NodeAffinity {
  readonly nodeAffinity?: {
    readonly requiredDuringSchedulingIgnoredDuringExecution?: {
      readonly nodeSelectorTerms?: readonly {
        readonly matchExpressions?: readonly { readonly key: string; readonly operator: string }[];
      }[];
    };
  };
}

export function observedAdoptee(set: DaemonSetObject): ObservedAdoptee {
  const affinity = set.spec.template.spec.affinity as NodeAffinity | undefined;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const excludes =
    terms.length > 0 &&
    terms.every((term) => term.matchExpressions?.some((one) => one.key === REVISION_LABEL && one.operator === "DoesNotExist"));
  return {
    name: set.metadata.name,
    uid: set.metadata.uid,
    onDelete: set.spec.updateStrategy?.type === "OnDelete",
    excludesOurNodes: excludes,
    observed: set.status?.observedGeneration === set.metadata.generation,
  };
}
