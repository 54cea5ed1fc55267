import type { FleetObservation } from "./observation.ts";
import type { Hold, Instant } from "../decision.ts";
import type { ConditionUpdate } from "../conditions.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";

/** A pause is obeyed at once and acknowledged after this: by then whoever acted on the older spec has seen it (rule G15). */
export const ACKNOWLEDGED_AFTER = 10 * SECOND;

export interface Pause {
  readonly pausedAt?: string;
  readonly condition: ConditionUpdate;
  readonly hold?: Hold;
  readonly wakeAt?: Instant;
}

/**
 * The pause as it stands. The ten seconds count from when this generation was first seen paused: between two looks at two
 * generations the pause may have been lifted and set again.
 */
export function pauseOf({ fleet: { generation, spec, status } }: FleetObservation, now: Instant): Pause {
  if (!spec.paused) return { condition: { type: "Paused", status: "False", reason: "NotPaused", message: "Nobody paused the fleet." } };
  const why = spec.reason ? `: ${spec.reason}` : "";
  const hold: Hold = {
    rule: "G13",
    reason: "FleetPaused",
    message: `the Fleet is paused${why}; nothing rolls forward until spec.paused is false`,
  };
  const known = status.observedGeneration === generation && status.pausedAt !== undefined ? parseInstant(status.pausedAt) : undefined;
  // Rounded up, because instants in status have whole seconds and ten seconds are promised.
  const since = known ?? Math.ceil(now / SECOND) * SECOND;
  const acknowledged = now >= since + ACKNOWLEDGED_AFTER;
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
    ...(acknowledged ? {} : { wakeAt: since + ACKNOWLEDGED_AFTER }),
  };
}
