import type { MaintenanceWindow, MaintenanceWindowStatus } from "../../api/maintenance-window.ts";
import { setCondition } from "../conditions.ts";
import type { Announcement, Decision, Instant } from "../decision.ts";
import { parseInstant } from "../time/instant.ts";
import { forecast } from "../window/forecast.ts";
import { windowProblems, windowZone } from "../window/parse.ts";
import type { MaintenanceWindowObservation } from "./observation.ts";

const COUNT = 5;
const TOO_SHORT_LIMIT = 20;

/** The names that status lists, sorted so that the order of a cache causes no write (rule G11); what is cut off is told as a number. */
function shortened(names: readonly string[]): string[] {
  const sorted = [...new Set(names)].toSorted();
  if (sorted.length <= TOO_SHORT_LIMIT) return sorted;
  return [...sorted.slice(0, TOO_SHORT_LIMIT - 1), `and ${sorted.length - TOO_SHORT_LIMIT + 1} more`];
}

function accepted(window: MaintenanceWindow, problems: readonly string[], zone: string | undefined) {
  if (problems.length > 0) {
    const message = `${problems.join("; ")}; nothing starts by this window until that is corrected`;
    return { type: "Accepted", status: "False", reason: "WindowInvalid", message } as const;
  }
  const where = zone === undefined ? "in the local zone of whatever it is applied to" : `in ${zone}`;
  const how = window.spec.schedule.once === undefined ? "recurs" : "occurs once";
  return { type: "Accepted", status: "True", reason: "Accepted", message: `the window ${how} ${where}` } as const;
}

function announcements(before: MaintenanceWindowStatus | undefined, after: ReturnType<typeof accepted>): readonly Announcement[] {
  const was = before?.conditions?.find((condition) => condition.type === "Accepted");
  if (was?.status === after.status && was.message === after.message) return [];
  if (after.status === "False") return [{ type: "Warning", reason: after.reason, action: "AcceptWindow", message: after.message }];
  return was?.status === "False" ? [{ type: "Normal", reason: after.reason, action: "AcceptWindow", message: after.message }] : [];
}

/**
 * The status of a MaintenanceWindow: whether it can be used (rule W10), its next five occurrences where the zone is fixed (rule W8),
 * and for what it is too short (rule W4). Looks again when the first of the occurrences begins or ends.
 */
export function decideMaintenanceWindow(
  { window, tooShortFor = [] }: MaintenanceWindowObservation,
  now: Instant,
): Decision<MaintenanceWindowStatus, never> {
  const problems = windowProblems(window.spec);
  const zone = windowZone(window.spec, undefined);
  const next = problems.length === 0 && zone !== undefined ? forecast({ spec: window.spec, zone, from: now, count: COUNT }) : undefined;
  const condition = accepted(window, problems, zone);
  const names = shortened(tooShortFor);
  const { generation } = window.metadata;
  const status: MaintenanceWindowStatus = {
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...(next === undefined ? {} : { next }),
    ...(names.length === 0 ? {} : { tooShortFor: names }),
    conditions: setCondition(window.status?.conditions, condition, generation, now),
  };
  // The start counts too: from then on the note says that the window is open.
  const turns = (next ?? []).flatMap(({ start, end }) => [parseInstant(start)!, parseInstant(end)!]).filter((turn) => turn > now);
  return {
    status,
    actions: [],
    events: announcements(window.status, condition),
    probes: [],
    ...(turns.length === 0 ? {} : { wakeAt: Math.min(...turns) }),
    holds: problems.length === 0 ? [] : [{ rule: "W10", reason: "WindowInvalid", message: condition.message }],
  };
}
