import type { ObjectMeta } from "../../api/common.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import type { ClusterEvent, Draft, Kind, KubernetesObject } from "../../control/ports.ts";

/** Kinds of Kubernetes that the demo itself writes or watches. */
export const CUSTOM_RESOURCE_DEFINITION: Kind<CustomResourceDefinitionObject> = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

export interface CustomResourceDefinitionObject extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export const NAMESPACE_KIND: Kind = { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };

/** The namespace of a customer account, as administrators make it. */
export const accountNamespace = (name: string): Draft<KubernetesObject> => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { [ACCOUNT_LABEL]: name } },
});

export interface EventObject extends Partial<Omit<ClusterEvent, "regarding">> {
  readonly metadata: ObjectMeta;
  readonly regarding?: Partial<ClusterEvent["regarding"]>;
}

export const EVENT: Kind<EventObject> = { apiVersion: "events.k8s.io/v1", kind: "Event", plural: "events", namespaced: true };

export const DAEMON_SET: Kind = { apiVersion: "apps/v1", kind: "DaemonSet", plural: "daemonsets", namespaced: true };
