import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Announcement, Hold, Instant } from "../decision.ts";
import { rulesInOrder } from "../rollout/rules-in-order.ts";
import type { SocketSiteAction } from "./action.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";
import { type SiteView, viewOf, withLedger } from "./view.ts";

/** What one rule has to say. A ledger that one rule moved is what the next one sees. */
export interface Outcome {
  readonly ledger?: SocketSiteStatus;
  readonly holds?: readonly Hold[];
  readonly actions?: readonly SocketSiteAction[];
  readonly events?: readonly Announcement[];
  readonly wakes?: readonly Instant[];
}

export type Rule = (view: SiteView, now: Instant) => Outcome | undefined;

/** What all rules together said, and the ledger as they left it. */
export interface Pass extends Required<Omit<Outcome, "ledger">> {
  readonly view: SiteView;
}

/** Runs the rules in order, each on the ledger that the ones before it left. */
export function inOrder(rules: readonly Rule[], seen: SocketSiteObservation, inventory: SiteInventory, now: Instant): Pass {
  const { view, outcomes } = rulesInOrder(rules, viewOf(seen, inventory), withLedger, now);
  return {
    view,
    holds: outcomes.flatMap(({ holds }) => holds ?? []),
    actions: outcomes.flatMap(({ actions }) => actions ?? []),
    events: outcomes.flatMap(({ events }) => events ?? []),
    wakes: outcomes.flatMap(({ wakes }) => wakes ?? []),
  };
}
