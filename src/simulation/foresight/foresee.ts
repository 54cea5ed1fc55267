import type { PopRollout } from "../../api/pop-rollout.ts";
import { forecastDigest, forecastFacts } from "../../control/forecast/facts.ts";
import type { Instant } from "../../core/decision.ts";
import { overEverywhere } from "../../core/rollout/train.ts";
import { DAY, HOUR, MINUTE, parseLocalDate } from "../../core/time/civil.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { approvedBy } from "./approved-by.ts";
import { calendarOf } from "./calendar-conflicts.ts";
import { conflictsOf, isHeldForGood, isHeldItself, leftOutOf } from "./conflicts.ts";
import { FleetModel } from "./fleet-model.ts";
import { lostText } from "./late-causes.ts";
import { popForecast } from "./pop-forecast.ts";
import { datesAfter, fitting, forcedBy, notFitting, notKnown, type Seen, slowness } from "./sentences.ts";
import { samePods } from "./same-pods.ts";
import { type TouchedIndex, touchedSites } from "./touched-sites.ts";
import type { ApprovalNeeded, Conflict, FleetForecast, ForesightInput, PopForecast, RolloutPlan } from "./types.ts";
import { type Needed, needed } from "./what-if.ts";

export const HORIZON = 840 * HOUR;
/** Beyond it nobody knows what else will have been released. */
export const LONGEST = 364 * DAY;

/** It is not over: waves are to come, or PoPs of it are. */
export const isOpen = ({ metadata, status }: PopRollout): boolean =>
  metadata.deletionTimestamp === undefined && status?.outcome === undefined && status?.supersededBy === undefined;

/**
 * What will happen, when, and to whom (rule F7): the fleet from its state of now on, by the decisions of its controllers, until every
 * rollout is over or the look ends. The same input gives the same answer.
 */
export function foresee(given: ForesightInput): FleetForecast {
  const { sites, thorough, onStep } = given;
  const facts = forecastFacts(given);
  const asked: ForesightInput = { ...facts, ...(thorough === undefined ? {} : { thorough }), ...(onStep ? { onStep } : {}) };
  const open = asked.rollouts.filter(isOpen);
  const { model, until } = modelOf(asked, given.until);
  const input: ForesightInput = { ...asked, until };
  const touched = sites === undefined ? undefined : touchedSites(sites);
  const plans = open.map((before) => planOf(input, model, before, touched, until));
  const conflicts = plans.flatMap(({ plan, conflicts: found }, index) => [...found, ...samePods(given.pops, open[index]!, plan.pops)]);
  const rollouts = plans.map(({ plan }) => plan);
  const complete = rollouts.every((plan) => plan.complete);
  return {
    digest: forecastDigest(facts, complete ? undefined : formatInstant(until)),
    from: formatInstant(input.now),
    until: formatInstant(until),
    rollouts,
    conflicts,
    fits: rollouts.every(({ fits }) => fits) && conflicts.every(({ severity }) => severity === "Note"),
    complete,
  };
}

/** The fleet, run until all rollouts that were open are over, or the look ends; where nobody says when, as far as their trains go. */
export function modelOf(input: ForesightInput, asked: Instant | undefined): { readonly model: FleetModel; readonly until: Instant } {
  const model = new FleetModel(input);
  const open = input.rollouts.filter(isOpen).map(({ metadata }) => metadata.name);
  const enough = (): boolean => open.every((name) => !isOpen(model.rollouts.get(name)!));
  let until = asked ?? input.now + HORIZON;
  model.run(until, enough);
  if (asked !== undefined) return { model, until };
  const ends = open.flatMap((name) => trainOver(model.rollouts.get(name)!) ?? []);
  until = Math.min(Math.max(until, ...ends), input.now + LONGEST);
  model.run(until, enough);
  return { model, until };
}

/** When no clock shows a date of its train any more, and all is decided. */
function trainOver({ status }: PopRollout): Instant | undefined {
  const end = parseLocalDate(status?.endDate ?? "");
  return end === undefined ? undefined : overEverywhere(end) + MINUTE;
}

/**
 * The look ended while something of the rollout was still to come: it is not over, its train is not, and what is not done yet is not held
 * by anything that a person has to correct.
 */
function isCutShort(model: FleetModel, rollout: PopRollout, late: readonly PopForecast[], until: Instant): boolean {
  if (late.length === 0 || model.next === undefined || !isOpen(rollout)) return false;
  const over = trainOver(rollout);
  if (over !== undefined && over <= until) return false;
  return !isHeldForGood(model, rollout, late);
}

