import type { PopAction } from "../../core/pop-cluster/action.ts";
import { NODE, type NodeObject } from "../kinds.ts";
import type { Cluster } from "../ports.ts";
import { addTaint, fence, setClaim } from "./node-patch.ts";

/** R5 and the fence of RB: claim and taint in one patch. */
export async function claimNode(site: Cluster, { node, token }: Extract<PopAction, { kind: "ClaimNode" }>): Promise<NodeObject> {
  return site.patch(NODE, node.name, undefined, [...fence(node), ...setClaim(node, token), ...addTaint(node, token)]);
}
