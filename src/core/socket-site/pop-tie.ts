import type { Hold, Instant } from "../decision.ts";
import { describeInstant } from "../time/format.ts";
import type { SiteView } from "./view.ts";

/**
 * A Socket is not upgraded while the PoP that it is connected to is rolled, nor when that would begin before the upgrade is over (rule
 * S11). A rollout that put the site off once does not do it twice: then the PoP waits.
 */
export function popHold({ seen, ledger, zone }: SiteView, now: Instant, piece: number): Hold | undefined {
  const { pop } = seen;
  if (pop === undefined) return undefined;
  const spent = (rollout: string | undefined): boolean => rollout !== undefined && rollout === ledger.putOff?.rollout;
  if (pop.rolling !== undefined && !spent(pop.rolling.rollout)) {
    const message = `PoP ${pop.name}, which the site is connected to, is being rolled; the site is first in its next window`;
    return { rule: "S11", reason: "PoPRolling", message };
  }
  const { planned } = pop;
  if (planned === undefined || planned.from <= now || planned.from >= now + piece || spent(planned.rollout)) return undefined;
  const message = `PoP ${pop.name} is to be rolled ${describeInstant(planned.from, zone)}, before the upgrade would be over`;
  return { rule: "S11", reason: "PoPRolling", message };
}

/** The PoPRollout that the site gave its window to, as far as it has a name. */
export const rollingRollout = ({ seen: { pop } }: SiteView): string | undefined => (pop?.rolling ?? pop?.planned)?.rollout;
