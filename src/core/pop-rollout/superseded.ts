import type { Assignment } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import type { OtherRollout } from "./observation.ts";
import { iso, type Outcome } from "./outcome.ts";
import { isNewer } from "./other-rollouts.ts";
import type { RolloutView } from "./view.ts";

/**
 * A newer rollout mends this one (rule F5), or stands in its place (rule G4): from the moment it is seen nothing of this one starts.
 * Assignments not begun are withdrawn, PoPs in mid-run are asked to stop (rule P12, in `orders.ts`).
 */
export function superseded(view: RolloutView, now: Instant): Outcome | undefined {
  const { ledger } = view;
  if (ledger.supersededBy !== undefined) return undefined;
  const newer = view.seen.others.find((other) => mends(view, other) || replaces(view, other));
  if (newer === undefined) return undefined;
  const message = `${view.version} is superseded by PoPRollout ${newer.name} (${newer.version})`;
  const { standing: _, standingSince: __, ...rest } = ledger;
  return {
    ledger: {
      ...rest,
      supersededBy: { name: newer.name, uid: newer.uid, at: iso(now) },
      ...(ledger.assignments ? { assignments: ledger.assignments.map((one) => withdrawn(one, message)) } : {}),
    },
    events: [{ type: "Normal", reason: "Superseded", action: "Supersede", message }],
  };
}

const mends = (view: RolloutView, other: OtherRollout): boolean =>
  other.supersedes === view.seen.rollout.name && other.content === view.content && isNewer(other, view);

const replaces = (view: RolloutView, other: OtherRollout): boolean =>
  view.ledger.standing === true && other.standing && other.content === view.content && isNewer(other, view);

const withdrawn = (one: Assignment, message: string): Assignment =>
  one.state === "Assigned" ? { ...one, state: "Skipped", reason: "Superseded", message } : one;
