import type { ObjectMeta } from "../api/common.ts";
import type { Kind, KubernetesObject } from "./ports.ts";

/**
 * The kinds of Kubernetes itself that Rollward reads and writes, as descriptors for the Cluster port with the part of their shape that
 * somebody here reads. A projection decides what a cache keeps (thousands of nodes and pods stay in memory); `get`, `list`, and the
 * answers of writes are always the full object. **Never `update` an object that came from a cache**: what the projection dropped would
 * be erased. Patch it, or read it live first.
 */

export interface ObjectCondition {
  readonly type: string;
  readonly status: "True" | "False" | "Unknown";
  readonly reason?: string;
  readonly message?: string;
  /** RFC 3339. */
  readonly lastTransitionTime?: string;
  /** Nodes only: RFC 3339, when the kubelet last said so. */
  readonly lastHeartbeatTime?: string;
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  readonly timeAdded?: string;
}

export interface NodeObject extends KubernetesObject {
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly Taint[]; readonly providerID?: string };
  readonly status?: {
    readonly conditions?: readonly ObjectCondition[];
    readonly addresses?: readonly { readonly type: string; readonly address: string }[];
    readonly nodeInfo?: Readonly<Record<string, unknown>> & { readonly kubeletVersion: string; readonly bootID: string };
    readonly allocatable?: Readonly<Record<string, string>>;
    readonly capacity?: Readonly<Record<string, string>>;
  };
}

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  readonly hostPort?: number;
  readonly protocol?: string;
}

/** What we look at is declared; the rest of the user's text is preserved (kinds.md: `template`). */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly ports?: readonly ContainerPort[];
  readonly readinessProbe?: { readonly httpGet?: { readonly path?: string; readonly port: number | string } };
  readonly [field: string]: unknown;
}

export interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly containerID?: string;
  readonly ready: boolean;
  readonly started?: boolean;
  readonly restartCount: number;
  readonly state?: ContainerState;
  readonly lastState?: ContainerState;
}

export interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly running?: { readonly startedAt?: string };
  readonly terminated?: {
    readonly exitCode: number;
    readonly reason?: string;
    readonly message?: string;
    readonly startedAt?: string;
    readonly finishedAt?: string;
  };
}

