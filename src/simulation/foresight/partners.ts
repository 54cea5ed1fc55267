import type { TunnelSite } from "../../api/tunnel-site.ts";
import type { ForecastInput } from "../../control/ports.ts";
import { PartnerGraph } from "../../core/tunnel-site/partner-graph.ts";

/** Who shares sites with whom, by what PoPs have reported; what a site only names ties nobody together (rule F2). */
export function partnersOf(sites: readonly TunnelSite[]): ForecastInput["partners"] {
  const graph = new PartnerGraph();
  for (const { metadata, status } of sites)
    graph.set(
      `${metadata.namespace ?? ""}/${metadata.name}`,
      (status?.tunnels ?? []).map(({ pop }) => pop),
    );
  return graph.partners;
}
