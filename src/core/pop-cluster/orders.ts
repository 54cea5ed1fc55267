import type { Instant } from "../decision.ts";
import type { PopAssignment } from "../rollout/assignment.ts";
import { promoted } from "./advance.ts";
import { accusedRun } from "./home-run.ts";
import type { Outcome } from "./outcome.ts";
import { type Asked, handled, nothingToDo, retry, stop, takeBack, withoutPreflight } from "./requests.ts";
import { takeBackPromoted } from "./take-back-promoted.ts";
import { isInHand, type PopView, recordOf } from "./view.ts";

/**
 * What a rollout orders for the version that it assigned (F4): the same as a person's requests, carried out once for each value. A rollout
 * speaks of its own version alone; a PoP that it has not reached has nothing to do, and the order itself keeps it from starting.
 */
export function orders(view: PopView, now: Instant): Outcome | undefined {
  const { assignment } = view;
  if (!assignment) return undefined;
  const { order, orderedAt, retryAt } = assignment;
  if (order === "TakeBack" && orderedAt !== undefined) {
    const asked = askedBy(assignment, orderedAt, "assignedTakeBack");
    if (!isHandled(view, asked)) return orderedBack(view, assignment, asked, now);
  }
  if (order === "Stop" && orderedAt !== undefined) {
    const asked = askedBy(assignment, orderedAt, "assignedStop");
    if (!isHandled(view, asked)) return orderedStop(view, assignment, asked);
  }
  if (retryAt === undefined) return undefined;
  const asked = askedBy(assignment, retryAt, "assignedRetry");
  return isHandled(view, asked) ? undefined : silently(view, asked, retry(view, asked, now));
}

const askedBy = ({ rollout, because }: PopAssignment, at: string, key: Asked["key"]): Asked => ({
  at,
  key,
  by: `PoPRollout ${rollout}${because === undefined || key === "assignedRetry" ? "" : ` (${because})`}`,
  of: `the order of PoPRollout ${rollout}`,
});

const isHandled = (view: PopView, { key, at }: Asked): boolean => view.seen.pop.status.handled?.[key] === at;

/** Recorded and not told: that a whole fleet has nothing to do is no news. */
const done = (view: PopView, asked: Asked): Outcome => ({ ledger: handled(view.seen.pop.status, asked) });

const silently = (view: PopView, asked: Asked, outcome: Outcome): Outcome =>
  outcome.events?.some(({ reason }) => reason === "RequestIgnored") ? done(view, asked) : outcome;

function orderedStop(view: PopView, assignment: PopAssignment, asked: Asked): Outcome {
  const { run } = view;
  if (!run || run.version !== assignment.version || run.back === run.revision) return done(view, asked);
  if (run.state === "Preflight") return { ledger: handled(withoutPreflight(view.seen.pop.status), asked) };
  return silently(view, asked, stop(view, asked));
}

/** Also a version that the PoP passed and is watched for, and one that it has promoted already, goes back (P7). */
function orderedBack(view: PopView, assignment: PopAssignment, asked: Asked, now: Instant): Outcome | undefined {
  const run = view.run && accusedRun(view, view.run);
  if (!run) {
    const runs = view.current === undefined ? undefined : recordOf(view, view.current)?.version;
    return runs === assignment.version ? takeBackPromoted(view, assignment, asked, now) : done(view, asked);
  }
  if (run.kind === "Rollback" || run.version !== assignment.version) return done(view, asked);
  if (run.state === "Preflight") return { ledger: handled(withoutPreflight(view.seen.pop.status), asked) };
  if (run.back === run.revision) return afterHomeComing(view, now);
  if (run.back === undefined)
    return nothingToDo(view, "takeBack", asked, `${run.version} is the first version here; there is nothing to go back to`);
  return takeBack(view, asked, now);
}

/** A run that only brings nodes home to the version that is to go ends first, when none of them is in hand; the order stands until then. */
function afterHomeComing(view: PopView, now: Instant): Outcome | undefined {
  const run = view.run!;
  if (run.state === "Baking" || run.state === "Passed") return { ledger: promoted(view, run, now).ledger };
  if (view.nodes.some(({ entry }) => isInHand(entry) || entry?.step === "Soaking")) return undefined;
  return { ledger: withoutPreflight(view.seen.pop.status) };
}
