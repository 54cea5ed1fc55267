import type { SocketRolloutStatus } from "../../api/socket-rollout.ts";
import type { Hold, Instant } from "../decision.ts";
import { WEEK } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import type { SocketRolloutObservation } from "./observation.ts";

export interface LateJoiners {
  readonly ledger: SocketRolloutStatus["lateJoiners"];
  readonly hold?: Hold;
}

/**
 * How many late joiners a rollout that stands has admitted this week (rule G4): a share of its sites, and one at least. Which of those
 * that ask they are, the order of their hash says; whoever is counted twice only makes others wait.
 */
export function lateJoiners({ rollout, lateAsking, numbers }: SocketRolloutObservation, standing: boolean, now: Instant): LateJoiners {
  const { spec, status } = rollout;
  const before = status.lateJoiners;
  if (!standing || lateAsking === 0) return { ledger: before };
  const limit = Math.max(1, Math.floor((numbers.sites * spec.lateJoinersPercent) / 100));
  const running = before !== undefined && now < Date.parse(before.week) + WEEK ? before : { week: formatInstant(now), admitted: 0 };
  const room = Math.max(0, limit - running.admitted);
  const admitted = Math.min(room, lateAsking);
  const ledger = admitted === 0 ? running : { ...running, admitted: running.admitted + admitted };
  if (admitted === lateAsking) return { ledger };
  const message = `${lateAsking - admitted} sites follow to ${spec.version} as late joiners, at most ${limit} a week`;
  return { ledger, hold: { rule: "G4", reason: "BudgetExhausted", message, until: Date.parse(running.week) + WEEK } };
}
