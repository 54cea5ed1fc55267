import type { PopRollout } from "../../api/pop-rollout.ts";
import { formatInstant } from "../../core/time/instant.ts";
import type { Instant } from "../../core/decision.ts";
import { counted, numberWord, plural, some, trainDates } from "./dates.ts";
import type { Conflict, PopForecast, RolloutPlan } from "./types.ts";
import type { Needed } from "./what-if.ts";

/** All that a rollout's sentence is made of. */
export interface Seen {
  readonly rollout: PopRollout;
  readonly pops: readonly PopForecast[];
  readonly dates: RolloutPlan["dates"];
  readonly conflicts: readonly Conflict[];
  readonly leftOut: RolloutPlan["leftOut"];
}

const beginnings = (dates: RolloutPlan["dates"]): string =>
  some(
    dates.map(({ date, pops: count }) => `${date} (${plural(count, "PoP")})`),
    6,
  );

export function fitting({ rollout, pops, dates }: Seen): string {
  if (dates.length === 0) return `fits: nothing more is to begin on its ${plural(pops.length, "PoP")}`;
  const on = beginnings(dates);
  if (rollout.status?.startDate === undefined) return `fits: ${plural(pops.length, "PoP")}, begun on ${on}`;
  return `fits ${trainDates(rollout.status).text}: ${plural(pops.length, "PoP")} ${pops.length === 1 ? "begins" : "begin"} on ${on}`;
}

/**
 * The look ended before the rollout did: what it saw, what no longer look would see otherwise (of `held` PoPs), and no judgement of
 * the rest.
 */
export function notKnown({ pops, dates, conflicts }: Seen, until: Instant, held: number): string {
  const late = pops.filter(({ fits }) => !fits).length - held;
  const begun = dates.length === 0 ? "nothing begins by then" : `begun on ${beginnings(dates)}`;
  const rest = `the rest is not known: ${begun}, ${plural(late, "PoP")} ${late === 1 ? "is" : "are"} not done`;
  const wrong = conflicts.find(({ severity }) => severity === "Conflict");
  if (wrong === undefined) return `looked until ${formatInstant(until)}; ${rest}; a later --until says whether it fits`;
  return `does not fit: ${wrong.message}; looked until ${formatInstant(until)}; ${rest}; a later --until says what becomes of them`;
}

/** `needs`: what it would take; `nothing` where a train of any length would not do. `lost`: dates of the train that are none for it. */
export function notFitting({ rollout, pops, conflicts, leftOut }: Seen, needs: Needed | undefined, lost: string | undefined): string {
  const { text } = trainDates(rollout.status ?? {});
  const why = conflicts.filter(({ severity }) => severity === "Conflict").map(({ message }) => message);
  if (pops.length === 0) return `reaches no PoP${reaching(leftOut, why[0])}`;
  const late = pops.filter(({ fits }) => !fits);
  const regions = late.length === 0 ? "" : ` (by region: ${counted(late.map(({ region }) => region ?? "no region"))})`;
  const wants = needs === undefined ? "" : `; ${wanting(rollout, needs)}`;
  // What is wrong with the fleet or the rollout as a whole keeps it from every date: no single one is to blame then.
  const wrong = conflicts.find(({ kind, severity, count }) => kind === "Invalid" && severity === "Conflict" && count === 0)?.message;
  const because = wrong ?? lost ?? why[0] ?? late[0]?.why ?? "it does not go on";
  return `does not fit ${text} by ${plural(late.length, "PoP")}${regions}: ${because}${wants}`;
}

/** Why each PoP gets nothing, or what is wrong with the rollout. */
function reaching(leftOut: RolloutPlan["leftOut"], why: string | undefined): string {
  const reasons = leftOut.map(({ message }) => message);
  if (reasons.length > 0) return `: ${some(reasons, 8, "; ")}`;
  return why === undefined ? "" : `: ${why}`;
}

/** `it needs one more date, 2026-12-06, and would be done at …`. */
function wanting({ status = {} }: PopRollout, needs: Needed): string {
  const more = datesAfter(status.endDate, needs.dates);
  const done = needs.doneAt === undefined ? "" : ` and would be done at ${needs.doneAt}`;
  if (more.length === 0) return `with a longer train it would fit${done}, ${forcedBy(needs)}`;
  const which = more.length === 1 ? more[0]! : `the first ${more[0]}, the last ${more.at(-1)}`;
  return `it needs ${numberWord(more.length)} more ${more.length === 1 ? "date" : "dates"} after its train (${which})${done}, ${forcedBy(needs)}`;
}

/** Dates on which PoPs would begin that no train of its length has. */
export const datesAfter = (endDate: string | undefined, dates: readonly string[]): readonly string[] =>
  endDate === undefined ? [] : dates.filter((date) => date >= endDate);

/** Told from a tenth on: less is how nodes are. */
export const slowness = (pace: number): string =>
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
export const forcedBy = ({ forcedBy: limit, regions }: Needed): string =>
  `${limit === undefined ? "forced by the windows alone" : LIMITS[limit]}; last come the regions ${counted(regions)}`;
