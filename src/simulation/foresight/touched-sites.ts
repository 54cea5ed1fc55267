import type { TunnelSite } from "../../api/tunnel-site.ts";
import { impactOn } from "../../core/tunnel-site/resilience.ts";
import { claimedPoPs } from "../../core/tunnel-site/tunnels.ts";
import type { TouchedSites } from "./types.ts";

export type TouchedIndex = (pop: string) => TouchedSites;

const NAMED = 5;
const NOBODY: TouchedSites = { seconds: 0, minutes: 0, names: [] };

/** Whom the maintenance of each PoP is felt by, and for how long: by the tunnels that PoPs report, else by those that a site names (F2). */
export function touchedSites(sites: readonly TunnelSite[]): TouchedIndex {
  const found = new Map<string, { seconds: string[]; minutes: string[] }>();
  for (const { metadata, spec, status } of sites) {
    const tunnels = status?.tunnels ?? [];
    const pops = tunnels.length > 0 ? tunnels.map(({ pop }) => pop) : claimedPoPs(spec);
    for (const pop of pops) {
      const of = found.get(pop) ?? { seconds: [], minutes: [] };
      of[impactOn(pop, tunnels) === "Seconds" ? "seconds" : "minutes"].push(`${metadata.namespace ?? ""}/${metadata.name}`);
      found.set(pop, of);
    }
  }
  return (pop) => {
    const of = found.get(pop);
    if (of === undefined) return NOBODY;
    const names = [...of.minutes.toSorted().slice(0, NAMED), ...of.seconds.toSorted().slice(0, NAMED)].slice(0, NAMED);
    return { seconds: of.seconds.length, minutes: of.minutes.length, names };
  };
}
