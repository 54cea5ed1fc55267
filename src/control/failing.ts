import { API_VERSION, type ObjectMeta } from "../api/common.ts";
import { cleanText } from "../core/text.ts";
import { announce } from "./announce.ts";
import type { HubCaches } from "./hub-caches.ts";
import { splitKey } from "./object-key.ts";
import { ApiError, type EventSink } from "./ports.ts";

/** A retry that waits a second is the eighth in a row or a later one: a conflict, or a view that lagged, is over by then. */
const TOLD_FROM = 1_000;
const LONGEST_ERROR = 900;

export interface FailingPorts {
  readonly hubCaches: HubCaches;
  readonly events: EventSink;
  readonly namespace: string;
  readonly isLeader: () => boolean;
}

/**
 * Hears of every retry of one kind's queue (`QueueObserver.retrying`), and says on the object itself what cannot be done again and again:
 * its status cannot, for writing it may be what fails. Nothing is said of a server that does not answer: it would take no Event either.
 * An account is told what the API server said of its object; what else went wrong may speak of the provider's machines (rule I15).
 */
export const tellFailing =
  (kind: string, { hubCaches, events, namespace, isLeader }: FailingPorts) =>
  (key: string, milliseconds: number, _failures: number, error: unknown): void => {
    if (milliseconds < TOLD_FROM || isUnanswered(error) || !isLeader()) return;
    const [of, name] = key.includes("/") ? splitKey(key) : [namespace, key];
    const metadata = metadataOf(hubCaches, kind, name, of);
    if (metadata === undefined) return;
    const found = of === namespace || error instanceof ApiError ? wordsOf(error) : "the provider reads in its log what is wrong";
    const message = `The operator cannot work on it, and tries again ever more seldom, at least once a minute: ${found}`;
    announce(events, [{ type: "Warning", reason: "ReconcileFailing", action: "Reconcile", message }], {
      apiVersion: API_VERSION,
      kind,
      metadata,
    });
  };

const wordsOf = (error: unknown): string => cleanText(error instanceof Error ? error.message : String(error), LONGEST_ERROR);

const isUnanswered = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 0 || error.code === 429 || error.code >= 500);

function metadataOf(caches: HubCaches, kind: string, name: string, namespace: string): ObjectMeta | undefined {
  const views: Readonly<Record<string, { get(name: string, namespace?: string): { readonly metadata: ObjectMeta } | undefined }>> = {
    PoPCluster: caches.pops,
    MaintenanceWindow: caches.accountWindows,
    Fleet: caches.fleets,
    PoPRollout: caches.rollouts,
    Approval: caches.approvals,
    TunnelSite: caches.tunnelSites,
    SocketSite: caches.socketSites,
    SocketRollout: caches.socketRollouts,
    ClientRollout: caches.clientRollouts,
    AccountPolicy: caches.accountPolicies,
  };
  return views[kind]?.get(name, namespace)?.metadata;
}
