import type { SocketRollout } from "../../api/socket-rollout.ts";
import { explanation, troubles, unseenChange, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { momentText } from "./moment.ts";

/** How far a version of the Sockets has come, what holds it, and when it is through (rule S10). */
export function explainSocketRollout({ metadata, spec, status }: SocketRollout): Explanation {
  const subject = `SocketRollout ${metadata.name} (${spec.version})`;
  if (status === undefined) return explanation(`${subject} has no status yet: no operator has looked at it`, []);
  const { numbers, ramp, holds = [], skipped = [], forecast, stopped, standingSince, conditions = [], lateJoiners } = status;
  const reached = `has reached ${ramp?.percent ?? 0} % of the sites`;
  const state =
    stopped === undefined
      ? standingSince === undefined
        ? reached
        : "stands: sites that join later follow"
      : `starts nothing more: ${stopped.message}`;
  return explanation(`${subject} ${state}`, [
    ["Attention", [...unseenChange(metadata.generation, status.observedGeneration), ...troubles(conditions)]],
    ["Waits for", holdLines(holds, undefined)],
    [
      "Numbers",
      numbers === undefined
        ? []
        : [
            `${numbers.sites} sites, ${numbers.inRamp} in the ramp: ${numbers.offered} offered, ${numbers.attempted} attempted, ${numbers.confirmed} confirmed, ${numbers.failed} failed, ${numbers.unreachable} unreachable.`,
            `It stops by itself when more than ${spec.failureBudget.failedPercent} % of at least ${spec.failureBudget.attemptedAtLeast} attempted sites fail.`,
          ],
    ],
    ["Ramp", (ramp?.opened ?? []).map(({ percent, at }) => `${percent} % since ${momentText(at, undefined)}`)],
    ["Sites that wait", skipped.map(({ reason, sites }) => `${reason}: ${sites}`)],
    [
      "Forecast",
      [
        ...(forecast?.finishAt === undefined || stopped !== undefined
          ? []
          : [`Through ${momentText(forecast.finishAt, undefined)}, if nothing fails.`]),
        ...(lateJoiners === undefined
          ? []
          : [`Late joiners: ${lateJoiners.admitted} in the week from ${momentText(lateJoiners.week, undefined)}.`]),
      ],
    ],
  ]);
}