function planOf(
  input: ForesightInput,
  model: FleetModel,
  before: PopRollout,
  touched: TouchedIndex | undefined,
  until: Instant,
): { readonly plan: RolloutPlan; readonly conflicts: readonly Conflict[] } {
  const { name, uid } = before.metadata;
  const after = model.rollouts.get(name)!;
  const { status = {}, spec } = after;
  const pops = popsOf(model, after, touched);
  const late = pops.filter(({ fits }) => !fits);
  const ended = pops.map(({ end }) => end).filter((end) => end !== undefined);
  const fits =
    late.length === 0 && pops.length > 0 && status.halted === undefined && status.stopped === undefined && status.takenBack === undefined;
  const complete = !isCutShort(model, after, late, until);
  const calendar = calendarOf(
    input,
    model,
    after,
    pops.flatMap(({ pop }) => model.pops.get(pop) ?? []),
  );
  const conflicts = conflictsOf(input, model, { before, after, pops, calendar, complete });
  const seen: Seen = { rollout: after, pops, dates: datesOf(pops), conflicts, leftOut: leftOutOf(model, after) };
  const needs = fits || !complete || input.thorough !== true ? undefined : needed(input, before);
  const finishAt = fits ? (ended.toSorted().at(-1) ?? undefined) : undefined;
  const held = late.filter((one) => isHeldItself(model, after, one)).length;
  const said = fits ? fitting(seen) : complete ? notFitting(seen, needs, lostText(calendar, late)) : notKnown(seen, until, held);
  const plan: RolloutPlan = {
    name,
    uid,
    version: spec.version ?? spec.content?.version ?? "",
    content: spec.content !== undefined,
    class: spec.class,
    ...(status.startDate === undefined ? {} : { startDate: status.startDate }),
    ...(status.endDate === undefined ? {} : { endDate: status.endDate }),
    ...(finishAt === undefined ? {} : { finishAt }),
    fits,
    complete,
    message: said + slowness(model.paceOf(spec.version)),
    dates: seen.dates,
    ...(needs === undefined ? {} : neededFields(status.endDate, needs)),
    ...(status.outcome === undefined ? {} : { outcome: status.outcome }),
    waves: (status.waves ?? []).map((wave) => ({
      name: wave.name,
      state: wave.state,
      ...(wave.openedAt === undefined ? {} : { opens: seconds(wave.openedAt) }),
      ...(wave.endedAt === undefined ? {} : { ends: seconds(wave.endedAt) }),
      pops: pops.filter((pop) => pop.wave === wave.name).length,
    })),
    pops,
    leftOut: seen.leftOut,
    approvals: approvalsOf(input, model, after, fits),
  };
  return { plan, conflicts: [...conflicts, ...approvalNotes(plan)] };
}

const neededFields = (endDate: string | undefined, needs: Needed) => ({
  needsDates: needs.dates.length,
  moreDates: datesAfter(endDate, needs.dates).length,
  ...(needs.doneAt === undefined ? {} : { wouldFinishAt: needs.doneAt }),
  forcedBy: forcedBy(needs),
});

const seconds = (instant: string): string => formatInstant(Date.parse(instant));

/** Members in the order in which they start, then those that nobody reaches. Who gets nothing by its own doing is no member. */
function popsOf(model: FleetModel, rollout: PopRollout, touched: TouchedIndex | undefined): readonly PopForecast[] {
  const assignments = (rollout.status?.assignments ?? []).filter(({ state, reason }) => state !== "Skipped" || reason === "OutsideWindow");
  const assigned = assignments.flatMap((one) => {
    const pop = model.pops.get(one.pop);
    return pop === undefined ? [] : [popForecast(model, rollout, pop, one, touched)];
  });
  const unreached = model.unreached(rollout.metadata.name).flatMap((name) => {
    const pop = model.pops.get(name);
    return pop === undefined ? [] : [popForecast(model, rollout, pop, undefined, touched)];
  });
  return [...assigned, ...unreached].toSorted((a, b) => compare(a.start ?? "~", b.start ?? "~") || compare(a.pop, b.pop));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** How many PoPs begin on which local date. */
function datesOf(pops: readonly PopForecast[]): RolloutPlan["dates"] {
  const counts = new Map<string, number>();
  for (const { windows, start, localStart } of pops) {
    const date = windows[0]?.date ?? (start === undefined ? undefined : localStart!.slice(0, 10));
    if (date !== undefined) counts.set(date, (counts.get(date) ?? 0) + 1);
  }
  return [...counts].map(([date, count]) => ({ date, pops: count })).toSorted((a, b) => compare(a.date, b.date));
}

function approvalsOf(
  input: ForesightInput,
  model: FleetModel,
  { metadata: { name, uid }, status }: PopRollout,
  fits: boolean,
): readonly ApprovalNeeded[] {
  return model.assumptions.approvals
    .filter(({ rollout }) => rollout === name)
    .map(({ action, wave, digest, from }) => {
      const looked = wave !== undefined && fits && input.thorough === true;
      const by = looked ? approvedBy(input, { rollout: name, uid, wave, from, endDate: status?.endDate }) : undefined;
      return {
        action,
        ...(wave === undefined ? {} : { wave }),
        ...(isMadeUp(uid) ? {} : { digest }),
        from: formatInstant(from),
        ...(by === undefined ? {} : { by: formatInstant(by) }),
      };
    });
}

/** The UID of an object that no API server has given one yet: nothing can be bound to it. */
export const madeUpUid = (kind: string, namespace: string, name: string): string => `made-up:${kind}/${namespace}/${name}`;
const isMadeUp = (uid: string): boolean => uid.startsWith("made-up:");

const approvalNotes = ({ name, approvals, pops }: RolloutPlan): readonly Conflict[] =>
  approvals.map(({ action, wave, digest, from, by }): Conflict => {
    const who = wave === undefined ? [] : pops.filter((pop) => pop.wave === wave).map(({ pop }) => pop);
    const what = action === "Emergency" ? "the emergency begins on an Approval by a second person" : `wave ${wave} opens on an Approval`;
    const names = digest === undefined ? "; its digest is known once the rollout is created" : ` for digest ${digest}`;
    const latest = by === undefined ? "" : `, by ${by} at the latest`;
    return {
      kind: "Approval",
      severity: "Note",
      rollout: name,
      who: who.toSorted().slice(0, 16),
      count: who.length,
      message: `${what}${names}: it is waited for from ${from} on${latest}; the forecast takes it as given at once`,
    };
  });
