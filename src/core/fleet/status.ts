import { type Disruption, type FleetStatus, fleetStatus } from "../../api/fleet.ts";
import { setCondition, type ConditionUpdate } from "../conditions.ts";
import type { Instant } from "../decision.ts";
import { laterFields } from "../later-fields.ts";
import type { Granting } from "./grants.ts";
import type { FleetObservation, FleetPop } from "./observation.ts";
import type { Pause } from "./pause.ts";

const MOST_VERSIONS = 64;
/** As many as the schema takes; who stands behind them loses nothing but an explanation. */
const MOST_WAITING = 1000;

/** The Fleet's status: the ledger, and what is told from it. */
export function statusOf(
  seen: FleetObservation,
  ledger: { readonly kept: readonly Disruption[] } & Granting,
  pause: Pause,
  problems: readonly string[],
  departures: readonly string[],
  now: Instant,
): FleetStatus {
  const { generation, status } = seen.fleet;
  const disruptions = [...ledger.kept, ...ledger.granted];
  const withAccepted = setCondition(status.conditions, acceptedOf(problems), generation, now);
  return {
    ...laterFields(fleetStatus, status),
    observedGeneration: generation,
    disruptions,
    waiting: ledger.waiting.slice(0, MOST_WAITING),
    counts: { disrupted: disruptions.length, waiting: ledger.waiting.length },
    versions: versionsOf(seen.pops),
    tzdata: seen.tzdata,
    nextDepartures: [...departures],
    ...(pause.pausedAt === undefined ? {} : { pausedAt: pause.pausedAt }),
    conditions: setCondition(withAccepted, pause.condition, generation, now),
  };
}

function acceptedOf(problems: readonly string[]): ConditionUpdate {
  if (problems.length === 0) return { type: "Accepted", status: "True", reason: "Accepted", message: "The spec can be carried out." };
  return {
    type: "Accepted",
    status: "False",
    reason: "FreezeInvalid",
    message: `${problems.join("; ")}. Nothing rolls forward until it is corrected.`,
  };
}

/** How many PoPs run which version: the most common first, at most as many as the schema takes. */
function versionsOf(pops: readonly FleetPop[]): { version: string; pops: number }[] {
  const counts = new Map<string, number>();
  for (const { version } of pops) if (version !== undefined) counts.set(version, (counts.get(version) ?? 0) + 1);
  return [...counts]
    .map(([version, count]) => ({ version, pops: count }))
    .toSorted((a, b) => b.pops - a.pops || (a.version < b.version ? -1 : 1))
    .slice(0, MOST_VERSIONS);
}
