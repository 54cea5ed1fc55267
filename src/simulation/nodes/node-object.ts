import { POP_LABEL } from "../../api/names.ts";
import type { NodeObject } from "../../control/kinds.ts";
import type { Draft } from "../../control/ports.ts";

/** A virtual node as it is asked for. */
export interface NodeSpec {
  readonly name: string;
  readonly pop: string;
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** What a kubelet registers: names the PoP and zone in labels; its conditions come with the first status. */
export function nodeDraft({ name, pop, zone, labels }: NodeSpec): Draft<NodeObject> {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        [POP_LABEL]: pop,
        ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }),
        ...labels,
      },
    },
    spec: { providerID: `rollward-virtual://${name}` },
  };
}

/** The status of a healthy node. `timestamp` is RFC 3339; the Ready condition keeps its instant while it stays True. */
export function nodeStatus(node: NodeObject, address: string, bootID: string, timestamp: string): NonNullable<NodeObject["status"]> {
  const resources = { cpu: "16", memory: "64Gi", pods: "110", "ephemeral-storage": "100Gi" };
  const before = node.status?.conditions ?? [];
  const condition = (type: string, status: "True" | "False", reason: string, message: string) => {
    const same = before.find((one) => one.type === type && one.status === status);
    return { type, status, reason, message, lastHeartbeatTime: timestamp, lastTransitionTime: same?.lastTransitionTime ?? timestamp };
  };
  return {
    ...node.status,
    conditions: [
      condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
      condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
      condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
      condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ],
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: node.metadata.name },
    ],
    capacity: resources,
    allocatable: resources,
    nodeInfo: {
      machineID: "",
      systemUUID: "",
      bootID,
      kernelVersion: "",
      osImage: "virtual",
      containerRuntimeVersion: "virtual://1.0",
      kubeletVersion: "v1.36.3",
      kubeProxyVersion: "",
      operatingSystem: "linux",
      architecture: "amd64",
    },
  };
}

/** The status of a node that nobody hears from, as the node controller writes it. */
export function silentNodeStatus(node: NodeObject, timestamp: string): NonNullable<NodeObject["status"]> {
  const conditions = (node.status?.conditions ?? []).map((one) =>
    one.status === "Unknown"
      ? one
      : {
          ...one,
          status: "Unknown" as const,
          reason: "NodeStatusUnknown",
          message: "Kubelet stopped posting node status.",
          lastTransitionTime: timestamp,
        },
  );
  return { ...node.status, conditions };
}
