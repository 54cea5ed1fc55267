import type { PopCluster } from "../../api/pop-cluster.ts";
import type { NodeObject } from "../kinds.ts";
import type { PopObjects } from "./pop-cluster.ts";

/** As a list asks for them. */
export const selectorOf = (pop: PopCluster): string =>
  Object.entries(pop.spec.nodeSelector.matchLabels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** An empty selector takes every node of a cluster of the PoP's own, and none of the one that we run in: there are others' nodes too. */
export const selectsAnything = ({ spec: { nodeSelector, kubeconfigSecretRef } }: PopCluster): boolean =>
  Object.keys(nodeSelector.matchLabels ?? {}).length > 0 || kubeconfigSecretRef !== undefined;

/** Does the PoP select a node; made once for many nodes. */
function selecting(pop: PopCluster): (node: NodeObject) => boolean {
  const wanted = Object.entries(pop.spec.nodeSelector.matchLabels ?? {});
  if (!selectsAnything(pop)) return () => false;
  return ({ metadata: { labels } }) => wanted.every(([key, value]) => labels?.[key] === value);
}

export const selects = (pop: PopCluster, node: NodeObject): boolean => selecting(pop)(node);

/** Entries of the ledger whose node is not among the members. */
export const strayEntries = (pop: PopCluster, nodes: readonly NodeObject[]) => {
  const listed = new Set(nodes.map((node) => node.metadata.uid));
  return (pop.status?.nodes ?? []).filter((entry) => entry.skipped !== "Gone" && !listed.has(entry.uid));
};

export const isInHand = (entry: { readonly step: string; readonly token?: string | undefined }): boolean =>
  entry.token !== undefined && (entry.step === "Claimed" || entry.step === "Updating");

/**
 * Of the nodes that may be members those that the selector matches; one in hand stays a member until its step is over, whatever became of
 * its labels, so that it is looked up by its name.
 */
export function membersAmong(
  pop: PopCluster,
  candidates: readonly NodeObject[],
  named: (node: string) => NodeObject | undefined,
): Pick<PopObjects, "nodes" | "deselected"> {
  const nodes = candidates.filter(selecting(pop));
  const entries = strayEntries(pop, nodes);
  if (entries.length === 0) return { nodes, deselected: new Set() };
  const found = entries.map(({ name }) => named(name)).filter((node) => node !== undefined);
  const others = new Map(found.map((node) => [node.metadata.uid, node]));
  const strays = entries.filter((entry) => others.has(entry.uid));
  return {
    nodes: [...nodes, ...strays.filter(isInHand).map((entry) => others.get(entry.uid)!)],
    deselected: new Set(strays.filter((entry) => !isInHand(entry)).map((entry) => entry.uid)),
  };
}
