import type { Assignment } from "../../api/pop-rollout.ts";
import { MOST_ASSIGNMENT_TEXT } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { liftedFor } from "./freezes-lifted.ts";
import { watchedUntil } from "./member-state.ts";
import type { Pick, Picked } from "./pick.ts";
import { iso } from "./outcome.ts";
import { EXPOSED, LATE, type RolloutView } from "./view.ts";

/** What a PoP is asked to run, and when it may start: the dates of the train, or for late joiners its own next window (rules F1, G4). */
export function assignmentOf(view: RolloutView, { pop, retry }: Picked, wave: string, now: Instant, approval?: string): Assignment {
  const { startDate, endDate } = view.ledger;
  const late = wave === LATE;
  const dated = view.windowed && !late && startDate !== undefined && endDate !== undefined;
  const watch = dated ? watchedUntil(endDate, pop.timeZone) : undefined;
  const bake = view.content ? undefined : bakeOf(view, wave);
  const lifted = liftedFor(view, wave);
  return {
    pop: pop.name,
    uid: pop.uid,
    wave,
    version: view.version,
    class: view.spec.class,
    announcedAt: iso(view.announcedAt),
    ...(dated ? { from: startDate, to: endDate } : {}),
    ...(bake === undefined ? {} : { bake }),
    ...(watch === undefined ? {} : { watchUntil: iso(watch) }),
    ...(approval === undefined ? {} : { approval }),
    ...(lifted.length === 0 ? {} : { liftedFreezes: lifted }),
    order: "Go",
    ...(retry === undefined ? {} : { retryAt: retry.at, retriedBy: retry.approval }),
    ...(late ? { late } : {}),
    state: "Assigned",
    since: iso(now),
  };
}

/** PoPs on the faulty version bake as long as the first wave does. */
const bakeOf = ({ spec: { waves } }: RolloutView, name: string): string | undefined =>
  (name === EXPOSED ? waves[0] : waves.find((wave) => wave.name === name))?.bake;

/** PoPs of a wave that get nothing: the version is there already, or they may not get it; each says why (rules F1, F8). */
export const otherAssignments = (view: RolloutView, { others }: Pick, wave: string, now: Instant): Assignment[] =>
  others.map(({ pop, eligibility }) => {
    const one = { pop: pop.name, uid: pop.uid, wave, version: view.version, class: view.spec.class };
    const at = { announcedAt: iso(view.announcedAt), order: "Go" as const, since: iso(now) };
    if (eligibility.kind === "There")
      return { ...one, ...at, state: "Passed", reason: "AlreadyThere", message: `PoP ${pop.name} ran ${view.version} already` };
    return { ...one, ...at, state: "Skipped", reason: eligibility.reason, message: cleanText(eligibility.message, MOST_ASSIGNMENT_TEXT) };
  });
