import type { ClientRolloutSpec, ClientRolloutStatus } from "../../api/client-rollout.ts";
import type { Instant } from "../decision.ts";
import { WEEK } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";

/** How long the version is supported (rule C8): weeks left, the one that runs counted; 0: over. With the instant of the next change. */
export function supportOf(
  { endOfSupport }: ClientRolloutSpec,
  now: Instant,
): { readonly support?: NonNullable<ClientRolloutStatus["support"]>; readonly wakeAt?: Instant } {
  const endsAt = endOfSupport === undefined ? undefined : parseInstant(endOfSupport);
  if (endsAt === undefined) return {};
  const weeksLeft = Math.max(0, Math.ceil((endsAt - now) / WEEK));
  return { support: { endsAt: formatInstant(endsAt), weeksLeft }, ...(weeksLeft === 0 ? {} : { wakeAt: endsAt - (weeksLeft - 1) * WEEK }) };
}
