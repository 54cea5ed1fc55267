import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import { sameJson } from "../canonical-json.ts";
import type { Decision, Hold, Instant } from "../decision.ts";
import type { Probe } from "../health/probe.ts";
import { dates } from "./dates.ts";
import { emergency } from "./emergency.ts";
import { ending } from "./ending.ts";
import { failures } from "./failures.ts";
import { firstSight } from "./first-sight.ts";
import { freezesLifted } from "./freezes-lifted.ts";
import { lateJoiners } from "./late-joiners.ts";
import { members } from "./members.ts";
import type { PopRolloutObservation } from "./observation.ts";
import { openWaves } from "./open-waves.ts";
import { orders } from "./orders.ts";
import { inOrder, type Rule } from "./outcome.ts";
import { requests } from "./requests.ts";
import { stages } from "./stages.ts";
import { statusOf } from "./status.ts";
import { superseded } from "./superseded.ts";
import { trainOver } from "./train-over.ts";
import { waiting } from "./waiting.ts";
import { waves } from "./waves.ts";

/** How a rollout goes on, in this order; each rule sees what the ones before it have settled. */
const RULES: readonly Rule[] = [
  firstSight,
  superseded,
  members,
  requests,
  dates,
  emergency,
  stages,
  failures,
  waves,
  trainOver,
  openWaves,
  lateJoiners,
  freezesLifted,
  orders,
  ending,
  waiting,
];

/**
 * The decision about one rollout at one moment (rules F1, F4–F8, G4, P15). It acts on nothing but its own status: what it asks of a PoP
 * stands there as an assignment, and is written conditional on the version observed. Pure: the same observation and time give the same
 * answer; `status` is absent where nothing changed (G11).
 */
export function decide(seen: PopRolloutObservation, now: Instant): Decision<PopRolloutStatus, never, Probe> {
  // What is being deleted assigns nothing any more, and its PoPs do not read it.
  if (seen.rollout.deleting) return { actions: [], events: [], probes: [], holds: [] };
  const pass = inOrder(RULES, seen, now);
  const holds = ordered(pass.holds);
  const { status, wakeAt } = statusOf(pass.view, holds, now);
  const written = !sameJson(status, seen.rollout.status);
  const wakes = [...pass.wakes, ...holds.flatMap(({ until }) => until ?? []), ...(wakeAt === undefined ? [] : [wakeAt])].filter(
    (wake) => Number.isFinite(wake) && wake > now,
  );
  return {
    ...(written ? { status } : {}),
    actions: [],
    events: written ? pass.events : [],
    probes: pass.probes,
    ...(wakes.length > 0 ? { wakeAt: Math.min(...wakes) } : {}),
    holds,
  };
}

/** What a person has to mend or to say comes first, then what ends by itself, the earliest first. */
function ordered(holds: readonly Hold[]): readonly Hold[] {
  return [...holds].sort((a, b) => (a.until ?? -1) - (b.until ?? -1));
}
