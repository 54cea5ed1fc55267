import { TUNNEL_SITE } from "../../api/resources.ts";
import type { TunnelSite, TunnelSiteStatus } from "../../api/tunnel-site.ts";
import type { Decision } from "../../core/decision.ts";
import { decide } from "../../core/tunnel-site/decide.ts";
import type { SitePop, TunnelSiteObservation } from "../../core/tunnel-site/observation.ts";
import { sitePopOf } from "../../core/tunnel-site/pop.ts";
import { claimedPoPs } from "../../core/tunnel-site/tunnels.ts";
import type { Reconciler } from "../../runtime/reconcile.ts";
import type { HubCaches } from "../hub-caches.ts";
import { splitKey } from "../object-key.ts";
import type { Cluster } from "../ports.ts";
import { asWritten } from "../status-refused.ts";
import type { TunnelIndex } from "./tunnel-index.ts";
import type { TunnelReader } from "./tunnel-reader.ts";

export interface TunnelReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly index: TunnelIndex;
  readonly reader: Pick<TunnelReader, "readingsOf" | "askedMilliseconds">;
  readonly namespace: string;
}

export interface ObservedTunnelSite {
  readonly site: TunnelSite;
  readonly seen: TunnelSiteObservation;
}

type TunnelDecision = Decision<TunnelSiteStatus, never>;

/** TunnelSites of all accounts on the one loop, by `<namespace>/<name>`; what a site costs does not depend on how many there are. */
export class TunnelReconciler implements Reconciler<ObservedTunnelSite, TunnelSiteStatus, never, never, TunnelDecision> {
  readonly kind = "TunnelSite";
  readonly #ports: TunnelReconcilerPorts;

  constructor(ports: TunnelReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedTunnelSite | undefined> {
    const [namespace, name] = splitKey(key);
    const site = this.#ports.hubCaches.tunnelSites.get(name, namespace);
    return site && this.#observed(key, site);
  }

  async observeLive(key: string): Promise<ObservedTunnelSite | undefined> {
    const [namespace, name] = splitKey(key);
    const site = await this.#ports.hub.get<TunnelSite>(TUNNEL_SITE, name, namespace);
    return site && this.#observed(key, site);
  }

  decide({ seen }: ObservedTunnelSite, now: number): TunnelDecision {
    return decide(seen, now);
  }

  async claim({ site }: ObservedTunnelSite, status: TunnelSiteStatus): Promise<undefined> {
    const what = `TunnelSite ${site.metadata.namespace}/${site.metadata.name}`;
    await asWritten(what, status, this.#ports.hub.updateStatus<TunnelSite>(TUNNEL_SITE, { ...site, status }));
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(): void {}

  forget(): void {}

  #observed(key: string, site: TunnelSite): ObservedTunnelSite {
    const { hubCaches, index, reader, namespace: fleetNamespace } = this.#ports;
    const { metadata, spec, status = {} } = site;
    const namespace = metadata.namespace ?? "";
    const account = index.accountOf(namespace);
    const named = new Set([...claimedPoPs(spec), ...(status.tunnels ?? []).map(({ pop }) => pop)]);
    const readings = reader.readingsOf(key, named);
    const pops = [...new Set([...named, ...readings.keys()])].flatMap((name): [string, SitePop][] => {
      const pop = hubCaches.pops.get(name, fleetNamespace);
      return pop ? [[name, sitePopOf(pop)]] : [];
    });
    const seen: TunnelSiteObservation = {
      site: { namespace, name: metadata.name, generation: metadata.generation ?? 0, spec, status },
      ...(account === undefined ? {} : { account }),
      pops: new Map(pops),
      popNames: index.popNames,
      readings,
      askedMilliseconds: reader.askedMilliseconds,
    };
    return { site, seen };
  }
}
