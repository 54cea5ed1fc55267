import type { Assignment } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { cleanText, counted } from "../text.ts";
import { iso, type Outcome } from "./outcome.ts";
import { hasFailed, hasPassed, isEnding, isOver, membersOf, type RolloutView } from "./view.ts";

const FOLLOWS = {
  Halt: "PoPs that have it keep it until requests.takeBack, or go on by requests.retry",
  RollBackWave: "the wave goes back to what it ran before",
  RollBackAll: "every PoP that has it goes back to what it ran before",
} as const;

/**
 * More failures than the budget halt the rollout (rule F4); the first wave's budget is 0 (rule F1). What halted stays halted until a
 * person asks to go on; what follows for the PoPs that have the version is `onFailure`.
 */
export function failures(view: RolloutView, now: Instant): Outcome | undefined {
  const why = isEnding(view) ? undefined : beyondBudget(view);
  if (why === undefined) return undefined;
  const { onFailure } = view.spec;
  const because = cleanText(`${why}; ${FOLLOWS[onFailure]}`, 1024);
  const at = iso(now);
  // What failed is the current version of nobody any more (rule G4).
  const { standing: _, standingSince: __, ...ledger } = view.ledger;
  return {
    ledger: { ...ledger, halted: { at, because }, ...(onFailure === "RollBackAll" ? { takenBack: { at, because } } : {}) },
    events: [
      { type: "Warning", reason: "Halted", action: "Halt", message: cleanText(`rollout of ${view.version} halts: ${because}`, 1024) },
    ],
  };
}

/** Why no more may fail, in words; undefined while the failures are within the budget. */
function beyondBudget(view: RolloutView): string | undefined {
  const failed = view.assignments.filter(hasFailed);
  if (failed.length === 0) return undefined;
  const named = listText(
    failed.map(({ pop }) => pop),
    4,
  );
  const stuck = failed.find(({ state }) => state === "RollbackFailed");
  if (stuck) return `PoP ${stuck.pop} could not go back (${stuck.message ?? "its history says no more"})`;
  const first = firstWave(view);
  const inFirst = failed.find(({ wave }) => wave === first);
  if (inFirst)
    return `it failed on PoP ${inFirst.pop} of the first wave ${first}, whose failure budget is 0 (${inFirst.message ?? "its history says no more"})`;
  const { pops: budget } = view.spec.failureBudget;
  if (failed.length > budget) return `it failed on ${counted(failed.length, "PoP")} (${named}), the failure budget is ${budget}`;
  const empty = view.waves.find(({ name, state }) => state === "Open" && nonePassed(membersOf(view, name)));
  return empty && `no PoP of wave ${empty.name} passed: it failed on ${named}`;
}

/** Within the budget, and still nothing shows that the version works there: at least one has to pass (rule F1). */
const nonePassed = (members: readonly Assignment[]): boolean =>
  members.length > 0 &&
  members.every(isOver) &&
  members.some(hasFailed) &&
  !members.some((one) => hasPassed(one) || one.state === "Stopped");

/** The first wave that really had somebody. */
const firstWave = (view: RolloutView): string | undefined =>
  view.waves.find(({ name }) => membersOf(view, name).some(({ state, reason }) => state !== "Skipped" && reason !== "AlreadyThere"))?.name;

/** The waves in which it failed: those that RollBackWave takes back. */
export const failedWaves = (view: RolloutView): ReadonlySet<string> => new Set(view.assignments.filter(hasFailed).map(({ wave }) => wave));
