import type { OccurrenceStatus } from "../../api/common.ts";
import type { TunnelSiteSpec, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import type { Instant } from "../decision.ts";

/** Everything that is known about one TunnelSite at one moment, as plain data. Ages are elapsed milliseconds. */
export interface TunnelSiteObservation {
  readonly site: {
    readonly namespace: string;
    readonly name: string;
    readonly generation: number;
    readonly spec: TunnelSiteSpec;
    readonly status: TunnelSiteStatus;
  };
  /** The account that the site's namespace is labelled with; absent: it belongs to nobody. */
  readonly account?: string;
  /** The PoPs that the site names or that told of it, as far as they exist, by name. */
  readonly pops: ReadonlyMap<string, SitePop>;
  /** The names of all PoPs, for a name that is none. */
  readonly popNames: readonly string[];
  /** What PoPs said of this site, by PoP. */
  readonly readings: ReadonlyMap<string, TunnelReading>;
  /** Since this operator began to ask the PoPs. */
  readonly askedMilliseconds: number;
}

/** One PoP as its sites look at it; `sitePopOf` makes it from the object. */
export interface SitePop {
  readonly name: string;
  /** The next occurrences of its window, the one that runs now included. */
  readonly next: readonly OccurrenceStatus[];
  /** A roll that has yet to start nodes, and from when on; absent: nothing is planned. */
  readonly planned?: { readonly version?: string; readonly from?: Instant };
}

/** What the Prometheus of one PoP said. */
export interface TunnelReading {
  /** What it last said of this site, however long ago; absent: nothing since this operator began to ask. */
  readonly report?: { readonly up: boolean; readonly ageMilliseconds: number };
  /** Since it last answered at all; absent: it never did. */
  readonly answeredMilliseconds?: number;
}
