import type { AccountPolicy } from "../../api/account-policy.ts";
import type { Freeze } from "../../api/common.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { SocketSite } from "../../api/socket-site.ts";

/** A site, and the objects that may name its window. */
export interface WindowParts {
  readonly site: Pick<SocketSite, "metadata" | "spec">;
  readonly policy: Pick<AccountPolicy, "spec"> | undefined;
  readonly fleet: Pick<Fleet, "spec"> | undefined;
  readonly fleetNamespace: string;
}

/** The first of site, account and provider that names one (rule W10). An account's name is one of its own namespace. */
export function windowNamed({ site, policy, fleet, fleetNamespace }: WindowParts) {
  const own = site.metadata.namespace ?? "";
  const named = [
    { from: "Site", name: site.spec.windowRef?.name, namespace: own },
    { from: "Account", name: policy?.spec.sockets.windowRef?.name, namespace: own },
    { from: "ProviderDefault", name: fleet?.spec.accounts?.defaultSocketWindow?.name, namespace: fleetNamespace },
  ] as const;
  for (const { from, name, namespace } of named) if (name !== undefined) return { from, name, namespace };
  return undefined;
}

const ROLLING: ReadonlySet<string> = new Set(["Preflight", "Rolling", "RollingBack"]);

/** Its nodes are taken out one by one, forward or back; nodes that join disturb nobody (rule S11). */
export const isBeingRolled = ({ status }: Pick<PopCluster, "status">): boolean =>
  status?.run !== undefined && status.run.kind !== "Join" && ROLLING.has(status.run.state);

/** What around a site keeps the gateway from giving it a command that nobody has yet; for a `GatewayView`. */
export interface SiteGuards {
  readonly window?: { readonly freezes: readonly Freeze[] } | "Gone";
  readonly popRolling?: string;
}

/**
 * What the operator would take a command back for, as the gateway sees it while no operator is there: the freezes of the site's own window,
 * that window being gone (only a person's request needs none), and a roll of its PoP that has not put it off before (rules W6, W10, S11).
 */
export function guardsOf(
  { status }: Pick<SocketSite, "status">,
  window: Pick<MaintenanceWindow, "spec"> | undefined,
  pop: Pick<PopCluster, "metadata" | "status"> | undefined,
): SiteGuards {
  const asked = status?.upgrade?.cause === "Request";
  const rollout = pop?.status?.assigned?.rollout;
  const spent = rollout !== undefined && rollout === status?.putOff?.rollout;
  return {
    ...(window === undefined ? (asked ? {} : { window: "Gone" as const }) : { window: { freezes: window.spec.freezes ?? [] } }),
    ...(pop !== undefined && isBeingRolled(pop) && !spent ? { popRolling: pop.metadata.name } : {}),
  };
}
