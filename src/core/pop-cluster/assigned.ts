import type { PopRun } from "../../api/pop-cluster.ts";
import type { Hold, Instant } from "../decision.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import type { StartDates } from "../window/start-dates.ts";
import type { PopView } from "./view.ts";

/**
 * The assignment that the way forward in hand, or the next one, carries out: its dates, its order and its class bind that alone. A node
 * that comes home late to what the PoP runs already, or joins it, follows the PoP's own window (G4), and a rollback none of it (G13).
 */
export function bringsAssigned(view: PopView): PopAssignment | undefined {
  const { assignment, wanted, run, current } = view;
  if (!assignment || !wanted) return undefined;
  if (run && run.state !== "Passed" && !run.ending) return isFirstWayTo(run, wanted.revision) ? assignment : undefined;
  const on = run?.state === "Passed" ? run.revision : current;
  return wanted.revision === on ? undefined : assignment;
}

const isFirstWayTo = (run: PopRun, revision: string): boolean =>
  run.kind !== "Rollback" && run.revision === revision && run.back !== revision && run.timers.watch === undefined;

/** An emergency (F8), of a run only if it was one when the run began: the stricter of what was frozen and what is said now (G4). */
export function isEmergency(view: PopView): boolean {
  const { run } = view;
  const begun = run && run.state !== "Passed" && !run.ending;
  return bringsAssigned(view)?.class === "Emergency" && (!begun || run.class === "Emergency");
}

/** The local dates on which the rollout lets it start (F1). */
export function startDatesOf(view: PopView): StartDates | undefined {
  const assigned = bringsAssigned(view);
  if (!assigned || (assigned.from === undefined && assigned.to === undefined)) return undefined;
  return { from: assigned.from, to: assigned.to, of: `PoPRollout ${assigned.rollout}` };
}

/** What the rollout holds: the brake of a pause, for what it assigned alone (G13). A rollout that stopped lets nothing more start. */
export function orderHold(view: PopView): Hold | undefined {
  const assigned = bringsAssigned(view);
  return assigned && heldByOrder(assigned);
}

export function heldByOrder({ rollout, order, because }: PopAssignment): Hold | undefined {
  if (order === "Go") return undefined;
  const why = because ?? { Hold: "it holds this PoP", Stop: "it was stopped", TakeBack: "its version is taken back" }[order];
  const message = why.startsWith("PoPRollout ") ? why : `PoPRollout ${rollout}: ${why}`;
  return order === "Hold" ? { rule: "G13", reason: "Paused", message } : { rule: "P12", reason: "Stopped", message };
}

/** From when the notice counts (W3): what the rollout says, never from before the operator first saw it. A pin counts from now. */
export function announcementOf({ assignment }: PopView, now: Instant): Instant {
  if (!assignment) return now;
  return Math.max(Date.parse(assignment.announcedAt), assignment.seenAt === undefined ? now : Date.parse(assignment.seenAt));
}

/** What the run keeps of the assignment when it begins (G4). */
export function frozenOf(view: PopView, revision: string): Pick<PopRun, "rollout" | "class" | "bake" | "watchUntil"> {
  const assigned = bringsAssigned(view);
  if (!assigned || revision !== view.wanted?.revision) return {};
  return {
    rollout: { name: assigned.rollout, uid: assigned.rolloutUID },
    class: assigned.class,
    ...(assigned.bake === undefined ? {} : { bake: assigned.bake }),
    ...(assigned.watchUntil === undefined ? {} : { watchUntil: assigned.watchUntil }),
  };
}
