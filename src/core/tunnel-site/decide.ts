import type { TunnelSiteStatus } from "../../api/tunnel-site.ts";
import { canonicalJson } from "../canonical-json.ts";
import { closest } from "../closest.ts";
import { setCondition, type ConditionUpdate } from "../conditions.ts";
import type { Decision, Instant } from "../decision.ts";
import { parseInstant } from "../time/instant.ts";
import type { TunnelSiteObservation } from "./observation.ts";
import { resilienceOf, resilient } from "./resilience.ts";
import { claimedPoPs, foldTunnels } from "./tunnels.ts";
import { upcoming } from "./upcoming.ts";

/**
 * What is told of one site of an account (rule F2): its tunnels as PoPs report them, whether it is resilient, and which planned window
 * it will feel. Its own object is all that it moves, and nothing that an account writes in it limits the fleet. No events: thousands of
 * sites may change at once, and each says it in its conditions.
 */
export function decide(seen: TunnelSiteObservation, now: Instant): Decision<TunnelSiteStatus, never> {
  const status = seen.account === undefined ? ofNobody(seen, now) : statusOf(seen, now);
  const turns = (status.upcoming ?? []).map(({ end }) => parseInstant(end)!).filter((end) => end > now);
  return {
    ...(canonicalJson(status) === canonicalJson(seen.site.status) ? {} : { status }),
    actions: [],
    events: [],
    probes: [],
    holds: [],
    ...(turns.length > 0 ? { wakeAt: Math.min(...turns) } : {}),
  };
}

function statusOf(seen: TunnelSiteObservation, now: Instant): TunnelSiteStatus {
  const { generation, spec, status } = seen.site;
  const tunnels = foldTunnels(seen, now);
  const planned = upcoming(seen, tunnels, now);
  const withAccepted = setCondition(status.conditions, accepted(seen), generation, now);
  return {
    observedGeneration: generation,
    ...(tunnels.length > 0 ? { tunnels: [...tunnels] } : {}),
    resilience: resilienceOf(tunnels),
    ...(planned.length > 0 ? { upcoming: [...planned] } : {}),
    conditions: setCondition(withAccepted, resilient(spec, tunnels), generation, now),
  };
}

/** What was known of the tunnels stays as it was: a label that is put back finds it. It limits nobody meanwhile. */
function ofNobody({ site: { generation, namespace, status } }: TunnelSiteObservation, now: Instant): TunnelSiteStatus {
  const update: ConditionUpdate = {
    type: "Accepted",
    status: "False",
    reason: "NoAccount",
    message: `namespace ${namespace} is no account's: create the TunnelSite in one that is labelled rollward.dev/account=<id>`,
  };
  return {
    observedGeneration: generation,
    ...(status.tunnels === undefined ? {} : { tunnels: status.tunnels }),
    conditions: setCondition(
      status.conditions?.filter(({ type }) => type !== "Resilient"),
      update,
      generation,
      now,
    ),
  };
}

function accepted({ site: { spec }, pops, popNames }: TunnelSiteObservation): ConditionUpdate {
  const unknown = claimedPoPs(spec).filter((name) => !pops.has(name));
  if (unknown.length === 0) {
    return { type: "Accepted", status: "True", reason: "Accepted", message: `tunnels to ${claimedPoPs(spec).join(" and ")} are expected` };
  }
  const problems = unknown.map((name) => {
    const field = name === spec.primaryPoP ? "spec.primaryPoP" : "spec.secondaryPoP";
    return `${field} is ${JSON.stringify(name)}, and there is no such PoP${instead(name, popNames)}`;
  });
  return { type: "Accepted", status: "False", reason: "PoPUnknown", message: problems.join("; ") };
}

const NAMES_SHOWN = 8;

function instead(name: string, known: readonly string[]): string {
  const meant = closest(name, known);
  if (meant !== undefined) return `; did you mean ${meant}?`;
  if (known.length === 0) return "; no PoP exists yet";
  const rest = known.length - NAMES_SHOWN;
  return `; write one of ${known.slice(0, NAMES_SHOWN).join(", ")}${rest > 0 ? ` or ${rest} others` : ""}`;
}
