import type { MaintenanceWindow, MaintenanceWindowStatus } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { MAINTENANCE_WINDOW } from "../api/resources.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Decision } from "../core/decision.ts";
import { decideMaintenanceWindow } from "../core/maintenance-window/decide.ts";
import type { MaintenanceWindowObservation } from "../core/maintenance-window/observation.ts";
import type { Reconciler } from "../runtime/reconcile.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import type { Cluster, EventSink } from "./ports.ts";
import { splitKey } from "./object-key.ts";
import type { SiteIndex } from "./sockets/site-index.ts";
import { asWritten } from "./status-refused.ts";

export interface WindowReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly sites: Pick<SiteIndex, "tooShort">;
  readonly events: EventSink;
  readonly namespace: string;
}

type WindowDecision = Decision<MaintenanceWindowStatus, never>;

/** One PoP as its window sees it. */
export const windowPopOf = ({ spec, status }: PopCluster) => ({
  window: spec.windowRef.name,
  tooShort: status?.holds?.some(({ reason }) => reason === "WindowTooShort") === true,
});

/** A window as its queue knows it. */
export const windowKey = ({ metadata }: Pick<MaintenanceWindow, "metadata">): string => `${metadata.namespace ?? ""}/${metadata.name}`;

/** MaintenanceWindows on the one loop, the provider's and the accounts', by `<namespace>/<name>`: whether they can be used, their next occurrences, and for whom they are too short. */
export class WindowReconciler implements Reconciler<MaintenanceWindowObservation, MaintenanceWindowStatus, never, never, WindowDecision> {
  readonly kind = "MaintenanceWindow";
  readonly #ports: WindowReconcilerPorts;

  constructor(ports: WindowReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<MaintenanceWindowObservation | undefined> {
    const [namespace, name] = splitKey(key);
    const window = this.#ports.hubCaches.accountWindows.get(name, namespace);
    return window && this.#observed(window);
  }

  async observeLive(key: string): Promise<MaintenanceWindowObservation | undefined> {
    const [namespace, name] = splitKey(key);
    const window = await this.#ports.hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, name, namespace);
    return window && this.#observed(window);
  }

  decide(seen: MaintenanceWindowObservation, now: number): WindowDecision {
    const decision = decideMaintenanceWindow(seen, now);
    if (canonicalJson(decision.status ?? {}) !== canonicalJson(seen.window.status ?? {})) return decision;
    const { status: _, ...rest } = decision;
    return { ...rest, events: [] };
  }

  async claim({ window }: MaintenanceWindowObservation, status: MaintenanceWindowStatus): Promise<undefined> {
    const what = `MaintenanceWindow ${window.metadata.name}`;
    await asWritten(what, status, this.#ports.hub.updateStatus<MaintenanceWindow>(MAINTENANCE_WINDOW, { ...window, status }));
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(_key: string, { window }: MaintenanceWindowObservation, decision: WindowDecision, done: "Claimed" | "Acted" | "Rested"): void {
    if (done === "Rested") return;
    const { metadata, apiVersion } = window;
    announce(this.#ports.events, decision.events, { apiVersion, kind: this.kind, metadata });
  }

  forget(): void {}

  #observed(window: MaintenanceWindow): MaintenanceWindowObservation {
    const { hubCaches, namespace } = this.#ports;
    const { name, namespace: own = "" } = window.metadata;
    const sites = this.#sitesWithout(window);
    if (own !== namespace) return { window, tooShortFor: sites };
    const waiting = hubCaches.pops.list().filter((pop) => {
      const seen = windowPopOf(pop);
      return seen.tooShort && seen.window === name;
    });
    return { window, tooShortFor: [...waiting.map((pop) => pop.metadata.name), ...sites] };
  }

  /** Sites that this window is too short for (rule W4). An account reads the names of its own; the provider those of all. */
  #sitesWithout({ metadata }: MaintenanceWindow): readonly string[] {
    const { hubCaches, sites, namespace } = this.#ports;
    const { name, namespace: own = "" } = metadata;
    const from = own === namespace ? ["ProviderDefault"] : ["Site", "Account"];
    return [...sites.tooShort(own)].flatMap((key) => {
      const [where, site] = splitKey(key);
      const found = hubCaches.socketSites.get(site, where);
      if (found === undefined || !from.includes(found.status?.windowFrom ?? "")) return [];
      const policy = hubCaches.accountPolicies.get("account", where)?.spec.sockets.windowRef?.name;
      const named = own === namespace ? name : (found.spec.windowRef?.name ?? policy);
      return named === name ? [own === namespace ? key : site] : [];
    });
  }
}
