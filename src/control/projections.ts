import type { ObjectMeta } from "../api/common.ts";
import type { NodeObject, PodObject, PodSpec } from "./objects.ts";
import type { KubernetesObject } from "./ports.ts";

/** What caches keep of objects that stay in memory by the thousand. */

/** Annotations that a cached object keeps: ours. Others can be long (`last-applied-configuration` is the object once more). */
const OUR_ANNOTATIONS = /(^|\.)rollward\.dev\//;

/** Metadata as declared in ObjectMeta: without managedFields, and with no annotation but ours. */
function slimMetadata(metadata: ObjectMeta): ObjectMeta {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, deletionTimestamp, labels, finalizers, ownerReferences } =
    metadata;
  const ours = Object.entries(metadata.annotations ?? {}).filter(([key]) => OUR_ANNOTATIONS.test(key));
  return withoutUndefined({
    name,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    labels,
    finalizers,
    ownerReferences,
    annotations: ours.length > 0 ? Object.fromEntries(ours) : undefined,
  }) as ObjectMeta;
}

/** Leaves out what is undefined, so that a projected object compares equal to one that never had the field. */
function withoutUndefined(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Everything but other people's metadata. */
export const keepMetadata = <T extends KubernetesObject>(object: T): T => ({ ...object, metadata: slimMetadata(object.metadata) });

/**
 * Kept: labels (they choose members and revision), the claim, unschedulable, taints, conditions, addresses.
 * Dropped: status.images (the greatest part of a node), capacity and allocatable, nodeInfo but boot ID and kubelet version.
 */
export function projectNode(node: NodeObject): NodeObject {
  const { apiVersion, kind, metadata, spec, status } = node;
  const info = status?.nodeInfo;
  return withoutUndefined({
    apiVersion,
    kind,
    metadata: slimMetadata(metadata),
    spec,
    status:
      status &&
      withoutUndefined({
        conditions: status.conditions,
        addresses: status.addresses,
        nodeInfo: info && { kubeletVersion: info.kubeletVersion, bootID: info.bootID },
      }),
  }) as NodeObject;
}

/**
 * Kept: labels, owner, deletion, node, images and ports, and the whole status (rules P5, P6, P9 read each part of it).
 * Dropped: environment, volumes, probes, resources, tolerations, affinity.
 */
export function projectPod(pod: PodObject): PodObject {
  const { apiVersion, kind, metadata, spec, status } = pod;
  return withoutUndefined({
    apiVersion,
    kind,
    metadata: slimMetadata(metadata),
    status,
    spec: withoutUndefined({
      nodeName: spec.nodeName,
      hostNetwork: spec.hostNetwork,
      terminationGracePeriodSeconds: spec.terminationGracePeriodSeconds,
      containers: spec.containers.map(({ name, image, ports }) => withoutUndefined({ name, image, ports })),
    }) as PodSpec,
  }) as PodObject;
}
