import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../../core/decision.ts";
import { overEverywhere } from "../../core/rollout/train.ts";
import { MINUTE, parseLocalDate } from "../../core/time/civil.ts";
import { FleetModel } from "./fleet-model.ts";
import type { ForesightInput } from "./types.ts";

/** Whose Approval of which wave is looked at. */
export interface ApprovedWave {
  readonly rollout: string;
  readonly uid: string;
  readonly wave: string;
  /** When it begins to be waited for. */
  readonly from: Instant;
  /** The local date on which the train is over. */
  readonly endDate: string | undefined;
}

/** People decide to the minute. */
const TICK = MINUTE;

/**
 * The latest minute at which a yes to a wave still lets every PoP be done in the dates of the train (rule F8): a minute later it does not
 * fit. Of a rollout that fits with a yes at once; the minute is looked for by halving, each time with a look of its own. Undefined: no
 * train says until when.
 */
export function approvedBy(input: ForesightInput, approved: ApprovedWave): Instant | undefined {
  const end = parseLocalDate(approved.endDate ?? "");
  if (end === undefined) return undefined;
  const over = overEverywhere(end);
  let fits = approved.from;
  let late = Math.ceil(over / TICK) * TICK;
  while (late - fits > TICK) {
    const middle = Math.ceil((fits + (late - fits) / 2) / TICK) * TICK;
    if (middle >= late) break;
    if (fitsWhenApproved(input, approved, middle, over)) fits = middle;
    else late = middle;
  }
  return fits;
}

/** Whether every PoP is done in the dates of the train when this wave gets its yes at that instant, and the others at once. */
export function fitsWhenApproved(input: ForesightInput, { rollout, uid, wave }: ApprovedWave, at: Instant, over: Instant): boolean {
  const model = new FleetModel(input, new Map([[`${uid}/${wave}`, at]]));
  let [known, is]: [PopRolloutStatus, Progress] = [{}, "UnderWay"];
  model.run(over, () => {
    const { status = {} } = model.rollouts.get(rollout)!;
    if (status !== known) [known, is] = [status, progressOf(status)];
    return is !== "UnderWay";
  });
  return progressOf(model.rollouts.get(rollout)?.status ?? {}) === "Done" && model.unreached(rollout).length === 0;
}

type Progress = "UnderWay" | "Late" | "Done";

function progressOf({ halted, assignments = [], waves = [] }: PopRolloutStatus): Progress {
  const isLate = assignments.some(({ late, state, reason }) => late === true || (state === "Skipped" && reason === "OutsideWindow"));
  if (isLate || halted !== undefined) return "Late";
  const isDone = waves.length > 0 && waves.every(({ state }) => state !== "Pending") && assignments.every(({ state }) => DONE.has(state));
  return isDone ? "Done" : "UnderWay";
}

/** Its nodes are done, or it gets nothing by its own doing. */
const DONE: ReadonlySet<string> = new Set(["Baking", "Passed", "Promoted", "Skipped"]);
