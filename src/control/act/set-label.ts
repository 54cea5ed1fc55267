import type { PopAction } from "../../core/pop-cluster/action.ts";
import { NODE, type NodeObject } from "../kinds.ts";
import type { Cluster } from "../ports.ts";
import { fence, labelAsSeen, setLabel as labelOperations } from "./node-patch.ts";

/** R8, R9 and joining: the revision label moves, tested as it was seen; moving it replaces the pod on just that node. */
export async function setLabel(site: Cluster, { node, label }: Extract<PopAction, { kind: "SetLabel" }>): Promise<NodeObject> {
  return site.patch(NODE, node.name, undefined, [...fence(node), labelAsSeen(node), ...labelOperations(node, label)]);
}
