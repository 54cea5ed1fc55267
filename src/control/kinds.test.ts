import { describe, expect, test } from "vitest";
import { DAEMON_SET, NODE, type NodeObject, POD, type PodObject } from "./kinds.ts";

const metadata = {
  name: "one",
  uid: "u1",
  resourceVersion: "7",
  labels: { pop: "tyo" },
  annotations: { "rollward.dev/claim": "released:t1", "kubectl.kubernetes.io/last-applied-configuration": "{…}" },
  managedFields: [{ manager: "kubelet" }],
};

describe("what a cache keeps", () => {
  test("of a node: the claim, labels, cordon, taints, conditions and addresses; not its images, resources and other annotations", () => {
    const taints = [{ key: "rollward.dev/updating", value: "t1", effect: "NoSchedule" as const }];
    const status = {
      conditions: [{ type: "Ready", status: "True" as const }],
      addresses: [{ type: "InternalIP", address: "127.1.0.1" }],
      allocatable: { cpu: "4" },
      images: [{ names: ["a"] }],
      nodeInfo: { kubeletVersion: "v1.36.3", bootID: "b1", osImage: "x" },
    };
    const node = { apiVersion: "v1", kind: "Node", metadata, spec: { unschedulable: true, taints }, status } as unknown as NodeObject;
    expect(NODE.project?.(node)).toEqual({
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: "one",
        uid: "u1",
        resourceVersion: "7",
        labels: { pop: "tyo" },
        annotations: { "rollward.dev/claim": "released:t1" },
      },
      spec: { unschedulable: true, taints },
      status: { conditions: status.conditions, addresses: status.addresses, nodeInfo: { kubeletVersion: "v1.36.3", bootID: "b1" } },
    });
  });

  test("of a pod: its node, images, ports and whole status; not environment, volumes and probes", () => {
    const containers = [{ name: "pop", image: "pop:1", ports: [{ containerPort: 8080 }], env: [{ name: "A", value: "b" }] }];
    const status = { phase: "Running", containerStatuses: [{ name: "pop", imageID: "pop@sha256:1", restartCount: 2 }] };
    const pod = {
      metadata,
      spec: { nodeName: "n1", hostNetwork: true, containers, volumes: [{ name: "v" }] },
      status,
    } as unknown as PodObject;
    const kept = POD.project?.(pod);
    expect(kept?.spec).toEqual({
      nodeName: "n1",
      hostNetwork: true,
      containers: [{ name: "pop", image: "pop:1", ports: [{ containerPort: 8080 }] }],
    });
    expect(kept?.status).toEqual(status);
  });

  test("of an object without annotations, status or spec: no field that is undefined", () => {
    const bare = { metadata: { name: "one", uid: "u1", resourceVersion: "7" } };
    expect(Object.keys(NODE.project?.(bare) ?? {})).toEqual(["metadata"]);
    expect(Object.keys(NODE.project?.(bare).metadata ?? {})).toEqual(["name", "uid", "resourceVersion"]);
  });

  test("of a DaemonSet: the whole spec, because an edit by hand is told by comparing it with the record", () => {
    const spec = { selector: {}, template: { spec: { containers: [{ name: "pop", image: "pop:1", env: [{ name: "A" }] }] } } };
    expect(DAEMON_SET.project?.({ metadata, spec }).spec).toEqual(spec);
  });
});
