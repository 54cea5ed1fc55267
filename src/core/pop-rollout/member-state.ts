import type { Assignment } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { endOfLocalDay, startOfLocalDay } from "../time/local-start.ts";
import { parseLocalDate } from "../time/civil.ts";
import { isCanonicalZone } from "../time/zone.ts";
import { runsIt, unfitFor } from "./eligibility.ts";
import type { RolloutPop } from "./observation.ts";
import { hasFailed, isOver, type RolloutView } from "./view.ts";

/** Where a PoP is with the version, and why where that is no matter of course. */
export type MemberState = Pick<Assignment, "state" | "reason" | "message">;

/**
 * What became of one assignment, from the PoP's own spec and ledger (rules F1, G1, G6). A run in hand speaks first, then what ended
 * since it was assigned; an end stays an end unless the PoP itself says otherwise.
 */
export function memberState(view: RolloutView, one: Assignment, now: Instant): MemberState {
  const stays: MemberState = { state: one.state, reason: one.reason, message: one.message };
  const pop = view.pops.get(one.pop);
  if (pop === undefined || pop.uid !== one.uid || pop.deleting) return isOver(one) ? stays : gone(one, pop);
  if (one.state === "Skipped") return stays;
  const found = view.content ? ofContent(view, pop, one) : (ofRun(view, pop, one) ?? ofHistory(view, pop, one));
  if (found !== undefined) return found;
  if (hasFailed(one) || one.state === "Stopped" || one.state === "Promoted") return stays;
  if (runsIt(view, pop)) return one.state === "Passed" ? stays : { state: "Passed" };
  // A PoP that has left the version behind for a newer one has passed it.
  if (one.state === "Passed") return stays;
  return notBegun(view, pop, one, now);
}

function gone(one: Assignment, pop: RolloutPop | undefined): MemberState {
  const found = pop === undefined ? "does not exist any more" : pop.deleting ? "is being deleted" : "is a new object under the old name";
  return { state: "Skipped", reason: "Gone", message: `PoP ${one.pop} ${found}` };
}

/** The run in hand, when it is one of this version or takes this version back. */
function ofRun({ version }: RolloutView, { run }: RolloutPop, one: Assignment): MemberState | undefined {
  if (run === undefined) return undefined;
  if (run.kind === "Rollback") return run.takesBack === version ? { state: "RollingBack", message: run.cause } : undefined;
  if (run.version !== version) return undefined;
  // A first version has nothing to go back to: what breaks it leaves the PoP without one (P16).
  if (run.kind === "Join" && run.cause !== undefined) {
    // The one that failed before this assignment, or before its retry, says nothing of what the PoP does now.
    const before = Date.parse(run.startedAt) <= Date.parse(one.since);
    return before ? undefined : { state: "RollbackFailed", reason: "FirstVersion", message: run.cause };
  }
  if (run.ending !== undefined) return { state: "Stopped", reason: run.ending, message: run.cause };
  return { state: run.state === "Preflight" ? "Assigned" : run.state };
}

/** How the last run of this version ended since it was assigned; a run before that says nothing of this one. */
function ofHistory({ version }: RolloutView, pop: RolloutPop, one: Assignment): MemberState | undefined {
  const since = Date.parse(one.since);
  const last = pop.history
    .filter((entry) => entry.version === version && Date.parse(entry.endedAt) > since)
    .toSorted((a, b) => Date.parse(a.endedAt) - Date.parse(b.endedAt))
    .at(-1);
  const verdict = pop.failed.find((entry) => entry.version === version && Date.parse(entry.at) > since);
  switch (last?.outcome) {
    case "Promoted":
      return { state: "Promoted" };
    case "RolledBack":
      // Without a verdict the window's end took it back, not a failure: it goes on in its next window (strategy.onWindowEnd).
      return verdict && { state: "RolledBack", message: last.evidence ?? verdict.evidence };
    case "RollbackFailed":
      return { state: last.outcome, message: last.evidence ?? verdict?.evidence };
    case "Stopped":
      // A failure stays one, whatever takes its place: the failure budget counts it (F4).
      if (hasFailed(one)) return undefined;
      return { state: "Stopped", reason: last.outcome, message: last.evidence };
    case "Superseded":
      if (hasFailed(one)) return undefined;
      // The PoP goes to something newer, by a person or an emergency: the wave need not wait for it any more.
      return { state: "Skipped", reason: last.outcome, message: `a newer version took the place of ${version} on PoP ${pop.name}` };
    case undefined:
      return verdict && { state: "RolledBack", message: verdict.evidence };
  }
}

function ofContent(view: RolloutView, { content = { failed: [] } }: RolloutPop, one: Assignment): MemberState | undefined {
  const { version } = view;
  const verdict = content.failed.find((entry) => entry.version === version && Date.parse(entry.at) > Date.parse(one.since));
  if (verdict) return { state: content.state === "RollingBack" ? "RollingBack" : "RolledBack", message: verdict.evidence };
  if (content.target !== version) return undefined;
  if (content.state === "Baking" || content.state === "RollingBack") return { state: content.state };
  return content.state === "Loading" ? { state: "Rolling" } : undefined;
}

/** Assigned and not begun: a person may have pinned it meanwhile, it may run something newer, its train may be over (rules F1, V3). */
function notBegun(view: RolloutView, pop: RolloutPop, one: Assignment, now: Instant): MemberState {
  const unfit = unfitFor(view, pop);
  if (unfit?.kind === "Skipped") return { state: "Skipped", reason: unfit.reason, message: unfit.message };
  const end = one.to === undefined ? undefined : datesOver(one.to, pop.timeZone);
  if (end !== undefined && now >= end)
    return {
      state: "Skipped",
      reason: "OutsideWindow",
      message: `PoP ${pop.name} had not begun when its train was over on ${one.to}; it follows as a late joiner`,
    };
  return { state: "Assigned", reason: one.reason, message: one.message };
}

/** The first instant at which no occurrence of [from, to) can run any more: an occurrence may last into the day after. */
function datesOver(to: string, zone: string): Instant | undefined {
  const day = parseLocalDate(to);
  return day === undefined || !isCanonicalZone(zone) ? undefined : startOfLocalDay(zone, day + 1);
}

/** The end of the train's last day where the PoP is: until then the version is judged (rule P8). */
export function watchedUntil(endDate: string, zone: string): Instant | undefined {
  const day = parseLocalDate(endDate);
  return day === undefined || !isCanonicalZone(zone) ? undefined : endOfLocalDay(zone, day);
}

/** When an assignment that has not begun loses its dates, for the next look. */
export const datesEnd = (one: Assignment, zone: string): Instant | undefined =>
  one.to === undefined ? undefined : datesOver(one.to, zone);
