import type {
  ConfigMapObject,
  ControllerRevisionObject,
  DaemonSetObject,
  EventObject,
  LeaseObject,
  NamespaceObject,
  NodeObject,
  PodDisruptionBudgetObject,
  PodObject,
  SecretObject,
} from "./objects.ts";
import type { Kind, KubernetesObject } from "./ports.ts";
import { keepMetadata, projectNode, projectPod } from "./projections.ts";

/** A kind is asked for together with the shape of its objects. */
export type * from "./objects.ts";

/**
 * The kinds of Kubernetes itself that Rollward reads and writes, as descriptors for the Cluster port. A projection decides what a cache
 * keeps (thousands of nodes and pods stay in memory); `get`, `list`, and the answers of writes are always the full object. **Never
 * `update` an object that came from a cache**: what the projection dropped would be erased. Patch it, or read it live first.
 */

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
