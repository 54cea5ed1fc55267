import type { PopRollout } from "../../api/pop-rollout.ts";
import { forecastDigest, forecastFacts } from "../../control/forecast/facts.ts";
import type { Instant } from "../../core/decision.ts";
import { HOUR } from "../../core/time/civil.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { conflictsOf } from "./conflicts.ts";
import { counted, numberWord, plural, some, trainDates } from "./dates.ts";
import { FleetModel } from "./fleet-model.ts";
import { popForecast } from "./pop-forecast.ts";
import { type TouchedIndex, touchedSites } from "./touched-sites.ts";
import type { ApprovalNeeded, Conflict, FleetForecast, ForesightInput, PopForecast, RolloutPlan } from "./types.ts";
import { approvedBy, type Needed, needed } from "./what-if.ts";

export const HORIZON = 840 * HOUR;

/** It is not over: waves are to come, or PoPs of it are. */
export const isOpen = ({ metadata, status }: PopRollout): boolean =>
  metadata.deletionTimestamp === undefined && status?.outcome === undefined && status?.supersededBy === undefined;

/**
 * What will happen, when, and to whom (rule F7): the fleet from its state of now on, by the decisions of its controllers, until every
 * rollout is over or the look ends. The same input gives the same answer.
 */
export function foresee(given: ForesightInput): FleetForecast {
  const { until = given.now + HORIZON, sites, thorough, onStep } = given;
  const facts = forecastFacts(given);
  const input: ForesightInput = { ...facts, until, ...(thorough === undefined ? {} : { thorough }), ...(onStep ? { onStep } : {}) };
  const open = input.rollouts.filter(isOpen);
  const model = modelOf(input, until);
  const touched = sites === undefined ? undefined : touchedSites(sites);
  const plans = open.map((before) => planOf(input, model, before, touched));
  const conflicts = plans.flatMap(({ conflicts: found }) => found);
  const rollouts = plans.map(({ plan }) => plan);
  return {
    digest: forecastDigest(facts),
    from: formatInstant(input.now),
    until: formatInstant(until),
    rollouts,
    conflicts,
    fits: rollouts.every(({ fits }) => fits) && conflicts.every(({ severity }) => severity === "Note"),
  };
}

/** The fleet, run until all rollouts that were open are over, or the look ends. */
export function modelOf(input: ForesightInput, until: Instant, delays?: ReadonlyMap<string, Instant>): FleetModel {
  const model = new FleetModel(input, delays);
  const open = input.rollouts.filter(isOpen).map(({ metadata }) => metadata.name);
  model.run(until, () => open.every((name) => !isOpen(model.rollouts.get(name)!)));
  return model;
}

function planOf(
  input: ForesightInput,
  model: FleetModel,
  before: PopRollout,
  touched: TouchedIndex | undefined,
): { readonly plan: RolloutPlan; readonly conflicts: readonly Conflict[] } {
  const { name, uid } = before.metadata;
  const after = model.rollouts.get(name)!;
  const { status = {}, spec } = after;
  const pops = popsOf(model, after, touched);
  const late = pops.filter(({ fits }) => !fits);
  const ended = pops.map(({ end }) => end).filter((end) => end !== undefined);
  const fits =
    late.length === 0 && pops.length > 0 && status.halted === undefined && status.stopped === undefined && status.takenBack === undefined;
  const conflicts = conflictsOf(input, model, before, after, pops);
  const dates = datesOf(pops);
  const needs = fits || input.thorough !== true ? undefined : needed(input, before);
  const finishAt = fits ? (ended.toSorted().at(-1) ?? undefined) : undefined;
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
    message: (fits ? fitting(after, pops, dates) : notFitting(after, pops, late, conflicts, needs)) + slowness(model.paceOf(spec.version)),
    dates,
    ...(needs === undefined ? {} : { needsDates: needs.dates, forcedBy: forcedBy(needs) }),
    ...(status.outcome === undefined ? {} : { outcome: status.outcome }),
    waves: (status.waves ?? []).map((wave) => ({
      name: wave.name,
      state: wave.state,
      ...(wave.openedAt === undefined ? {} : { opens: seconds(wave.openedAt) }),
      ...(wave.endedAt === undefined ? {} : { ends: seconds(wave.endedAt) }),
      pops: pops.filter((pop) => pop.wave === wave.name).length,
    })),
    pops,
    approvals: approvalsOf(input, model, before, pops, fits),
  };
  return { plan, conflicts: [...conflicts, ...approvalNotes(plan)] };
}

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

function fitting(rollout: PopRollout, pops: readonly PopForecast[], dates: RolloutPlan["dates"]): string {
  const on = some(
    dates.map(({ date, pops: count }) => `${date} (${plural(count, "PoP")})`),
    6,
  );
  if (dates.length === 0) return `fits: nothing more is to begin on its ${plural(pops.length, "PoP")}`;
  if (rollout.status?.startDate === undefined) return `fits: ${plural(pops.length, "PoP")}, begun on ${on}`;
  return `fits ${trainDates(rollout.status).text}: ${plural(pops.length, "PoP")} begin on ${on}`;
}

function notFitting(
  rollout: PopRollout,
  pops: readonly PopForecast[],
  late: readonly PopForecast[],
  conflicts: readonly Conflict[],
  needs: Needed | undefined,
): string {
  const { text } = trainDates(rollout.status ?? {});
  const why = conflicts.filter(({ severity }) => severity === "Conflict").map(({ message }) => message);
  if (pops.length === 0) return `reaches no PoP${why.length > 0 ? `: ${why[0]}` : ""}`;
  const regions = late.length === 0 ? "" : ` (by region: ${counted(late.map(({ region }) => region ?? "no region"))})`;
  const wants = needs === undefined ? "" : `; it would need ${numberWord(needs.dates)}, ${forcedBy(needs)}`;
  return `does not fit ${text} by ${plural(late.length, "PoP")}${regions}${wants}: ${why[0] ?? late[0]?.why ?? "it does not go on"}`;
}

/** Told from a tenth on: less is how nodes are. */
const slowness = (pace: number): string =>
  pace < 1.1
    ? ""
    : `; on most PoPs that have begun it a node takes ${pace.toFixed(1)} times what is expected, and so it is foreseen on the others`;

const LIMITS: Readonly<Record<NonNullable<Needed["forcedBy"]>, string>> = {
  DualTunnel: "forced by sites with tunnels to two PoPs",
  Region: "forced by maxConcurrentPerRegion",
  FleetLimit: "forced by maxConcurrentPoPs",
  Capacity: "forced by capacityFloorPercent",
};

/** Which limit it is, and where it lasts longest. */
const forcedBy = ({ forcedBy: limit, regions }: Needed): string =>
  `${limit === undefined ? "forced by the windows alone" : LIMITS[limit]}; last come the regions ${counted(regions)}`;

function approvalsOf(
  input: ForesightInput,
  model: FleetModel,
  { metadata }: PopRollout,
  pops: readonly PopForecast[],
  fits: boolean,
): readonly ApprovalNeeded[] {
  return model.assumptions.approvals
    .filter(({ rollout }) => rollout === metadata.name)
    .map(({ action, wave, digest, from }) => {
      const by =
        wave !== undefined && fits
          ? approvedBy(
              input,
              `${metadata.uid}/${wave}`,
              pops.filter((pop) => pop.wave === wave),
              from,
            )
          : undefined;
      return {
        action,
        ...(wave === undefined ? {} : { wave }),
        ...(isMadeUp(metadata.uid) ? {} : { digest }),
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
