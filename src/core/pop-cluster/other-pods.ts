import type { Hold, Instant } from "../decision.ts";
import type { PopAction } from "./action.ts";
import type { OtherPod } from "./observation.ts";
import type { Outcome } from "./outcome.ts";
import { type NodeView, type PopView, seenNode } from "./view.ts";

/** A bare pod would be lost by a drain that moves pods: it blocks the node (P3a). */
export function unmanagedPodHold(view: PopView, node: NodeView): Hold | undefined {
  const bare = othersOn(view, node).find((other) => other.controller === undefined);
  if (!bare) return undefined;
  return {
    rule: "P3a",
    reason: "UnmanagedPod",
    message: `pod ${bare.namespace}/${bare.name} on node ${node.member.name} has no controller and would be lost; move or delete it`,
  };
}

/** P3a: moves other pods where asked for, and waits until they are gone; a refusal's Retry-After is kept. */
export function moveOthers(view: PopView, node: NodeView, now: Instant): Outcome | undefined {
  const bare = unmanagedPodHold(view, node);
  if (bare) return { holds: [bare], wakes: [now + LOOK_AGAIN] };
  const movable = othersOn(view, node).filter((other) => !STAYING.has(other.controller ?? ""));
  if (movable.length === 0) return undefined;
  const due = movable.filter((other) => (view.seen.refusedMoves.get(other.uid)?.waitMilliseconds ?? 0) <= 0);
  const refused = movable.map((other) => view.seen.refusedMoves.get(other.uid)).find((answer) => answer !== undefined);
  const hold: Hold = {
    rule: "P3a",
    reason: "DrainBlocked",
    message: `node ${node.member.name}: ${refused?.message ?? `${movable.length} other pods are moved off it first`}`,
  };
  return {
    holds: [hold],
    actions: due.map((other): PopAction => ({ kind: "EvictPod", node: seenNode(node.member), pod: other })),
    wakes: [now + LOOK_AGAIN],
  };
}

const LOOK_AGAIN = 2_000;
/** Those of DaemonSets would come back at once, those of the node itself (static pods) cannot be evicted. */
const STAYING = new Set(["DaemonSet", "Node"]);

const othersOn = (view: PopView, node: NodeView): readonly OtherPod[] =>
  view.seen.pop.spec.strategy.drain.evictPods ? (view.seen.otherPods.get(node.member.name) ?? []) : [];
