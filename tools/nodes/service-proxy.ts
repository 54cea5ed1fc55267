// What kube-proxy reads where one of it serves all nodes, at the router between them.
import { GATEWAY, type NodePlan } from "./node-files.ts";

/** `10.98.NUMBER.0/24` are a node's pods. */
const PODS = "10.98.0.0/16";

/** The addresses of Services, as the control plane gives them. */
export const SERVICES = "10.0.0.0/24";

/** It needs a node to be of, whichever; the machine's limits of connections are left alone. */
export const serviceProxyOf = ({ name }: Pick<NodePlan, "name">, kubeconfig: string) => ({
  apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
  kind: "KubeProxyConfiguration",
  mode: "nftables",
  hostnameOverride: name,
  clusterCIDR: PODS,
  clientConnection: { kubeconfig },
  conntrack: { maxPerCore: 0, tcpEstablishedTimeout: "0s", tcpCloseWaitTimeout: "0s" },
  nftables: { minSyncPeriod: "100ms" },
  metricsBindAddress: "127.0.0.1:10249",
  healthzBindAddress: "127.0.0.1:10256",
});

/** Where the Service `kubernetes` leads: to the relay, because the API server itself is in another network. */
export const endpointsOfApi = () => ({
  metadata: { name: "kubernetes", labels: { "kubernetes.io/service-name": "kubernetes" } },
  addressType: "IPv4",
  endpoints: [{ addresses: [GATEWAY], conditions: { ready: true } }],
  ports: [{ name: "https", port: 443, protocol: "TCP" }],
});
