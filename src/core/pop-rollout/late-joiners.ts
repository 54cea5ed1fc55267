import type { Instant } from "../decision.ts";
import { byStableHash } from "../rollout/order.ts";
import { WEEK } from "../time/civil.ts";
import { assignmentOf } from "./assign.ts";
import { eligibilityOf } from "./eligibility.ts";
import { pauseHold } from "./gates.ts";
import type { RolloutPop } from "./observation.ts";
import { iso, type Outcome } from "./outcome.ts";
import { otherHold, underWay } from "./other-rollouts.ts";
import { isEnding, LATE, type RolloutView, withAssignments } from "./view.ts";
import type { Picked } from "./pick.ts";

const MOST_POPS = 1000;

/**
 * A finished rollout stands (rule G4): PoPs that join or return later, or that a person pins no longer, follow to its version by their
 * own window, at most `lateJoinersPercent` of all PoPs a week, and at least one.
 */
export function lateJoiners(view: RolloutView, now: Instant): Outcome | undefined {
  if (view.ledger.standing !== true || isEnding(view) || pauseHold(view) || otherHold(view, now)) return undefined;
  const waiting = byStableHash(candidates(view, now), ({ pop }) => pop.uid, [view.uid, view.version, LATE]);
  if (waiting.length === 0) return undefined;
  const alive = view.seen.pops.filter((pop) => !pop.deleting).length;
  const limit = Math.max(1, Math.floor((alive * view.spec.lateJoinersPercent) / 100));
  const recent = view.assignments.flatMap(({ late, since }) => (late && Date.parse(since) > now - WEEK ? [Date.parse(since)] : []));
  const replaced = new Set(waiting.map(({ pop }) => pop.name));
  const kept = view.assignments.filter((one) => !replaced.has(one.pop)).length;
  const admitted = waiting.slice(0, Math.max(0, Math.min(limit - recent.length, MOST_POPS - kept)));
  const left = waiting.length - admitted.length;
  const until = Math.min(...recent, ...(admitted.length > 0 ? [now] : [])) + WEEK;
  const holds =
    left === 0
      ? []
      : [
          {
            rule: "G4",
            reason: "BudgetExhausted" as const,
            message: `${left} PoPs follow to ${view.version} as late joiners, at most ${limit} a week of ${alive} PoPs`,
            ...(Number.isFinite(until) ? { until } : {}),
          },
        ];
  if (admitted.length === 0) return { holds };
  const names = new Set(admitted.map(({ pop }) => pop.name));
  const added = admitted.map((picked) => assignmentOf(view, picked, LATE, now));
  return {
    ledger: withAssignments(view.ledger, [...view.assignments.filter((one) => !names.has(one.pop)), ...added]),
    holds,
    events: [
      {
        type: "Normal",
        reason: "LateJoiner",
        action: "Assign",
        message: `${[...names].slice(0, 8).join(", ")}: follow to ${view.version} as late joiners since ${iso(now)}`,
      },
    ],
  };
}

/** Nobody who failed here or has it: only PoPs without a share, with one that was skipped, or new ones under an old name (rule G6). */
function candidates(view: RolloutView, now: Instant): Picked[] {
  const busy = view.seen.others.some((other) => other.content === view.content && underWay(other));
  return view.seen.pops.flatMap((pop) => {
    if (!isFree(view, pop) || (busy && pop.version !== undefined)) return [];
    const found = eligibilityOf(view, pop, now);
    return found.kind === "Eligible" ? [{ pop, start: undefined, ...(found.retry === undefined ? {} : { retry: found.retry }) }] : [];
  });
}

function isFree(view: RolloutView, pop: RolloutPop): boolean {
  const one = view.assigned.get(pop.name);
  return !pop.deleting && (one === undefined || one.uid !== pop.uid || one.state === "Skipped");
}
