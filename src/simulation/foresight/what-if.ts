import type { Fleet } from "../../api/fleet.ts";
import type { PopRollout } from "../../api/pop-rollout.ts";
import { formatLocalDate, parseLocalDate, WEEK } from "../../core/time/civil.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { dateAt } from "./dates.ts";
import { FleetModel, type Refusal } from "./fleet-model.ts";
import type { ForesightInput } from "./types.ts";

/** A train as long as this carries everything that can be carried at all. */
const LONG_TRAIN_WEEKS = 30;

/** What it would take to get everybody there. */
export interface Needed {
  /** Local dates on which PoPs would start, the first first. */
  readonly dates: readonly string[];
  /** When the last PoP would have all of its nodes done. */
  readonly doneAt?: string;
  /** The limit that sent most PoPs to another Sunday; absent: none did. */
  readonly forcedBy?: Refusal["kind"];
  /** Regions of the PoPs that start last. */
  readonly regions: readonly string[];
}

/**
 * What a rollout that does not fit would need (rule F7): the same fleet, the same decisions, a train that is long enough. Undefined: also
 * then not every PoP gets there.
 */
export function needed(input: ForesightInput, rollout: PopRollout): Needed | undefined {
  const { name } = rollout.metadata;
  const model = new FleetModel({ ...input, ...longer(input, name) });
  const over = () => {
    const { status } = model.rollouts.get(name)!;
    return status?.outcome !== undefined || ((status?.waves ?? []).every(({ state }) => state !== "Pending") && allRolled(model, name));
  };
  model.run(input.now + (LONG_TRAIN_WEEKS + 2) * WEEK, over);
  if (!allRolled(model, name) || model.unreached(name).length > 0) return undefined;
  const starts = (model.rollouts.get(name)!.status?.assignments ?? []).flatMap(({ pop }) => {
    const found = model.pops.get(pop);
    const { region = "no region", timeZone } = found?.pop.spec ?? { timeZone: "UTC" };
    const { windows = [], start } = found?.log.runs.at(-1) ?? {};
    const begins = windows.length > 0 ? windows.map((window) => window.begins) : start === undefined ? [] : [start];
    return begins.map((at) => ({ date: dateAt(timeZone, at), region }));
  });
  const dates = [...new Set(starts.map(({ date }) => date))].toSorted();
  const forcedBy = mostFrequent(model.refusals.map(({ kind }) => kind));
  const rolled =
    starts.length === 0
      ? []
      : (model.rollouts.get(name)!.status?.assignments ?? []).flatMap(({ pop }) => model.pops.get(pop)?.log.runs.at(-1)?.rolledAt ?? []);
  return {
    dates,
    ...(rolled.length === 0 ? {} : { doneAt: formatInstant(Math.max(...rolled)) }),
    ...(forcedBy === undefined ? {} : { forcedBy }),
    regions: starts.filter(({ date }) => date === dates.at(-1)).map(({ region }) => region),
  };
}

function mostFrequent<Value>(values: readonly Value[]): Value | undefined {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1])[0]?.[0];
}

const allRolled = (model: FleetModel, name: string): boolean => {
  const { assignments = [] } = model.rollouts.get(name)?.status ?? {};
  return assignments.length > 0 && assignments.every(({ state }) => ["Baking", "Passed", "Promoted", "Skipped"].includes(state));
};

function longer({ fleet, rollouts }: ForesightInput, name: string): Pick<ForesightInput, "rollouts"> & { readonly fleet?: Fleet } {
  const length = `${LONG_TRAIN_WEEKS * 168}h`;
  const of = rollouts.find(({ metadata }) => metadata.name === name);
  const anchor = fleet?.spec.train?.anchor ?? of?.status?.startDate ?? of?.spec.startNotBefore;
  const train = anchor === undefined ? undefined : { everyWeeks: fleet?.spec.train?.everyWeeks ?? 1, anchor, length };
  return {
    rollouts: rollouts.map((rollout) => (rollout.metadata.name === name ? withLaterEnd(rollout) : rollout)),
    ...(fleet ? { fleet: { ...fleet, spec: { ...fleet.spec, ...(train ? { train } : {}) } } } : {}),
  };
}

/** Dates that were fixed when the rollout began are moved with the train. */
function withLaterEnd(rollout: PopRollout): PopRollout {
  const { startDate } = rollout.status ?? {};
  const start = parseLocalDate(startDate ?? "");
  if (start === undefined) return rollout;
  return { ...rollout, status: { ...rollout.status, endDate: formatLocalDate(start + 7 * LONG_TRAIN_WEEKS) } };
}
