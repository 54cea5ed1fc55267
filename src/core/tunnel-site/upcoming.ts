import type { TunnelReport, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import type { Instant } from "../decision.ts";
import { parseInstant } from "../time/instant.ts";
import type { SitePop, TunnelSiteObservation } from "./observation.ts";
import { impactOn } from "./resilience.ts";
import { claimedPoPs } from "./tunnels.ts";

type Upcoming = NonNullable<TunnelSiteStatus["upcoming"]>[number];
const SHOWN = 10;

/**
 * The next window of each of the site's PoPs in which a roll is planned, and what the site will feel of it. Its PoPs are those that
 * told of a tunnel; before the first of them did, those that it names.
 */
export function upcoming({ site, pops }: TunnelSiteObservation, tunnels: readonly TunnelReport[], now: Instant): readonly Upcoming[] {
  const names = tunnels.length > 0 ? tunnels.map(({ pop }) => pop) : claimedPoPs(site.spec);
  return names
    .flatMap((name): Upcoming[] => {
      const pop = pops.get(name);
      const planned = pop && plannedWindow(pop, now);
      if (!pop || !planned) return [];
      const version = pop.planned?.version;
      return [{ ...planned, pop: name, impact: impactOn(name, tunnels), ...(version === undefined ? {} : { version }) }];
    })
    .toSorted((a, b) => startOf(a) - startOf(b) || (a.pop < b.pop ? -1 : 1))
    .slice(0, SHOWN);
}

const startOf = ({ start }: Upcoming): Instant => parseInstant(start) ?? 0;

function plannedWindow({ next, planned }: SitePop, now: Instant): SitePop["next"][number] | undefined {
  if (planned === undefined) return undefined;
  const from = Math.max(now, planned.from ?? now);
  return next.find(({ end }) => (parseInstant(end) ?? 0) > from);
}
