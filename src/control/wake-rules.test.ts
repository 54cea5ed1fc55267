import { expect, it } from "vitest";
import { POP_LABEL } from "../api/names.ts";
import { popDraft } from "../simulation/world.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { NodeObject, PodObject } from "./kinds.ts";
import { wakeRules } from "./wake-rules.ts";

const popOf = (name: string, adopts?: string): PopCluster => {
  const { spec } = popDraft(name) as unknown as PopCluster;
  const adopt = adopts === undefined ? {} : { adopt: { daemonSet: { name: adopts } } };
  return { metadata: { name, namespace: "fleet" }, spec: { ...spec, ...adopt } } as unknown as PopCluster;
};
const POPS = [popOf("fra1"), popOf("ams1"), popOf("old1", "legacy")];
const nodeOf = (pop: string) => ({ metadata: { name: `${pop}-n1`, labels: { [POP_LABEL]: pop } } }) as unknown as NodeObject;
const podOf = (labels: object, ports: readonly object[], owner?: string) =>
  ({
    metadata: { name: "p", labels, ...(owner === undefined ? {} : { ownerReferences: [{ name: owner, controller: true }] }) },
    spec: { nodeName: "n", containers: [{ name: "c", ports }] },
  }) as unknown as PodObject;

it.each([
  ["joins", nodeOf("fra1"), undefined, ["fra1"]],
  ["leaves the selector without ever having been in a ledger", nodeOf("nobody"), nodeOf("fra1"), ["fra1"]],
  ["moves from one PoP to another", nodeOf("ams1"), nodeOf("fra1"), ["fra1", "ams1"]],
  ["concerns nobody", nodeOf("nobody"), nodeOf("nobody"), []],
])("[P16] a node that changes wakes whose member it is and was, when it %s", (_, node, before, woken) => {
  expect(wakeRules.popsOfNode(node, before, POPS)).toEqual(woken);
});

const HOST_PORT = [{ containerPort: 8080, hostPort: 8080 }];
it.each([
  ["of a PoP: it alone", podOf({ [POP_LABEL]: "ams1" }, HOST_PORT), nodeOf("fra1"), ["ams1"]],
  ["of somebody with a host port: the PoPs of its node", podOf({}, HOST_PORT), nodeOf("fra1"), ["fra1"]],
  ["of somebody without a host port: nobody", podOf({}, [{ containerPort: 8080 }]), nodeOf("fra1"), []],
  ["with a host port on a node that is not known: nobody", podOf({}, HOST_PORT), undefined, []],
  ["of a DaemonSet that a PoP adopts: that PoP, and the one of its node", podOf({}, HOST_PORT, "legacy"), nodeOf("fra1"), ["fra1", "old1"]],
])("[P16] a pod that changes wakes, when it is %s", (_, pod, node, woken) => {
  expect(wakeRules.popsOfPod(pod, node, POPS)).toEqual(woken);
});
