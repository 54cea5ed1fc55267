import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import type { Approval } from "../api/approval.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../api/client-rollout.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout } from "../api/pop-rollout.ts";
import { ACCOUNT_LABEL, POP_LABEL } from "../api/names.ts";
import { APPROVAL, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
import type { TunnelSite } from "../api/tunnel-site.ts";
import { CacheIndex } from "./cache-index.ts";
import { CONTROLLER_REVISION, type ControllerRevisionObject, NAMESPACE, type NamespaceObject } from "./kinds.ts";
import { keepMetadata, projectSocketSite } from "./projections.ts";
import type { Cache, Cluster } from "./ports.ts";

/** The projected copies of our own kinds: in the fleet namespace, and what accounts have in theirs. A standby keeps them warm too. */
export interface HubCaches {
  readonly pops: Cache<PopCluster>;
  /** The same by their region. */
  readonly popIndex: CacheIndex<PopCluster>;
  readonly windows: Cache<MaintenanceWindow>;
  readonly fleets: Cache<Fleet>;
  readonly records: Cache<ControllerRevisionObject>;
  /** The same by the name of their PoP. */
  readonly recordIndex: CacheIndex<ControllerRevisionObject>;
  readonly rollouts: Cache<PopRollout>;
  readonly approvals: Cache<Approval>;
  /** Of every namespace. */
  readonly tunnelSites: Cache<TunnelSite>;
  /** Of every namespace. */
  readonly socketSites: Cache<SocketSite>;
  readonly socketRollouts: Cache<SocketRollout>;
  readonly clientRollouts: Cache<ClientRollout>;
  readonly accountPolicies: Cache<AccountPolicy>;
  /** MaintenanceWindows of every namespace; those of the fleet are found under `windows` too, and are few. */
  readonly accountWindows: Cache<MaintenanceWindow>;
  /** The namespaces of accounts. */
  readonly namespaces: Cache<NamespaceObject>;
}

export function openHubCaches(hub: Cluster, namespace: string): HubCaches {
  const records = hub.cache<ControllerRevisionObject>(CONTROLLER_REVISION, {
    namespace,
    labelSelector: "app.kubernetes.io/managed-by=rollward",
  });
  const pops = hub.cache<PopCluster>(POP_CLUSTER, { namespace });
  return {
    pops,
    popIndex: new CacheIndex(pops, ({ spec: { region } }) => (region === undefined ? [] : [region])),
    windows: hub.cache<MaintenanceWindow>(MAINTENANCE_WINDOW, { namespace }),
    fleets: hub.cache<Fleet>(FLEET, { namespace }),
    records,
    recordIndex: new CacheIndex(records, ({ metadata: { labels } }) => (labels?.[POP_LABEL] === undefined ? [] : [labels[POP_LABEL]])),
    rollouts: hub.cache<PopRollout>(POP_ROLLOUT, { namespace }),
    approvals: hub.cache<Approval>(APPROVAL, { namespace }),
    tunnelSites: hub.cache<TunnelSite>({ ...TUNNEL_SITE, project: keepMetadata }),
    socketSites: hub.cache<SocketSite>({ ...SOCKET_SITE, project: projectSocketSite }),
    socketRollouts: hub.cache<SocketRollout>(SOCKET_ROLLOUT, { namespace }),
    clientRollouts: hub.cache<ClientRollout>(CLIENT_ROLLOUT, { namespace }),
    accountPolicies: hub.cache<AccountPolicy>({ ...ACCOUNT_POLICY, project: keepMetadata }),
    accountWindows: hub.cache<MaintenanceWindow>({ ...MAINTENANCE_WINDOW, project: keepMetadata }),
    namespaces: hub.cache<NamespaceObject>(NAMESPACE, { labelSelector: ACCOUNT_LABEL }),
  };
}

export const hubCacheList = (
  caches: HubCaches,
): readonly (readonly [string, Pick<Cache<PopCluster>, "synced" | "age" | "stop" | "whenSynced">])[] => [
  ["PoPCluster", caches.pops],
  ["MaintenanceWindow", caches.windows],
  ["Fleet", caches.fleets],
  ["ControllerRevision", caches.records],
  ["PoPRollout", caches.rollouts],
  ["Approval", caches.approvals],
  ["TunnelSite", caches.tunnelSites],
  ["SocketSite", caches.socketSites],
  ["SocketRollout", caches.socketRollouts],
  ["ClientRollout", caches.clientRollouts],
  ["AccountPolicy", caches.accountPolicies],
  ["MaintenanceWindow", caches.accountWindows],
  ["Namespace", caches.namespaces],
];
