import type { Instant } from "../decision.ts";
import { iso, type Outcome } from "./outcome.ts";
import { pickFor } from "./pick.ts";
import { hasBegun, isEnding, isOver, type RolloutView } from "./view.ts";
import { overEverywhere } from "../rollout/train.ts";
import { parseLocalDate } from "../time/civil.ts";

/**
 * The train is over everywhere, and a wave that has somebody never opened (rule F1): the rollout halts, so that the next train need not
 * wait for it (rule F6); it does not stand, for nobody has let it go that far. A retry takes the next departure.
 */
export function trainOver(view: RolloutView, now: Instant): Outcome | undefined {
  const { startDate, endDate, outcome } = view.ledger;
  const end = endDate === undefined ? undefined : parseLocalDate(endDate);
  if (!view.windowed || isEnding(view) || outcome !== undefined || end === undefined || !hasBegun(view)) return undefined;
  const over = overEverywhere(end);
  const pending = view.waves.filter(({ state }) => state === "Pending");
  if (pending.length === 0) return undefined;
  if (now < over) return { wakes: [over] };
  if (!view.assignments.every((one) => isOver(one)) || pending.every(({ name }) => pickFor(view, name, now).members.length === 0))
    return undefined;
  const names = pending.map(({ name }) => name).join(", ");
  const because = `its train of ${startDate} was over on ${endDate} before ${pending.length === 1 ? "wave" : "waves"} ${names} opened; requests.retry goes on with the next train`;
  return {
    ledger: { ...view.ledger, halted: { at: iso(now), because } },
    events: [{ type: "Warning", reason: "Halted", action: "Halt", message: `rollout of ${view.version} halts: ${because}` }],
  };
}
