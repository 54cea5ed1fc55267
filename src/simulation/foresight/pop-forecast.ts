import type { Assignment, PopRollout } from "../../api/pop-rollout.ts";
import type { Instant } from "../../core/decision.ts";
import { formatZoned } from "../../core/time/format.ts";
import { formatInstant } from "../../core/time/instant.ts";
import { dateAt } from "./dates.ts";
import type { FleetModel } from "./fleet-model.ts";
import type { RunLog, UsedWindow } from "./pop-log.ts";
import type { PopModel } from "./pop-model.ts";
import type { TouchedIndex } from "./touched-sites.ts";
import type { ForecastWindow, PopForecast } from "./types.ts";

/** Reasons for which a PoP gets nothing and nobody waits for it. */
const LEFT_OUT: ReadonlySet<string> = new Set(["PinnedByPerson", "OtherBase", "Gone", "AlreadyThere", "Superseded", "FailedBefore"]);
export const isLeftOut = ({ reason }: Assignment): boolean => reason !== undefined && LEFT_OUT.has(reason);

/** One PoP in one rollout, as its log and the rollout's last status have it. */
export function popForecast(
  model: FleetModel,
  rollout: PopRollout,
  pop: PopModel,
  assignment: Assignment | undefined,
  touched: TouchedIndex | undefined,
): PopForecast {
  const { metadata, spec } = pop.pop;
  const version = rollout.spec.version ?? rollout.spec.content?.version ?? "";
  const run = pop.log.runs.findLast((one) => one.version === version);
  const { timeZone, region } = spec;
  const why = fits(assignment, run) ? undefined : whyNot(model, rollout, pop, assignment, run);
  const sites = touched?.(metadata.name);
  return {
    pop: metadata.name,
    ...(region === undefined ? {} : { region }),
    timeZone,
    wave: assignment?.wave ?? "",
    nodes: pop.total,
    ...(run?.start === undefined ? {} : { start: formatInstant(run.start), localStart: formatZoned(run.start, timeZone) }),
    ...(run?.rolledAt === undefined ? {} : { end: formatInstant(run.rolledAt) }),
    ...(run?.passedAt === undefined ? {} : { passed: formatInstant(run.passedAt) }),
    windows: (run?.windows ?? []).map((used) => windowForecast(used, timeZone)),
    state: assignment?.state ?? "Pending",
    fits: fits(assignment, run),
    ...(why === undefined ? {} : { why }),
    ...(sites ? { sites } : {}),
  };
}

/** All of its nodes were done in the dates of the train: what had to follow as a late joiner was not. */
function fits(assignment: Assignment | undefined, run: RunLog | undefined): boolean {
  if (assignment === undefined || assignment.late === true) return false;
  if (assignment.state === "Passed" || assignment.state === "Promoted" || assignment.state === "Baking") return true;
  return run?.rolledAt !== undefined && run.back === undefined && assignment.state !== "Skipped";
}

function whyNot(
  model: FleetModel,
  rollout: PopRollout,
  pop: PopModel,
  assignment: Assignment | undefined,
  run: RunLog | undefined,
): string {
  const written = model.problemOf(pop.pop);
  if (written !== undefined) return written;
  const refusal = model.refusals.findLast((one) => one.pop === pop.pop.metadata.name);
  if (run?.back !== undefined) return run.back;
  const taken = model.takenBy(rollout, pop.pop);
  if (taken !== undefined) return taken;
  if (refusal !== undefined) return refusal.message;
  if (pop.hold !== undefined) return pop.hold.message;
  if (assignment?.message !== undefined) return assignment.message;
  return rollout.status?.halted?.because ?? rollout.status?.holds?.[0]?.message ?? notYet(run);
}

function windowForecast({ occurrence, begins, ends, nodes }: UsedWindow, zone: string): ForecastWindow {
  const [start, end]: [Instant, Instant] = occurrence === undefined ? [begins, ends] : [occurrence.start, occurrence.end];
  return {
    start: formatInstant(start),
    end: formatInstant(end),
    localStart: formatZoned(start, zone),
    localEnd: formatZoned(end, zone),
    date: dateAt(zone, start),
    begins: formatInstant(begins),
    ends: formatInstant(ends),
    nodes,
  };
}

const notYet = (run: RunLog | undefined): string =>
  run?.start === undefined ? "its turn does not come before the look ends" : "the look ends before all of its nodes are done";
