import { released } from "../../core/pop-cluster/token.ts";
import type { PopAction } from "../../core/pop-cluster/action.ts";
import { NODE, type NodeObject } from "../kinds.ts";
import type { Cluster } from "../ports.ts";
import { fence, labelAsSeen, removeTaint, setClaim } from "./node-patch.ts";

/**
 * R10 and R6b: the claim is ended, never removed, so that its value does not come back; our taint goes in the same patch. A give-back
 * tests the label too: once it has left, the change is made and the node is finished instead.
 */
export async function releaseNode(
  site: Cluster,
  { node, token, giveBack }: Extract<PopAction, { kind: "ReleaseNode" }>,
): Promise<NodeObject> {
  const label = giveBack ? [labelAsSeen(node)] : [];
  return site.patch(NODE, node.name, undefined, [...fence(node), ...label, ...setClaim(node, released(token)), ...removeTaint(node)]);
}
