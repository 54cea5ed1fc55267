import type { Condition, ObjectMeta } from "../api/common.ts";
import type { SocketSite } from "../api/socket-site.ts";
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

/** Texts that thousands of objects have alike, kept once; begun anew when full, so that nobody's odd ones fill it for ever. */
const shared = new Map<string, string>();
const MOST_SHARED = 10_000;
const LONGEST_SHARED = 128;

function once(text: string): string {
  const known = shared.get(text);
  if (known !== undefined) return known;
  if (text.length > LONGEST_SHARED) return text;
  if (shared.size >= MOST_SHARED) shared.clear();
  shared.set(text, text);
  return text;
}

/** Whole parts that most sites have alike: checks of a pair that are all Ready, why a site waits for its ramp. */
const sharedParts = new Map<string, object>();

function oncePart<Part extends object>(part: Part): Part {
  const text = JSON.stringify(part);
  const known = sharedParts.get(text);
  if (known !== undefined) return known as Part;
  if (sharedParts.size >= MOST_SHARED) sharedParts.clear();
  sharedParts.set(text, part);
  return part;
}

const slimCondition = (condition: Condition): Condition => ({
  ...condition,
  type: once(condition.type),
  reason: once(condition.reason),
  message: once(condition.message),
  lastTransitionTime: once(condition.lastTransitionTime),
});

/**
 * A site is kept by the hundred thousand. Dropped: coming windows and weeks behind, which are computed and compared with nothing; what
 * most sites have alike is kept once.
 */
export function projectSocketSite(site: SocketSite): SocketSite {
  const { status, ...rest } = keepMetadata(site);
  if (status === undefined) return rest;
  const { next: _, weeksBehind: __, ...kept } = status;
  return {
    ...rest,
    status: {
      ...kept,
      ...(kept.ha === undefined ? {} : { ha: { ...kept.ha, checks: oncePart(kept.ha.checks) } }),
      ...(kept.holds === undefined ? {} : { holds: oncePart(kept.holds) }),
      ...(kept.conditions === undefined ? {} : { conditions: kept.conditions.map((one) => oncePart(slimCondition(one))) }),
    },
  };
}
