import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../../api/socket-site.ts";
import type { GatewayView } from "../../core/socket/answer.ts";
import type { CommandRow } from "../../core/socket/command.ts";
import { guardsOf, type SiteGuards, windowNamed } from "../../core/socket/surroundings.ts";
import type { Store } from "../cluster/store.ts";
import { FLEET_NAMESPACE } from "../world.ts";

/** What a gateway sees of the cluster just now, for a row that it is about to give. */
export function gatewayViewOf(store: Store, row: CommandRow): GatewayView {
  const fleet = store.get(FLEET, "fleet", FLEET_NAMESPACE) as unknown as Fleet | undefined;
  const site = store.get(SOCKET_SITE, row.site.name, row.site.namespace) as unknown as SocketSite | undefined;
  const rollouts = store.list(SOCKET_ROLLOUT) as unknown as SocketRollout[];
  const rollout = rollouts.find(({ metadata }) => metadata.uid === row.rollout);
  const stopped = rollout?.status?.stopped?.by;
  const command = site?.status?.upgrade?.command?.id;
  return {
    ...(fleet ? { fleet: { paused: fleet.spec.paused, freezes: fleet.spec.freezes ?? [] } } : {}),
    ...(rollout ? { rollout: { paused: rollout.spec.paused, ...(stopped ? { stopped } : {}) } } : {}),
    ...(site?.metadata.uid === row.site.uid
      ? {
          site: {
            zone: site.spec.timeZone,
            ...(command ? { command } : {}),
            done: site.status?.upgrade?.done ?? [],
            ...guardsIn(store, site, fleet),
          },
        }
      : {}),
  };
}

function guardsIn(store: Store, site: SocketSite, fleet: Fleet | undefined): SiteGuards {
  const policy = store.get(ACCOUNT_POLICY, "account", site.metadata.namespace) as unknown as AccountPolicy | undefined;
  const named = windowNamed({ site, policy, fleet, fleetNamespace: FLEET_NAMESPACE });
  const window = named && (store.get(MAINTENANCE_WINDOW, named.name, named.namespace) as unknown as MaintenanceWindow | undefined);
  const pop = site.status?.pop === undefined ? undefined : store.get(POP_CLUSTER, site.status.pop, FLEET_NAMESPACE);
  return guardsOf(site, window, pop);
}
