import type { Instant } from "../decision.ts";

/**
 * Runs the rules of a kind in their order, each on the view of the ledger that the ones before it left. Answers the last view and what
 * the rules had to say, in their order.
 */
export function rulesInOrder<View, Outcome extends { readonly ledger?: unknown }>(
  rules: readonly ((view: View, now: Instant) => Outcome | undefined)[],
  begun: View,
  withLedger: (view: View, ledger: NonNullable<Outcome["ledger"]>) => View,
  now: Instant,
): { readonly view: View; readonly outcomes: readonly Outcome[] } {
  let view = begun;
  const outcomes: Outcome[] = [];
  for (const rule of rules) {
    const outcome = rule(view, now);
    if (outcome === undefined) continue;
    outcomes.push(outcome);
    if (outcome.ledger !== undefined && outcome.ledger !== null) view = withLedger(view, outcome.ledger);
  }
  return { view, outcomes };
}
