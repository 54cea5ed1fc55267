import type { Disruption } from "../../api/fleet.ts";
import type { FleetObservation, FleetPop, LiveAnswer } from "./observation.ts";

export interface Struck {
  readonly entry: Disruption;
  readonly because: string;
}

/**
 * Entries about which the PoP's object has to be read live before the decision: the cache shows it gone, replaced under its name, or
 * with a later grant. A cache alone never strikes those: it may be behind (rule G14).
 */
export function entriesToConfirm(disruptions: readonly Disruption[], pops: readonly FleetPop[]): readonly Disruption[] {
  return disruptions.filter((entry) => {
    const pop = pops.find(({ name }) => name === entry.pop);
    return pop?.uid !== entry.uid || (pop.grant !== undefined && pop.grant.id > entry.id);
  });
}

/**
 * Strikes what is over (rule G14): Returned with the entry's own id, however old that view is, because an id is never used again; or
 * a live read that says gone, another UID, or a later id. Everything else stays, and its PoP keeps its place.
 */
export function strike({ fleet, pops, live }: Pick<FleetObservation, "fleet" | "pops" | "live">): {
  kept: readonly Disruption[];
  struck: readonly Struck[];
} {
  const kept: Disruption[] = [];
  const struck: Struck[] = [];
  for (const entry of fleet.status.disruptions ?? []) {
    const because = returned(entry, pops) ?? superseded(entry, live.get(entry.pop));
    if (because === undefined) kept.push(entry);
    else struck.push({ entry, because });
  }
  return { kept, struck };
}

function returned(entry: Disruption, pops: readonly FleetPop[]): string | undefined {
  const pop = pops.find(({ uid }) => uid === entry.uid);
  return pop?.grant?.id === entry.id && pop.grant.state === "Returned" ? "it was returned" : undefined;
}

function superseded(entry: Disruption, answer: LiveAnswer | undefined): string | undefined {
  if (answer === undefined) return undefined;
  if (!answer.found) return "the PoPCluster does not exist any more";
  if (answer.uid !== entry.uid) return "a new PoPCluster of that name took its place";
  if (answer.grant === undefined || answer.grant.id < entry.id) return undefined;
  if (answer.grant.id > entry.id) return `the PoP asked again, as ${answer.grant.id}`;
  return answer.grant.state === "Returned" ? "it was returned" : undefined;
}
