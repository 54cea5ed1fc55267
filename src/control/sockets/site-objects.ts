import { ACCOUNT_POLICY, type AccountPolicy } from "../../api/account-policy.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../api/socket-rollout.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import { windowNamed } from "../../core/socket/surroundings.ts";
import { HOUR, SECOND } from "../../core/time/civil.ts";
import type { HubCaches } from "../hub-caches.ts";
import type { Cluster } from "../ports.ts";

/** What besides the site itself decides about it: who promises what, and when. */
export interface SiteObjects {
  readonly policy: AccountPolicy | undefined;
  readonly fleet: Fleet | undefined;
  readonly window: MaintenanceWindow | undefined;
  readonly pop: PopCluster | undefined;
  readonly rollouts: readonly SocketRollout[];
}

export interface SiteObjectsPorts {
  readonly hub: Pick<Cluster, "get" | "list">;
  readonly hubCaches: HubCaches;
  readonly namespace: string;
}

const POLICY = "account";
const FLEET_NAME = "fleet";
/** As early as a Socket that fetches ahead may have its row. */
const AHEAD = 6 * HOUR;

/**
 * May a Socket be started now, or is one in hand: then all that a command rests on is read from the server. A window that the account
 * moved an hour ago must not be kept by a watch that has been silent since (rules I3, G5).
 */
export function isDue({ spec, status }: SocketSite, now: number): boolean {
  const { upgrade, handled } = status ?? {};
  const asked = spec.requests?.upgradeNow;
  const isAsked =
    asked !== undefined && (handled?.upgradeNow === undefined || Date.parse(handled.upgradeNow) < Date.parse(asked.at) - SECOND);
  const hasBegun = upgrade?.step === "InProgress" || upgrade?.step === "Verifying";
  const start = upgrade?.planned?.start;
  return isAsked || hasBegun || upgrade?.command !== undefined || (start !== undefined && Date.parse(start) <= now + AHEAD);
}

export function cachedObjects({ hubCaches, namespace: fleetNamespace }: SiteObjectsPorts, site: SocketSite): SiteObjects {
  const policy = hubCaches.accountPolicies.get(POLICY, site.metadata.namespace);
  const fleet = hubCaches.fleets.get(FLEET_NAME, fleetNamespace);
  const named = windowNamed({ site, policy, fleet, fleetNamespace });
  return {
    policy,
    fleet,
    window: named && hubCaches.accountWindows.get(named.name, named.namespace),
    pop: site.status?.pop === undefined ? undefined : hubCaches.pops.get(site.status.pop, fleetNamespace),
    rollouts: hubCaches.socketRollouts.list(),
  };
}

export async function liveObjects({ hub, namespace: fleetNamespace }: SiteObjectsPorts, site: SocketSite): Promise<SiteObjects> {
  const pop = site.status?.pop;
  const [policy, fleet, connectedTo, rollouts] = await Promise.all([
    hub.get<AccountPolicy>(ACCOUNT_POLICY, POLICY, site.metadata.namespace),
    hub.get<Fleet>(FLEET, FLEET_NAME, fleetNamespace),
    pop === undefined ? undefined : hub.get<PopCluster>(POP_CLUSTER, pop, fleetNamespace),
    hub.list<SocketRollout>(SOCKET_ROLLOUT, { namespace: fleetNamespace }),
  ]);
  const named = windowNamed({ site, policy, fleet, fleetNamespace });
  const window = named && (await hub.get<MaintenanceWindow>(MAINTENANCE_WINDOW, named.name, named.namespace));
  return { policy, fleet, window, pop: connectedTo, rollouts };
}
