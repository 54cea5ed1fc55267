import { KubeConfig } from "@kubernetes/client-node";
import { RealClock } from "../../../src/control/clock/real-clock.ts";
import type { Kind, KubernetesObject } from "../../../src/control/ports.ts";
import { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import type { ReflectorTimings } from "../../../src/kubernetes/reflector.ts";
import { Transport, type TransportSettings } from "../../../src/kubernetes/transport.ts";
import type { ControlPlane } from "../../../tools/control-plane/run.ts";

export interface ConfigMap extends KubernetesObject {
  readonly data?: Readonly<Record<string, string>>;
}
export interface Node extends KubernetesObject {
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status?: { readonly conditions?: readonly unknown[] };
}
export interface Pod extends KubernetesObject {
  readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[]; readonly nodeName?: string };
  readonly status?: unknown;
}
export const CONFIG_MAP: Kind<ConfigMap> = { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true };
export const NODE: Kind<Node> = { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false };
export const POD: Kind<Pod> = { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true };
export const NAMESPACE: Kind = { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };

export const clock = new RealClock();

export function transportTo(plane: ControlPlane, settings: Partial<TransportSettings> = {}): Transport {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(plane.kubeconfig("admin"));
  return new Transport({ kubeconfig, name: "the hub", userAgent: "rollward/0.0.0-test", clock, ...settings });
}

export function clusterOf(
  plane: ControlPlane,
  settings: Partial<TransportSettings> = {},
  timings: Partial<ReflectorTimings> = {},
): KubernetesCluster {
  return new KubernetesCluster({ transport: transportTo(plane, settings), clock, log: () => {}, timings });
}
