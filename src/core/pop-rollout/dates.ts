import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { departuresAround, endOfTrain, isDeparture, lastingDay, nextDeparture, overEverywhere } from "../rollout/train.ts";
import { formatLocalDate, type LocalDay, parseLocalDate } from "../time/civil.ts";
import type { Outcome } from "./outcome.ts";
import type { RolloutView } from "./view.ts";

const LONGEST_DATE = "9999-12-31".length;

type Found = { readonly day: LocalDay } | { readonly problem: string };

/**
 * The local dates [startDate, endDate) on which occurrences may be used (rule F1): frozen when first resolved, resolved anew only while
 * nothing has been assigned, or after a retry. A rollout that mends a faulty one waits for no train (rule F5).
 */
export function dates(view: RolloutView, now: Instant): Outcome | undefined {
  const { ledger } = view;
  if (!view.windowed || (view.assignments.length > 0 && ledger.startDate !== undefined)) return undefined;
  const found = departureOf(view, now);
  const { startDate, endDate, ...rest } = ledger;
  if (found === undefined || "problem" in found) return startDate === undefined ? undefined : { ledger: rest };
  const next = { startDate: formatLocalDate(found.day), endDate: formatLocalDate(endOfTrain(trainOf(view), found.day)) };
  return next.startDate === startDate && next.endDate === endDate ? undefined : { ledger: { ...rest, ...next } satisfies PopRolloutStatus };
}

const trainOf = ({ seen: { fleet } }: RolloutView) => (fleet.found ? fleet.train : undefined);

/** Why there is no departure, as a sentence that says what to write instead; undefined when there is one, or the Fleet is missing. */
export function startProblem(view: RolloutView, now: Instant): string | undefined {
  if (!view.windowed || view.assignments.length > 0) return undefined;
  const found = departureOf(view, now);
  return found && "problem" in found ? found.problem : undefined;
}

/** The departure as spec and train say it; undefined while there is no Fleet to ask. */
function departureOf(view: RolloutView, now: Instant): Found | undefined {
  if (!view.seen.fleet.found) return undefined;
  const written = view.spec.startNotBefore;
  const day = written === undefined ? undefined : parseLocalDate(written);
  // After a retry the date that was written lies in the past, and the next departure is meant.
  const again = view.assignments.length > 0 && day !== undefined && overEverywhere(day) <= now;
  return written === undefined || again ? nextOf(view, now) : writtenOf(view, written, day, now);
}

function writtenOf(view: RolloutView, written: string, day: LocalDay | undefined, now: Instant): Found {
  const train = trainOf(view);
  if (day === undefined) return { problem: `spec.startNotBefore is ${written}, which is no date of the calendar; write it as 2026-11-22` };
  // What was in the future when it was first resolved does not become wrong by waiting.
  if (view.ledger.startDate !== written && overEverywhere(day) <= now)
    return {
      problem: `spec.startNotBefore ${written} is in the past everywhere; write a date to come, or leave it out for the next departure`,
    };
  // The last day of the train has to be a date that status can hold.
  if (formatLocalDate(endOfTrain(train, day)).length > LONGEST_DATE)
    return {
      problem: `spec.startNotBefore ${written} is too far away for its train to end in a year of four digits; write an earlier date`,
    };
  if (view.spec.supersedes === undefined && !isDeparture(train, day)) {
    const found = train
      ? `is no departure of the Fleet's train (every ${train.everyWeeks} weeks from ${train.anchor})`
      : "is no Sunday, and PoP releases start on Sundays";
    return {
      problem: `spec.startNotBefore ${written} ${found}; write ${departuresAround(train, day)}, or leave it out for the next departure`,
    };
  }
  return { day };
}

function nextOf(view: RolloutView, now: Instant): Found {
  const train = trainOf(view);
  const known = view.ledger.startDate === undefined ? undefined : parseLocalDate(view.ledger.startDate);
  const still = known !== undefined && endOfTrain(train, known) > lastingDay(now);
  if (view.spec.supersedes !== undefined) return { day: still ? known : lastingDay(now) };
  if (train === undefined)
    return {
      problem:
        "the Fleet has no train, so nothing says on which Sunday the rollout starts; write spec.startNotBefore, or spec.train of the Fleet",
    };
  if (still && isDeparture(train, known)) return { day: known };
  const next = nextDeparture(train, now);
  return next === undefined ? { problem: `the Fleet's train has no departures: its anchor ${train.anchor} is no date` } : { day: next };
}
