import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import type { Announcement, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import type { PopAction } from "./action.ts";
import type { PopView } from "./view.ts";

/** What one rule has to say. A rule that moves the ledger gives no actions: claim first, act in the next pass. */
export interface Outcome {
  readonly ledger?: PopClusterStatus;
  readonly actions?: readonly PopAction[];
  readonly holds?: readonly Hold[];
  readonly events?: readonly Announcement[];
  readonly probes?: readonly Probe[];
  readonly wakes?: readonly Instant[];
  /** Nothing later may act or move the ledger in this pass: a fence has to stand before anything else is done (RB). */
  readonly alone?: boolean;
}

export type Rule = (view: PopView, now: Instant) => Outcome | undefined;

/**
 * Runs the rules in order. The first one that moves the ledger decides; actions count only where no rule moves it, because they
 * would be effects of a ledger that is not written yet. Holds, probes and wake-ups of all of them are kept.
 */
export function inOrder(rules: readonly Rule[], view: PopView, now: Instant): Outcome {
  const outcomes = rules.map((rule) => rule(view, now)).filter((outcome) => outcome !== undefined);
  const alone = outcomes.findIndex((outcome) => outcome.alone);
  if (alone < 0) return merge(outcomes);
  const first = outcomes.slice(0, alone).find((outcome) => outcome.ledger !== undefined);
  const { ledger: _, ...spoken } = merge(outcomes.map(withoutLedger));
  return first
    ? { ...merge([first]), holds: spoken.holds ?? [], probes: spoken.probes ?? [] }
    : { ...spoken, actions: outcomes[alone]!.actions ?? [], events: [] };
}

const withoutLedger = ({ ledger: _, ...outcome }: Outcome): Outcome => outcome;

export function merge(outcomes: readonly (Outcome | undefined)[]): Outcome {
  const given = outcomes.filter((outcome) => outcome !== undefined);
  const mover = given.find((outcome) => outcome.ledger !== undefined);
  return {
    ...(mover?.ledger ? { ledger: mover.ledger } : {}),
    actions: mover ? [] : given.flatMap((outcome) => outcome.actions ?? []),
    holds: given.flatMap((outcome) => outcome.holds ?? []),
    events: mover ? (mover.events ?? []) : given.flatMap((outcome) => outcome.events ?? []),
    probes: given.flatMap((outcome) => outcome.probes ?? []),
    wakes: given.flatMap((outcome) => outcome.wakes ?? []),
  };
}

export const iso = (instant: Instant): string => new Date(instant).toISOString();
