import type { ClientRollout } from "../api/client-rollout.ts";
import type { Fleet } from "../api/fleet.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import type { SocketRollout } from "../api/socket-rollout.ts";
import type { SocketSite } from "../api/socket-site.ts";
import type { Decision } from "../core/decision.ts";
import type { QueueObserver } from "../runtime/queue.ts";
import type { VersionCount } from "./client-inventory.ts";

/** A decision that was claimed or acted on, with the object it is about. */
export interface ToldDecision {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly decision: Decision<unknown, { readonly kind: string }, unknown>;
}

/** What is told of the controllers' work: metrics and log lines are derived from it, never decided. Nothing here may throw. */
export interface Told {
  /** A PoP as it was last observed or written. */
  pop(pop: PopCluster): void;
  /** A forward disruption was sent outside the PoP's window: a defect of the operator. */
  windowBreached(pop: PopCluster): void;
  popGone(name: string, namespace: string): void;
  fleet(fleet: Fleet): void;
  /** A rollout as it was last observed or written. */
  rollout(rollout: PopRollout): void;
  rolloutGone(name: string, namespace: string): void;
  decided(decision: ToldDecision): void;
  /** A site as it was last observed or written. */
  site(site: SocketSite): void;
  siteGone(name: string, namespace: string): void;
  /** A command was claimed with less notice than its site was promised: a defect of the operator (rule W3). */
  noticeLate(site: SocketSite): void;
  /** A rollout of Sockets as it was last observed or written. */
  socketRollout(rollout: SocketRollout): void;
  socketRolloutGone(name: string, namespace: string): void;
  /** A rollout of Clients as it was last observed or written. */
  clientRollout(rollout: ClientRollout): void;
  clientRolloutGone(name: string, namespace: string): void;
  /** Devices by account, system and version, as they were counted last. */
  clientVersions(rows: readonly VersionCount[]): void;
  /** What is counted of Clients failed by something else than an inventory that is away. */
  clientsFailed(message: string, error: unknown): void;
  /** Nobody could look ahead; the last forecast stands. */
  forecastFailed(message: string, error: unknown): void;
  /** The observer of one kind's work queue. */
  queue(kind: string): QueueObserver;
}
