import type { Instant } from "../decision.ts";
import { SECOND } from "../time/civil.ts";
import { parseInstant } from "../time/instant.ts";

/** A pause is obeyed at once and acknowledged after this: by then whoever acted on the older spec has seen it (rule G15). */
export const ACKNOWLEDGED_AFTER = 10 * SECOND;

/** What a paused object's status and metadata tell of its pause. */
export interface PauseLedger {
  readonly generation: number;
  readonly observedGeneration?: number | undefined;
  readonly pausedAt?: string | undefined;
}

export interface Acknowledgement {
  /** When this generation was first seen paused, in whole seconds. */
  readonly since: Instant;
  readonly acknowledged: boolean;
  readonly wakeAt?: Instant;
}

/**
 * Since when the pause of a paused object counts, and whether it is acknowledged (rule G15). The ten seconds count from when this
 * generation was first seen paused: between two looks at two generations the pause may have been lifted and set again.
 */
export function acknowledgement({ generation, observedGeneration, pausedAt }: PauseLedger, now: Instant): Acknowledgement {
  const known = observedGeneration === generation && pausedAt !== undefined ? parseInstant(pausedAt) : undefined;
  // Rounded up, because instants in status have whole seconds and ten seconds are promised.
  const since = known ?? Math.ceil(now / SECOND) * SECOND;
  const acknowledged = now >= since + ACKNOWLEDGED_AFTER;
  return { since, acknowledged, ...(acknowledged ? {} : { wakeAt: since + ACKNOWLEDGED_AFTER }) };
}
