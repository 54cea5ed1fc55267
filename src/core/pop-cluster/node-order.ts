import { byStableHash } from "../rollout/order.ts";
import { sessionsHeld } from "./scrape.ts";
import type { NodeView, PopView } from "./view.ts";

/**
 * The order of a run's nodes (G4, G7): those that `order.first` names, then by stable hash, or those with the fewest sessions first.
 * Frozen when preflight is over: sessions are counted from preflight on.
 */
export function nodeOrder(view: PopView, nodes: readonly NodeView[], salt: readonly (string | number)[]): NodeView[] {
  const { order } = view.seen.pop.spec.strategy;
  const labels = Object.entries(order.first?.matchLabels ?? {});
  const isFirst = (node: NodeView) => labels.length > 0 && labels.every(([key, value]) => node.member.labels[key] === value);
  const sessions = (node: NodeView) => (order.then === "FewestSessions" ? (sessionsHeld(view, node.servingPod)?.count ?? 0) : 0);
  const hashed = byStableHash(nodes, (node) => node.member.uid, salt);
  return hashed.sort((a, b) => Number(isFirst(b)) - Number(isFirst(a)) || sessions(a) - sessions(b));
}
