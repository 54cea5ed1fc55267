import type { Fleet } from "../../api/fleet.ts";
import { FLEET } from "../../api/resources.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../../api/socket-site.ts";
import type { GatewayView } from "../../core/socket/answer.ts";
import type { CommandRow } from "../../core/socket/command.ts";
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
      ? { site: { zone: site.spec.timeZone, ...(command ? { command } : {}), done: site.status?.upgrade?.done ?? [] } }
      : {}),
  };
}
