import type { Approval } from "../api/approval.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout, PopRolloutStatus, RolloutForecast } from "../api/pop-rollout.ts";
import { FLEET, MAINTENANCE_WINDOW, APPROVAL, POP_CLUSTER, POP_ROLLOUT } from "../api/resources.ts";
import type { Fleet } from "../api/fleet.ts";
import type { Decision } from "../core/decision.ts";
import type { Probe, Sample } from "../core/health/probe.ts";
import { decide } from "../core/pop-rollout/decide.ts";
import { evidenceOf } from "../core/pop-rollout/evidence.ts";
import type { PopRolloutObservation } from "../core/pop-rollout/observation.ts";
import type { Reconciler } from "../runtime/reconcile.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import { rolloutObservation, type RolloutObjects } from "./observe/pop-rollout.ts";
import type { Cluster, EventSink } from "./ports.ts";
import { asWritten } from "./status-refused.ts";
import type { Told } from "./told.ts";

export interface RolloutReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  readonly samplesOf: (key: string) => ReadonlyMap<string, readonly Sample[]>;
  readonly defaultPrometheus: string | undefined;
  /** The last answer of the Forecast port about a rollout, by its UID. */
  readonly forecastOf: (uid: string) => RolloutForecast | undefined;
}

export interface ObservedRollout {
  readonly rollout: PopRollout;
  readonly seen: PopRolloutObservation;
}

type RolloutDecision = Decision<PopRolloutStatus, never, Probe>;

/**
 * PoPRollouts on the one loop. A rollout acts on nothing but its own status: what it asks of a PoP stands there as an assignment,
 * conditional on the version observed, and the PoP reads it (rules F1, F6, G5).
 */
export class RolloutReconciler implements Reconciler<ObservedRollout, PopRolloutStatus, never, Probe, RolloutDecision> {
  readonly kind = "PoPRollout";
  readonly #ports: RolloutReconcilerPorts;

  constructor(ports: RolloutReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedRollout | undefined> {
    const { hubCaches, namespace } = this.#ports;
    const rollout = hubCaches.rollouts.get(key, namespace);
    return (
      rollout &&
      this.#observed({
        rollout,
        fleet: hubCaches.fleets.get("fleet", namespace),
        pops: hubCaches.pops.list(),
        windows: hubCaches.windows.list(),
        rollouts: hubCaches.rollouts.list(),
        approvals: hubCaches.approvals.list(),
        live: false,
      })
    );
  }

  async observeLive(key: string): Promise<ObservedRollout | undefined> {
    const { hub, namespace } = this.#ports;
    const inFleet = { namespace };
    // The rollout before its PoPs: the write is conditional on it, so that what it has noted already is never judged by older ledgers (I11).
    const rollouts = await hub.list<PopRollout>(POP_ROLLOUT, inFleet);
    const [fleet, pops, windows, approvals] = await Promise.all([
      hub.get<Fleet>(FLEET, "fleet", namespace),
      hub.list<PopCluster>(POP_CLUSTER, inFleet),
      hub.list<MaintenanceWindow>(MAINTENANCE_WINDOW, inFleet),
      hub.list<Approval>(APPROVAL, inFleet),
    ]);
    const rollout = rollouts.find(({ metadata }) => metadata.name === key);
    return rollout && this.#observed({ rollout, fleet, pops, windows, rollouts, approvals, live: true });
  }

  decide({ seen }: ObservedRollout, now: number): RolloutDecision {
    return decide(seen, now);
  }

  async claim({ rollout }: ObservedRollout, status: PopRolloutStatus): Promise<undefined> {
    const { hub, told } = this.#ports;
    const written = await asWritten(
      `PoPRollout ${rollout.metadata.name}`,
      status,
      hub.updateStatus<PopRollout>(POP_ROLLOUT, { ...rollout, status }),
    );
    told.rollout(written);
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(key: string, { rollout }: ObservedRollout, decision: RolloutDecision, done: "Claimed" | "Acted" | "Rested"): void {
    const { events, told } = this.#ports;
    if (done === "Rested") return told.rollout(rollout);
    const { metadata, apiVersion } = rollout;
    announce(events, decision.events, { apiVersion, kind: this.kind, metadata });
    told.decided({ kind: this.kind, namespace: metadata.namespace ?? "", name: key, decision });
  }

  forget(key: string): void {
    this.#ports.told.rolloutGone(key, this.#ports.namespace);
  }

  #observed(objects: RolloutObjects): ObservedRollout {
    const { metadata, spec } = objects.rollout;
    const { samplesOf, forecastOf, defaultPrometheus } = this.#ports;
    const version = spec.version ?? spec.content?.version ?? "";
    const evidence = evidenceOf(spec.stages, version, samplesOf(metadata.name), defaultPrometheus);
    return { rollout: objects.rollout, seen: rolloutObservation(objects, evidence, forecastOf(metadata.uid), defaultPrometheus) };
  }
}
