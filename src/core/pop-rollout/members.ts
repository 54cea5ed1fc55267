import { type Assignment, MOST_ASSIGNMENT_TEXT } from "../../api/pop-rollout.ts";
import type { Announcement, Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { datesEnd, memberState, type MemberState } from "./member-state.ts";
import type { Outcome } from "./outcome.ts";
import { hasFailed, type RolloutView, withAssignments } from "./view.ts";

/** Every assignment as its PoP shows it now (rule F1). An event is told of each that failed. */
export function members(view: RolloutView, now: Instant): Outcome | undefined {
  if (view.assignments.length === 0) return undefined;
  const next = view.assignments.map((one) => withState(one, memberState(view, one, now)));
  const moved = next.filter((one, index) => one !== view.assignments[index]);
  const wakes = next.flatMap((one) => (one.state === "Assigned" ? (datesEnd(one, view.pops.get(one.pop)?.timeZone ?? "UTC") ?? []) : []));
  if (moved.length === 0) return { wakes };
  return { ledger: withAssignments(view.ledger, next), events: moved.flatMap((one) => told(view, one)), wakes };
}

function withState(one: Assignment, { state, reason, message }: MemberState): Assignment {
  const text = message === undefined ? undefined : cleanText(message, MOST_ASSIGNMENT_TEXT);
  if (one.state === state && one.reason === reason && (one.message === text || state !== "Skipped")) return one;
  const { reason: _, message: __, ...rest } = one;
  return { ...rest, state, ...(reason === undefined ? {} : { reason }), ...(text === undefined ? {} : { message: text }) };
}

function told(view: RolloutView, one: Assignment): Announcement[] {
  if (!hasFailed(one) || view.ledger.takenBack !== undefined) return [];
  const message = `${view.version} failed on PoP ${one.pop} (wave ${one.wave}, ${one.state}): ${one.message ?? "its history says no more"}`;
  return [{ type: "Warning", reason: one.state, action: "Judge", message: cleanText(message, 1024) }];
}
