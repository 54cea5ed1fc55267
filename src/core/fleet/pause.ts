import type { FleetObservation } from "./observation.ts";
import type { Hold, Instant } from "../decision.ts";
import type { ConditionUpdate } from "../conditions.ts";
import { acknowledgement } from "../rollout/pause.ts";
import { formatInstant } from "../time/instant.ts";

export interface Pause {
  readonly pausedAt?: string;
  readonly condition: ConditionUpdate;
  readonly hold?: Hold;
  readonly wakeAt?: Instant;
}

/** The pause of the Fleet as it stands: obeyed at once, acknowledged after ten seconds (rule G15). */
export function pauseOf({ fleet: { generation, spec, status } }: FleetObservation, now: Instant): Pause {
  if (!spec.paused) return { condition: { type: "Paused", status: "False", reason: "NotPaused", message: "Nobody paused the fleet." } };
  const why = spec.reason ? `: ${spec.reason}` : "";
  const hold: Hold = {
    rule: "G13",
    reason: "FleetPaused",
    message: `the Fleet is paused${why}; nothing rolls forward until spec.paused is false`,
  };
  const { since, acknowledged, wakeAt } = acknowledgement({ generation, ...status }, now);
  return {
    pausedAt: formatInstant(since),
    hold,
    condition: acknowledged
      ? {
          type: "Paused",
          status: "True",
          reason: "PausedByPerson",
          message: `Nothing rolls forward until a person resumes the fleet${why}.`,
        }
      : {
          type: "Paused",
          status: "False",
          reason: "PauseRequested",
          message: `The pause is obeyed, and acknowledged 10 seconds after ${formatInstant(since)}${why}.`,
        },
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}
