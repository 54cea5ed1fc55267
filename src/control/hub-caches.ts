import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../api/resources.ts";
import { CONTROLLER_REVISION, type ControllerRevisionObject } from "./kinds.ts";
import type { Cache, Cluster } from "./ports.ts";

/** The projected copies of our own kinds in the fleet namespace. A standby keeps them warm too. */
export interface HubCaches {
  readonly pops: Cache<PopCluster>;
  readonly windows: Cache<MaintenanceWindow>;
  readonly fleets: Cache<Fleet>;
  readonly records: Cache<ControllerRevisionObject>;
}

export function openHubCaches(hub: Cluster, namespace: string): HubCaches {
  return {
    pops: hub.cache<PopCluster>(POP_CLUSTER, { namespace }),
    windows: hub.cache<MaintenanceWindow>(MAINTENANCE_WINDOW, { namespace }),
    fleets: hub.cache<Fleet>(FLEET, { namespace }),
    records: hub.cache<ControllerRevisionObject>(CONTROLLER_REVISION, {
      namespace,
      labelSelector: "app.kubernetes.io/managed-by=rollward",
    }),
  };
}

export const hubCacheList = (
  caches: HubCaches,
): readonly (readonly [string, Pick<Cache<PopCluster>, "synced" | "age" | "stop" | "whenSynced">])[] => [
  ["PoPCluster", caches.pops],
  ["MaintenanceWindow", caches.windows],
  ["Fleet", caches.fleets],
  ["ControllerRevision", caches.records],
];
