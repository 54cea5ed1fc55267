import type { Assignment } from "../../api/pop-rollout.ts";
import { MOST_ASSIGNMENT_TEXT } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { rulingOf, decidedText } from "./approvals.ts";
import { failedWaves } from "./failures.ts";
import { liftedFor } from "./freezes-lifted.ts";
import type { Outcome } from "./outcome.ts";
import { type RolloutView, withAssignments } from "./view.ts";

type Order = Pick<Assignment, "order" | "orderedAt" | "because">;
const GO: Order = { order: "Go" };

/** What each PoP is asked to do now (rules F4, F5, G13, P12): nothing new starts, goes on or goes back, as the rollout stands. */
export function orders(view: RolloutView, now: Instant): Outcome | undefined {
  const back = takenBackFrom(view);
  const refused = refusedWaves(view, now);
  const next = view.assignments.map((one) => withDates(view, withFreezes(view, withOrder(one, orderOf(view, one, back, refused)))));
  return next.every((one, index) => one === view.assignments[index]) ? undefined : { ledger: withAssignments(view.ledger, next) };
}

interface TakenBack {
  readonly at: string;
  readonly because: string;
  readonly from: (one: Assignment) => boolean;
}

/** From whom the version is taken back: everybody, or the waves in which it failed (rule F4). */
function takenBackFrom(view: RolloutView): TakenBack | undefined {
  const { takenBack, halted } = view.ledger;
  if (takenBack) return { ...takenBack, from: () => true };
  const waves = failedWaves(view);
  if (halted === undefined || view.spec.onFailure !== "RollBackWave" || waves.size === 0) return undefined;
  return { ...halted, from: ({ wave }) => waves.has(wave) };
}

/** It runs the version, on all nodes or on some, and this rollout brought it there. */
const hasIt = ({ state, reason }: Assignment): boolean =>
  ["Rolling", "Baking", "Passed", "Stopped"].includes(state) && reason !== "AlreadyThere";

function orderOf(view: RolloutView, one: Assignment, back: TakenBack | undefined, refused: ReadonlyMap<string, string>): Order | undefined {
  const { ledger, spec } = view;
  if (back?.from(one) && hasIt(one)) return { order: "TakeBack", orderedAt: back.at, because: back.because };
  // What goes back finishes; what is over is told as it was ordered last. What bakes or is watched must not be held: nodes may join there.
  if (one.state !== "Assigned" && one.state !== "Rolling") return undefined;
  const ended = ledger.supersededBy
    ? { at: ledger.supersededBy.at, because: `PoPRollout ${ledger.supersededBy.name} took the place of this one` }
    : ledger.stopped;
  if (ended && one.state === "Rolling") return { order: "Stop", orderedAt: ended.at, because: ended.because };
  const because =
    (ended ?? ledger.takenBack ?? ledger.halted)?.because ??
    (spec.paused ? `PoPRollout ${view.seen.rollout.name} is paused by spec.paused; rollward resume lifts it` : refused.get(one.wave));
  return because === undefined ? GO : { order: "Hold", because };
}

/** Waves that opened and were refused afterwards: nothing more of them starts while the refusal stands (rule F8). */
function refusedWaves(view: RolloutView, now: Instant): ReadonlyMap<string, string> {
  return new Map(
    view.waves.flatMap(({ name, state, digest, openedAt }): [string, string][] => {
      if (state !== "Open" || digest === undefined || openedAt === undefined) return [];
      const { decision, approval } = rulingOf(view, "Promote", digest, now);
      return decision === "Refused" ? [[name, `wave ${name} is refused by ${decidedText(approval!)}`]] : [];
    }),
  );
}

function withOrder(one: Assignment, found: Order | undefined): Assignment {
  if (found === undefined) return one;
  const because = found.because === undefined ? undefined : cleanText(found.because, MOST_ASSIGNMENT_TEXT);
  if (one.order === found.order && one.orderedAt === found.orderedAt && one.because === because) return one;
  const { orderedAt: _, because: __, ...rest } = one;
  return {
    ...rest,
    order: found.order,
    ...(found.orderedAt === undefined ? {} : { orderedAt: found.orderedAt }),
    ...(because === undefined ? {} : { because }),
  };
}

/** A freeze that is lifted while a PoP waits for its end is lifted for that PoP too. */
function withFreezes(view: RolloutView, one: Assignment): Assignment {
  if (one.state !== "Assigned" && one.state !== "Rolling") return one;
  const lifted = liftedFor(view, one.wave);
  return lifted.join() === (one.liftedFreezes ?? []).join() ? one : { ...one, liftedFreezes: lifted };
}

/** After a retry the dates are those of another train. */
function withDates({ ledger: { startDate, endDate } }: RolloutView, one: Assignment): Assignment {
  const same = one.from === startDate && one.to === endDate;
  if (one.state !== "Assigned" || one.from === undefined || startDate === undefined || endDate === undefined || same) return one;
  return { ...one, from: startDate, to: endDate };
}
