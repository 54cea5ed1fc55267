import type { ClientRolloutStatus } from "../../api/client-rollout.ts";
import { lostFixSentence, supersededSentence } from "../client/rollout-view.ts";
import type { ListedRollout } from "../client/problems.ts";
import type { Hold, Instant } from "../decision.ts";
import { ACKNOWLEDGED_AFTER } from "../rollout/pause.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import type { ClientRolloutObservation } from "./observation.ts";

type Reason = NonNullable<ClientRolloutStatus["reasons"]>[number];

/** Everybody's word on the rollout as a whole, and how much of it is known to be obeyed (rule C5). */
export interface Effective {
  readonly wanted: "Run" | "Paused" | "Stopped";
  /** Paused and Stopped only when nobody can be offered anything any more. */
  readonly effective: "Run" | "Paused" | "Stopped";
  readonly reasons: readonly Reason[];
  readonly stopped?: NonNullable<ClientRolloutStatus["stopped"]>;
  readonly pause?: NonNullable<ClientRolloutStatus["pause"]>;
  /** Live gateway replicas that have not confirmed yet. */
  readonly unconfirmed: readonly string[];
  readonly wakeAt?: Instant;
  readonly holds: readonly Hold[];
}

/** The strictest of provider, Fleet, monitoring and the rollout that mends it; an account's own pause holds that account alone. */
export function effectiveOf(
  seen: ClientRolloutObservation,
  listed: readonly ListedRollout[],
  monitoring: NonNullable<ClientRolloutStatus["monitoring"]>["paused"],
  now: Instant,
): Effective {
  const stopped = stoppedBy(seen, listed, now);
  const reasons = reasonsOf(seen, stopped, monitoring);
  const wanted = stopped !== undefined ? "Stopped" : reasons.length > 0 ? "Paused" : "Run";
  const { pause, unconfirmed, acknowledged, wakeAt } = confirmation(seen, wanted !== "Run", now);
  return {
    wanted,
    effective: wanted === "Run" || !acknowledged ? "Run" : wanted,
    reasons,
    ...(stopped === undefined ? {} : { stopped }),
    ...(pause === undefined ? {} : { pause }),
    unconfirmed,
    ...(wakeAt === undefined ? {} : { wakeAt }),
    holds: stopped === undefined ? reasons.map(holdOf) : [],
  };
}

/** Who ended it for ever: the provider, or a fixed version, from the moment that one is seen (rule C6). */
function stoppedBy(
  { rollout: { spec, status, uid } }: ClientRolloutObservation,
  listed: readonly ListedRollout[],
  now: Instant,
): ClientRolloutStatus["stopped"] {
  const self = listed.find((one) => one.uid === uid);
  const superseded = self && supersededSentence(self, listed);
  if (status.stopped?.by === "Superseded") {
    const message = superseded ?? (self && lostFixSentence(self, listed)) ?? status.stopped.message;
    return { ...status.stopped, message };
  }
  if (status.stopped !== undefined) return status.stopped;
  const at = formatInstant(now);
  if (superseded !== undefined) return { at, by: "Superseded", message: superseded };
  return spec.requested === "Stopped" ? { at, by: "Person", message: spec.reason ?? "the provider stopped it" } : undefined;
}

function reasonsOf(
  { rollout: { spec }, fleetPaused }: ClientRolloutObservation,
  stopped: ClientRolloutStatus["stopped"],
  monitoring: NonNullable<ClientRolloutStatus["monitoring"]>["paused"],
): readonly Reason[] {
  const provider = spec.requested === "Run" ? undefined : (spec.reason ?? `the provider wrote requested: ${spec.requested}`);
  return [
    ...(stopped?.by === "Superseded" ? [{ by: "Superseded", message: stopped.message } as const] : []),
    ...(provider === undefined ? [] : [{ by: "Provider", message: provider } as const]),
    ...(fleetPaused ? [{ by: "Fleet", message: "the Fleet is paused" } as const] : []),
    ...(monitoring === undefined ? [] : [{ by: "Monitoring", message: monitoring.message } as const]),
  ];
}

const HOLDS = { Provider: "Paused", Fleet: "FleetPaused", Monitoring: "PausedByMonitoring", Superseded: "Superseded" } as const;

function holdOf({ by, message }: Reason): Hold {
  const then =
    by === "Monitoring" ? "; rollward goes on when a person writes requests.resume" : "; nothing new is offered until that is over";
  return { rule: "C5", reason: HOLDS[by], message: `${message}${then}` };
}

interface Confirmation {
  readonly pause: NonNullable<ClientRolloutStatus["pause"]> | undefined;
  readonly unconfirmed: readonly string[];
  readonly acknowledged: boolean;
  readonly wakeAt?: Instant;
}

/**
 * Whether every gateway obeys (rules C5, G15): each live replica confirmed this very pause, or has been silent for so long that it is not
 * fresh and offers nothing. The id is another one for each generation that is paused: between two looks it may have been lifted and set
 * again, and what was confirmed of the one before counts no more.
 */
function confirmation({ rollout, replicas }: ClientRolloutObservation, pausing: boolean, now: Instant): Confirmation {
  const { generation, status } = rollout;
  const before = status.pause;
  if (!pausing) return { pause: before && { id: before.id }, unconfirmed: [], acknowledged: false };
  const known = before?.since !== undefined && status.observedGeneration === generation ? before : undefined;
  // Rounded up: instants in status have whole seconds, and ten are promised.
  const pause = known ?? { id: (before?.id ?? 0) + 1, since: formatInstant(Math.ceil(now / SECOND) * SECOND) };
  // Obeyed by all once, it stays so: a gateway that starts later begins with what the API server has now.
  if (known !== undefined && status.effective !== undefined && status.effective !== "Run") {
    return { pause, unconfirmed: [], acknowledged: true };
  }
  const due = parseInstant(pause.since!)! + ACKNOWLEDGED_AFTER;
  if (replicas === undefined) {
    const acknowledged = now >= due;
    return { pause, unconfirmed: [], acknowledged, ...(acknowledged ? {} : { wakeAt: due }) };
  }
  const unconfirmed = replicas.filter(
    ({ confirmed, silentMilliseconds }) => confirmed < pause.id && silentMilliseconds <= ACKNOWLEDGED_AFTER,
  );
  // Written first, seen by replicas afterwards: nobody can have confirmed what does not stand in status yet.
  const acknowledged = known !== undefined && unconfirmed.length === 0;
  return { pause, unconfirmed: unconfirmed.map(({ name }) => name), acknowledged, ...(acknowledged ? {} : { wakeAt: now + SECOND }) };
}