/** Like Container: declared is what we look at. */
export interface PodSpec {
  readonly nodeName?: string;
  readonly hostNetwork?: boolean;
  readonly restartPolicy?: "Always" | "OnFailure" | "Never";
  readonly terminationGracePeriodSeconds?: number;
  readonly containers: readonly Container[];
  readonly volumes?: readonly {
    readonly name: string;
    readonly image?: { readonly reference?: string };
    readonly [source: string]: unknown;
  }[];
  readonly tolerations?: readonly Readonly<Record<string, unknown>>[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface PodObject extends KubernetesObject {
  readonly spec: PodSpec;
  readonly status?: {
    readonly phase?: "Pending" | "Running" | "Succeeded" | "Failed" | "Unknown";
    readonly reason?: string;
    readonly message?: string;
    readonly conditions?: readonly ObjectCondition[];
    readonly podIP?: string;
    readonly podIPs?: readonly { readonly ip: string }[];
    readonly hostIP?: string;
    readonly startTime?: string;
    readonly containerStatuses?: readonly ContainerStatus[];
    readonly initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface DaemonSetObject extends KubernetesObject {
  readonly spec: {
    readonly selector: LabelSelector;
    readonly template: { readonly metadata?: Partial<Pick<ObjectMeta, "labels" | "annotations">>; readonly spec: PodSpec };
    readonly updateStrategy?: { readonly type?: "OnDelete" | "RollingUpdate"; readonly rollingUpdate?: Readonly<Record<string, unknown>> };
    readonly minReadySeconds?: number;
    readonly revisionHistoryLimit?: number;
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly currentNumberScheduled?: number;
    readonly desiredNumberScheduled?: number;
    readonly numberReady?: number;
    readonly numberAvailable?: number;
    readonly updatedNumberScheduled?: number;
  };
}

/** An immutable record of a revision (kinds.md): `data` never changes once created. */
export interface ControllerRevisionObject extends KubernetesObject {
  readonly revision: number;
  readonly data?: unknown;
}

export interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  /** Values in base64. */
  readonly data?: Readonly<Record<string, string>>;
}

export interface ConfigMapObject extends KubernetesObject {
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  /** Values in base64. */
  readonly binaryData?: Readonly<Record<string, string>>;
}

export interface LeaseObject extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    /** RFC 3339 with microseconds. */
    readonly acquireTime?: string;
    /** RFC 3339 with microseconds. */
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

export interface PodDisruptionBudgetObject extends KubernetesObject {
  readonly spec: { readonly selector?: LabelSelector; readonly minAvailable?: number | string; readonly maxUnavailable?: number | string };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly disruptionsAllowed?: number;
    readonly currentHealthy?: number;
    readonly desiredHealthy?: number;
    readonly expectedPods?: number;
    readonly conditions?: readonly ObjectCondition[];
  };
}

export interface NamespaceObject extends KubernetesObject {
  readonly status?: { readonly phase?: "Active" | "Terminating" };
}

/** An event of `events.k8s.io/v1`. */
export interface EventObject extends KubernetesObject {
  /** RFC 3339 with microseconds. */
  readonly eventTime?: string | null;
  readonly type?: "Normal" | "Warning";
  readonly reason?: string;
  readonly action?: string;
  readonly note?: string;
  readonly reportingController?: string;
  readonly reportingInstance?: string;
  readonly regarding?: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
  };
  readonly series?: { readonly count: number; readonly lastObservedTime: string };
}

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

const keepMetadata = <T extends KubernetesObject>(object: T): T => ({ ...object, metadata: slimMetadata(object.metadata) });

/**
 * Kept: labels (they choose members and revision), the claim, unschedulable, taints, conditions, addresses.
 * Dropped: status.images (the greatest part of a node), capacity and allocatable, nodeInfo but boot ID and kubelet version.
 */
function projectNode(node: NodeObject): NodeObject {
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
function projectPod(pod: PodObject): PodObject {
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

const kind = <T extends KubernetesObject>(
  apiVersion: string,
  name: string,
  plural: string,
  namespaced: boolean,
  project: (object: T) => T,
): Kind<T> => ({
  apiVersion,
  kind: name,
  plural,
  namespaced,
  project,
});

export const NODE: Kind<NodeObject> = kind("v1", "Node", "nodes", false, projectNode);
export const POD: Kind<PodObject> = kind("v1", "Pod", "pods", true, projectPod);
/** Spec kept whole: a DaemonSet edited by hand is told from the record by comparing all of it. */
export const DAEMON_SET: Kind<DaemonSetObject> = kind("apps/v1", "DaemonSet", "daemonsets", true, keepMetadata);
/** Data kept whole: DaemonSets are rendered from the record. */
export const CONTROLLER_REVISION: Kind<ControllerRevisionObject> = kind(
  "apps/v1",
  "ControllerRevision",
  "controllerrevisions",
  true,
  keepMetadata,
);
/** Data kept whole: watch single Secrets by field selector, never a whole namespace of other people's secrets. */
export const SECRET: Kind<SecretObject> = kind("v1", "Secret", "secrets", true, keepMetadata);
export const CONFIG_MAP: Kind<ConfigMapObject> = kind("v1", "ConfigMap", "configmaps", true, keepMetadata);
export const LEASE: Kind<LeaseObject> = kind("coordination.k8s.io/v1", "Lease", "leases", true, keepMetadata);
export const POD_DISRUPTION_BUDGET: Kind<PodDisruptionBudgetObject> = kind(
  "policy/v1",
  "PodDisruptionBudget",
  "poddisruptionbudgets",
  true,
  keepMetadata,
);
export const NAMESPACE: Kind<NamespaceObject> = kind("v1", "Namespace", "namespaces", false, keepMetadata);
export const EVENT: Kind<EventObject> = kind("events.k8s.io/v1", "Event", "events", true, keepMetadata);
