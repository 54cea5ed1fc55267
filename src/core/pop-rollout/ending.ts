import type { Assignment, PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Hold, Instant } from "../decision.ts";
import { iso, type Outcome } from "./outcome.ts";
import { moves, type RolloutView } from "./view.ts";
import { counted } from "../text.ts";

type End = NonNullable<PopRolloutStatus["outcome"]>;

/** The end, once nothing of the rollout moves any more: one of five, and for one that reached everybody that it stands (rule G4). */
export function ending(view: RolloutView, now: Instant): Outcome | undefined {
  const holds = holdsOf(view);
  const { ledger } = view;
  const end = endOf(view);
  if (end === ledger.outcome || (end === undefined && ledger.outcome === undefined)) return { holds };
  const { standing: _, standingSince: __, outcome: ___, endedAt: ____, ...rest } = ledger;
  if (end === undefined) return { ledger: rest, holds };
  const stands = end === "Completed" ? { standing: true, standingSince: ledger.standingSince ?? iso(now) } : {};
  return {
    ledger: { ...rest, outcome: end, endedAt: iso(now), ...stands },
    holds,
    events: [
      {
        type: end === "Completed" || end === "Superseded" ? "Normal" : "Warning",
        reason: end,
        action: "End",
        message: `rollout of ${view.version} is over: ${SAID[end]}`,
      },
    ],
  };
}

const SAID: Readonly<Record<End, string>> = {
  Completed: "all waves are over, and its version is the current one",
  Halted: "it halted; requests.retry goes on, requests.takeBack takes the version back",
  Stopped: "a person stopped it; requests.retry goes on",
  RolledBack: "the version was taken back from every PoP that could give it back",
  Superseded: "a newer rollout took its place",
};

function endOf(view: RolloutView): End | undefined {
  const { ledger, waves, assignments } = view;
  const over = waves.length > 0 && waves.every(({ state }) => state === "Passed" || state === "Skipped");
  // One that reached everybody did so, whatever took its place afterwards.
  if (ledger.outcome === "Completed" && ledger.supersededBy !== undefined) return "Completed";
  if (assignments.some((one) => moves(one) || stillToGoBack(view, one))) return ledger.outcome;
  if (ledger.supersededBy !== undefined) return "Superseded";
  if (ledger.takenBack !== undefined) return "RolledBack";
  if (ledger.stopped !== undefined) return "Stopped";
  if (ledger.halted !== undefined) return "Halted";
  return over ? "Completed" : undefined;
}

/** Asked to go back, and still there; a PoP without a run of it, or content of it, has nothing left to give back. */
function stillToGoBack(view: RolloutView, { pop, order, state }: Assignment): boolean {
  if (order !== "TakeBack" || !["Baking", "Passed", "Stopped"].includes(state)) return false;
  const seen = view.pops.get(pop);
  return view.content ? seen?.content?.current === view.version : seen?.run?.version === view.version;
}

function holdsOf({ ledger, assignments, version }: RolloutView): readonly Hold[] {
  const { supersededBy, takenBack, stopped, halted } = ledger;
  const back = assignments.filter(({ state }) => state === "RollingBack").length;
  const going = back === 0 ? "" : `; ${counted(back, "PoP")} to go back`;
  if (supersededBy)
    return [
      {
        rule: "F5",
        reason: "Superseded",
        message: `PoPRollout ${supersededBy.name} took the place of ${version} at ${supersededBy.at}${going}`,
      },
    ];
  if (stopped) return [{ rule: "F4", reason: "Stopped", message: `${stopped.because}${going}` }];
  const why = takenBack ?? halted;
  return why ? [{ rule: "F4", reason: "Halted", message: `${why.because}${going}` }] : [];
}
