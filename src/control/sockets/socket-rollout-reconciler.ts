import { SOCKET_ROLLOUT, type SocketRollout, type SocketRolloutStatus } from "../../api/socket-rollout.ts";
import type { Decision } from "../../core/decision.ts";
import { decide } from "../../core/socket-rollout/decide.ts";
import type { SocketRolloutObservation } from "../../core/socket-rollout/observation.ts";
import type { Reconciler } from "../../runtime/reconcile.ts";
import { announce } from "../announce.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Cluster, EventSink } from "../ports.ts";
import { asWritten } from "../status-refused.ts";
import type { Told } from "../told.ts";
import type { InventoryWatch } from "./inventory-watch.ts";
import type { SiteIndex } from "./site-index.ts";

export interface SocketRolloutReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: HubCaches;
  readonly index: SiteIndex;
  readonly watch: InventoryWatch | undefined;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
  /** These sites were admitted as late joiners. */
  readonly onAdmitted: (keys: readonly string[]) => void;
}

export interface ObservedSocketRollout {
  readonly rollout: SocketRollout;
  readonly seen: SocketRolloutObservation;
}

type RolloutDecision = Decision<SocketRolloutStatus, never>;

/** SocketRollouts on the one loop. A rollout acts on nothing but its own status; sites read it, and decide for themselves (S10, G4). */
export class SocketRolloutReconciler implements Reconciler<ObservedSocketRollout, SocketRolloutStatus, never, never, RolloutDecision> {
  readonly kind = "SocketRollout";
  readonly #ports: SocketRolloutReconcilerPorts;

  constructor(ports: SocketRolloutReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedSocketRollout | undefined> {
    const rollout = this.#ports.hubCaches.socketRollouts.get(key, this.#ports.namespace);
    return rollout && this.#observed(rollout);
  }

  async observeLive(key: string): Promise<ObservedSocketRollout | undefined> {
    const rollout = await this.#ports.hub.get<SocketRollout>(SOCKET_ROLLOUT, key, this.#ports.namespace);
    return rollout && this.#observed(rollout);
  }

  decide({ seen }: ObservedSocketRollout, now: number): RolloutDecision {
    return decide(seen, now);
  }

  async claim({ rollout }: ObservedSocketRollout, status: SocketRolloutStatus): Promise<undefined> {
    const { hub, index, told, onAdmitted } = this.#ports;
    const what = `SocketRollout ${rollout.metadata.name}`;
    const written = await asWritten(what, status, hub.updateStatus<SocketRollout>(SOCKET_ROLLOUT, { ...rollout, status }));
    told.socketRollout(written);
    const admitted = admittedBy(rollout.status, status);
    if (admitted > 0) onAdmitted(index.admit(written, admitted));
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(key: string, { rollout }: ObservedSocketRollout, decision: RolloutDecision, done: "Claimed" | "Acted" | "Rested"): void {
    const { events, told, namespace } = this.#ports;
    if (done === "Rested") return told.socketRollout(rollout);
    announce(events, decision.events, { apiVersion: SOCKET_ROLLOUT.apiVersion, kind: this.kind, metadata: rollout.metadata });
    told.decided({ kind: this.kind, namespace, name: key, decision });
  }

  forget(key: string): void {
    this.#ports.told.socketRolloutGone(key, this.#ports.namespace);
  }

  async #observed(rollout: SocketRollout): Promise<ObservedSocketRollout> {
    const { hubCaches, index, watch, namespace } = this.#ports;
    const { metadata, spec, status = {} } = rollout;
    const { uid, name } = metadata;
    const measured = await watch?.ask(undefined, (inventory) => inventory.measured(uid));
    const others = hubCaches.socketRollouts.list().filter((other) => other.metadata.uid !== uid);
    const seen: SocketRolloutObservation = {
      rollout: { name, uid, generation: metadata.generation ?? 0, createdAt: createdAt(rollout), spec, status },
      others: others.map((other) => ({
        name: other.metadata.name,
        uid: other.metadata.uid,
        version: other.spec.version,
        ...(other.spec.models === undefined ? {} : { models: other.spec.models }),
        createdAt: createdAt(other),
        ...(other.status?.standingSince === undefined ? {} : { standing: true }),
      })),
      fleetPaused: hubCaches.fleets.get("fleet", namespace)?.spec.paused === true,
      ...index.tallyOf(rollout).count(status.ramp?.percent ?? 0),
      ...(measured === undefined ? {} : { measured: measured.answer }),
    };
    return { rollout, seen };
  }
}

const createdAt = ({ metadata }: SocketRollout): number => Date.parse(metadata.creationTimestamp ?? "") || 0;

/** How many late joiners this write admits: within a week the ledger only grows (rule G4). */
function admittedBy(before: SocketRolloutStatus | undefined, after: SocketRolloutStatus): number {
  const [one, other] = [before?.lateJoiners, after.lateJoiners];
  if (other === undefined) return 0;
  return other.admitted - (one?.week === other.week ? one.admitted : 0);
}
