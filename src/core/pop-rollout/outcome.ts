import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Announcement, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { rulesInOrder } from "../rollout/rules-in-order.ts";
import type { PopRolloutObservation } from "./observation.ts";
import { type RolloutView, viewOf } from "./view.ts";

/** What one rule has to say. Nothing leaves the rollout's own status, so a ledger that one rule moved is what the next one sees. */
export interface Outcome {
  readonly ledger?: PopRolloutStatus;
  readonly holds?: readonly Hold[];
  readonly events?: readonly Announcement[];
  readonly probes?: readonly Probe[];
  readonly wakes?: readonly Instant[];
}

export type Rule = (view: RolloutView, now: Instant) => Outcome | undefined;

/** What all rules together said, and the ledger as they left it. */
export interface Pass extends Required<Outcome> {
  readonly view: RolloutView;
}

/** Runs the rules in order, each on the ledger that the ones before it left. */
export function inOrder(rules: readonly Rule[], seen: PopRolloutObservation, now: Instant): Pass {
  const begun = viewOf(seen, seen.rollout.status, now);
  const { view, outcomes } = rulesInOrder(rules, begun, (_, ledger) => viewOf(seen, ledger, now), now);
  return {
    view,
    ledger: view.ledger,
    holds: outcomes.flatMap(({ holds }) => holds ?? []),
    events: outcomes.flatMap(({ events }) => events ?? []),
    probes: outcomes.flatMap(({ probes }) => probes ?? []),
    wakes: outcomes.flatMap(({ wakes }) => wakes ?? []),
  };
}

export const iso = (instant: Instant): string => new Date(instant).toISOString();
