import type { Inherited } from "../../api/client-rollout.ts";
import { generalFromOf } from "../client/rollout-view.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf } from "../rollout/timer.ts";
import { formatInstant } from "../time/instant.ts";
import type { ClientRolloutObservation } from "./observation.ts";

const MOST = 8;

export interface Takeover {
  readonly inherited?: Inherited;
  /** The rollouts that it mends, the oldest first, itself last; only where it mends one. */
  readonly chain?: readonly string[];
}

/**
 * What a fixed version takes over (rule C6): the shares reached, whether the pilots are through or how long they had it, when the general
 * rollout may begin. Copied once, when it is first seen, so that deleting the faulty one changes nothing.
 */
export function takenOver({ rollout, others }: ClientRolloutObservation, accepted: boolean, now: Instant): Takeover {
  const { spec, status, name } = rollout;
  if (spec.supersedes === undefined) return {};
  const kept = { ...(status.inherited === undefined ? {} : { inherited: status.inherited }), chain: status.chain ?? [name] };
  const mended = others.find((other) => other.name === spec.supersedes!.name);
  if (!accepted || status.inherited !== undefined || mended === undefined) return kept;
  const { reached, inherited: before, chain = [mended.name] } = mended.status;
  const generalFrom = generalFromOf(mended);
  const inherited: Inherited = {
    from: mended.name,
    versions: [...(before?.versions ?? []), mended.spec.version].slice(-MOST),
    accountsPercent: Math.max(reached?.accountsPercent ?? 0, before?.accountsPercent ?? 0),
    usersPercent: Math.max(reached?.usersPercent ?? 0, before?.usersPercent ?? 0),
    pilotPassed: reached?.stage === "Phase" || before?.pilotPassed === true,
    pilotElapsed: Math.floor(reached?.stage === "Pilot" ? elapsedOf(reached.timer, now) : (before?.pilotElapsed ?? 0)),
    ...(generalFrom === undefined ? {} : { generalFrom: formatInstant(generalFrom) }),
  };
  return { inherited, chain: [...chain, name].slice(-MOST) };
}
