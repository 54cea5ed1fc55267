import type { Approval, ApprovalStatus } from "../api/approval.ts";
import { APPROVAL } from "../api/resources.ts";
import { type ClientApprovalObservation, decideClientApproval } from "../core/client-rollout/approval-verdict.ts";
import type { Decision } from "../core/decision.ts";
import { type ApprovalObservation, decideApproval } from "../core/pop-rollout/approval-verdict.ts";
import type { Reconciler } from "../runtime/reconcile.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import type { Cluster, EventSink } from "./ports.ts";
import { asWritten } from "./status-refused.ts";
import type { Told } from "./told.ts";

export interface ApprovalReconcilerPorts {
  readonly hub: Cluster;
  readonly hubCaches: Pick<HubCaches, "approvals" | "rollouts" | "clientRollouts" | "fleets" | "windows" | "pops">;
  readonly events: EventSink;
  readonly told: Told;
  readonly namespace: string;
}

type ApprovalDecision = Decision<ApprovalStatus, never>;

/** By the kind of rollout that it names. */
export interface ObservedApproval {
  readonly approval: Approval;
  readonly ofPops?: ApprovalObservation;
  readonly ofClients?: ClientApprovalObservation;
}

/**
 * Approvals on the one loop (rule F8): each says on itself what it was used for, or why it counts for nothing. That is told, and decides
 * nothing, so the rollout that it names is taken from the cache: a change of it brings the Approval back.
 */
export class ApprovalReconciler implements Reconciler<ObservedApproval, ApprovalStatus, never, never, ApprovalDecision> {
  readonly kind = "Approval";
  readonly #ports: ApprovalReconcilerPorts;

  constructor(ports: ApprovalReconcilerPorts) {
    this.#ports = ports;
  }

  async observe(key: string): Promise<ObservedApproval | undefined> {
    const approval = this.#ports.hubCaches.approvals.get(key, this.#ports.namespace);
    return approval && this.#observed(approval);
  }

  async observeLive(key: string): Promise<ObservedApproval | undefined> {
    const approval = await this.#ports.hub.get<Approval>(APPROVAL, key, this.#ports.namespace);
    return approval && this.#observed(approval);
  }

  decide({ ofPops, ofClients }: ObservedApproval, now: number): ApprovalDecision {
    if (ofClients !== undefined) return decideClientApproval(ofClients, now);
    return ofPops === undefined ? { actions: [], events: [], probes: [], holds: [] } : decideApproval(ofPops, now);
  }

  async claim({ approval }: ObservedApproval, status: ApprovalStatus): Promise<undefined> {
    await asWritten(
      `Approval ${approval.metadata.name}`,
      status,
      this.#ports.hub.updateStatus<Approval>(APPROVAL, { ...approval, status }),
    );
    return undefined;
  }

  act(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  isDisruptive(): boolean {
    return false;
  }

  tell(key: string, { approval }: ObservedApproval, decision: ApprovalDecision, done: "Claimed" | "Acted" | "Rested"): void {
    if (done === "Rested") return;
    const { events, told } = this.#ports;
    const { metadata, apiVersion } = approval;
    const namespace = metadata.namespace ?? "";
    announce(events, decision.events, { apiVersion, kind: this.kind, metadata });
    told.decided({ kind: this.kind, namespace, name: key, decision });
  }

  forget(): void {}

  #observed(approval: Approval): ObservedApproval {
    const ofClients = approval.spec.for.kind === "ClientRollout";
    return { approval, ...(ofClients ? { ofClients: this.#ofClients(approval) } : { ofPops: this.#ofPops(approval) }) };
  }

  #ofClients(approval: Approval): ClientApprovalObservation {
    const { hubCaches, namespace } = this.#ports;
    const rollout = hubCaches.clientRollouts.get(approval.spec.for.name, namespace);
    return {
      approval,
      ...(rollout ? { rollout: { name: rollout.metadata.name, uid: rollout.metadata.uid, status: rollout.status ?? {} } } : {}),
      rollouts: hubCaches.clientRollouts.list().map(({ metadata }) => metadata.name),
      approvers: hubCaches.fleets.get("fleet", namespace)?.spec.approvers ?? [],
    };
  }

  #ofPops(approval: Approval): ApprovalObservation {
    const { hubCaches, namespace } = this.#ports;
    const rollout = hubCaches.rollouts.get(approval.spec.for.name, namespace);
    return {
      approval,
      ...(rollout
        ? {
            rollout: {
              name: rollout.metadata.name,
              uid: rollout.metadata.uid,
              spec: rollout.spec,
              status: rollout.status ?? {},
            },
          }
        : {}),
      rollouts: hubCaches.rollouts.list().map(({ metadata }) => metadata.name),
      approvers: hubCaches.fleets.get("fleet", namespace)?.spec.approvers ?? [],
      freezes: this.#freezes(),
    };
  }

  #freezes(): string[] {
    const { fleets, windows, pops } = this.#ports.hubCaches;
    const named = new Set(pops.list().map(({ spec }) => spec.windowRef.name));
    const ofWindows = windows.list().filter(({ metadata }) => named.has(metadata.name));
    const specs = [fleets.get("fleet", this.#ports.namespace)?.spec, ...ofWindows.map(({ spec }) => spec)];
    return [...new Set(specs.flatMap((spec) => spec?.freezes ?? []).map(({ name }) => name))].toSorted();
  }
}
