import type { Approval } from "../../api/approval.ts";
import { CLIENT_ROLLOUT, type ClientRollout, type ClientRolloutStatus } from "../../api/client-rollout.ts";
import type { Fleet } from "../../api/fleet.ts";
import { APPROVAL, FLEET } from "../../api/resources.ts";
import { decide } from "../../core/client-rollout/decide.ts";
import type { ClientRolloutObservation } from "../../core/client-rollout/observation.ts";
import type { Decision } from "../../core/decision.ts";
import type { Probe, Sample } from "../../core/health/probe.ts";
import type { Reconciler } from "../../runtime/reconcile.ts";
import { announce } from "../announce.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Cluster, EventSink } from "../ports.ts";
import { asWritten } from "../status-refused.ts";
import type { Told } from "../told.ts";
import type { Census } from "./census.ts";
import type { ClientCounts } from "./client-counts.ts";
import { clientRolloutObservation } from "./observe-rollout.ts";

export interface ClientRolloutReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  /** Absent: there is no inventory, so nothing is counted and nothing promoted. */
  readonly counts: ClientCounts | undefined;
  readonly census: Census | undefined;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  readonly samplesOf: (key: string) => ReadonlyMap<string, readonly Sample[]>;
  readonly defaultPrometheus: string | undefined;
}

export interface ObservedClientRollout {
  readonly rollout: ClientRollout;
  readonly seen: ClientRolloutObservation;
}

type RolloutDecision = Decision<ClientRolloutStatus, never, Probe>;

interface Found {
  readonly rollouts: readonly ClientRollout[];
  readonly fleet: Fleet | undefined;
  readonly approvals: readonly Approval[];
}

/**
 * ClientRollouts on the one loop (rules C1–C8). A rollout acts on nothing but its own status, conditional on the version observed; gateways
 * answer check-ins by it. Its numbers are those of the last reading of the inventory, at most ten seconds old.
 */
export class ClientRolloutReconciler implements Reconciler<ObservedClientRollout, ClientRolloutStatus, never, Probe, RolloutDecision> {
  readonly kind = "ClientRollout";
  readonly #ports: ClientRolloutReconcilerPorts;

  constructor(ports: ClientRolloutReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedClientRollout | undefined> {
    const { clientRollouts, fleets, approvals } = this.#ports.hubCaches;
    const found = { rollouts: clientRollouts.list(), fleet: fleets.get("fleet", this.#ports.namespace), approvals: approvals.list() };
    return this.#observed(key, found);
  }

  async observeLive(key: string): Promise<ObservedClientRollout | undefined> {
    const { hub, namespace } = this.#ports;
    const [rollouts, fleet, approvals] = await Promise.all([
      hub.list<ClientRollout>(CLIENT_ROLLOUT, { namespace }),
      hub.get<Fleet>(FLEET, "fleet", namespace),
      hub.list<Approval>(APPROVAL, { namespace }),
    ]);
    return this.#observed(key, { rollouts, fleet, approvals });
  }

  decide({ seen }: ObservedClientRollout, now: number): RolloutDecision {
    return decide(seen, now);
  }

  async claim({ rollout }: ObservedClientRollout, status: ClientRolloutStatus): Promise<undefined> {
    const { hub, told } = this.#ports;
    const what = `ClientRollout ${rollout.metadata.name}`;
    told.clientRollout(await asWritten(what, status, hub.updateStatus<ClientRollout>(CLIENT_ROLLOUT, { ...rollout, status })));
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(key: string, { rollout }: ObservedClientRollout, decision: RolloutDecision, done: "Claimed" | "Acted" | "Rested"): void {
    const { events, told, namespace } = this.#ports;
    if (done === "Rested") return told.clientRollout(rollout);
    announce(events, decision.events, { apiVersion: CLIENT_ROLLOUT.apiVersion, kind: this.kind, metadata: rollout.metadata });
    told.decided({ kind: this.kind, namespace, name: key, decision });
  }

  forget(key: string): void {
    this.#ports.told.clientRolloutGone(key, this.#ports.namespace);
  }

  async #observed(key: string, found: Found): Promise<ObservedClientRollout | undefined> {
    const { counts, census, samplesOf, defaultPrometheus } = this.#ports;
    const rollout = found.rollouts.find(({ metadata }) => metadata.name === key);
    if (rollout === undefined) return undefined;
    const seen = clientRolloutObservation({
      ...found,
      rollout,
      counted: counts?.of(rollout.metadata.uid),
      missing: counts?.missingOf(rollout.metadata.uid) ?? [],
      covered: census?.covers(rollout) === true,
      // They confirm a pause that stands in status already; nobody is asked while there is none to confirm.
      replicas: isUnconfirmed(rollout) ? await counts?.replicas() : undefined,
      samples: samplesOf(key),
      defaultPrometheus,
    });
    return { rollout, seen };
  }
}

/** Somebody holds it, and that is not yet known to be obeyed. */
const isUnconfirmed = ({ metadata, status }: ClientRollout): boolean =>
  status?.pause?.since !== undefined && (status.effective === "Run" || status.observedGeneration !== metadata.generation);
