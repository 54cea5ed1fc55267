import type { MaintenanceWindow, MaintenanceWindowStatus } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { MAINTENANCE_WINDOW } from "../api/resources.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Decision } from "../core/decision.ts";
import { decideMaintenanceWindow } from "../core/maintenance-window/decide.ts";
import type { MaintenanceWindowObservation } from "../core/maintenance-window/observation.ts";
import type { Reconciler } from "../runtime/reconcile.ts";
import type { HubCaches } from "./hub-caches.ts";
import type { Cluster, EventSink } from "./ports.ts";
import { asWritten } from "./status-refused.ts";

export interface WindowReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly events: EventSink;
  readonly namespace: string;
}

type WindowDecision = Decision<MaintenanceWindowStatus, never>;

/** One PoP as its window sees it. */
export const windowPopOf = ({ spec, status }: PopCluster) => ({
  window: spec.windowRef.name,
  tooShort: status?.holds?.some(({ reason }) => reason === "WindowTooShort") === true,
});

/** MaintenanceWindows on the one loop: whether they can be used, their next occurrences, and for whom they are too short. */
export class WindowReconciler implements Reconciler<MaintenanceWindowObservation, MaintenanceWindowStatus, never, never, WindowDecision> {
  readonly kind = "MaintenanceWindow";
  readonly #ports: WindowReconcilerPorts;

  constructor(ports: WindowReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<MaintenanceWindowObservation | undefined> {
    const window = this.#ports.hubCaches.windows.get(key, this.#ports.namespace);
    return window && this.#observed(window);
  }

  async observeLive(key: string): Promise<MaintenanceWindowObservation | undefined> {
    const window = await this.#ports.hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, key, this.#ports.namespace);
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
    const regarding = {
      apiVersion,
      kind: "MaintenanceWindow",
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      uid: metadata.uid,
    };
    for (const event of decision.events)
      this.#ports.events.publish({ type: event.type, reason: event.reason, action: event.action, note: event.message, regarding });
  }

  forget(): void {}

  #observed(window: MaintenanceWindow): MaintenanceWindowObservation {
    const waiting = this.#ports.hubCaches.pops.list().filter((pop) => {
      const seen = windowPopOf(pop);
      return seen.tooShort && seen.window === window.metadata.name;
    });
    return { window, tooShortFor: waiting.map((pop) => pop.metadata.name) };
  }
}
