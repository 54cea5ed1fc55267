import { type AccountPolicy, accountPolicySpec } from "../../api/account-policy.ts";
import type { Fleet } from "../../api/fleet.ts";
import type { MaintenanceWindow } from "../../api/maintenance-window.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import type { SocketSite } from "../../api/socket-site.ts";
import type { RolloutView } from "../../core/socket/rollout-view.ts";
import { isBeingRolled, windowNamed } from "../../core/socket/surroundings.ts";
import type { SiteInventory, SocketSiteObservation } from "../../core/socket-site/observation.ts";
import { HOUR } from "../../core/time/civil.ts";
import { parseDuration } from "../../core/time/duration.ts";
import { parseInstant } from "../../core/time/instant.ts";

/** What one look at a site was made of. */
export interface SiteParts {
  readonly site: SocketSite;
  readonly account: string | undefined;
  readonly policy: AccountPolicy | undefined;
  readonly fleet: Fleet | undefined;
  /** The MaintenanceWindow that counts (`windowNamed`), as far as there is one. */
  readonly window: MaintenanceWindow | undefined;
  readonly fleetNamespace: string;
  readonly pop: PopCluster | undefined;
  readonly rollouts: readonly RolloutView[];
  readonly inventory: SiteInventory | undefined;
  readonly claimedTwice: SocketSiteObservation["claimedTwice"];
  /** Somebody could be told at all: the operator has a way to send notices, and to these channels. */
  readonly hasNoticeChannel: boolean;
  readonly tzdata: string;
  readonly watchingSince: number;
}

/** The notice that every site gets where the Fleet says nothing (rule W3). */
const MINIMUM_NOTICE = 48 * HOUR;
const DEFAULTS = accountPolicySpec.parse({}).sockets;

/** One site as its decision sees it. */
export function observedSite(parts: SiteParts): SocketSiteObservation {
  const { site, account, policy, inventory, rollouts, claimedTwice, hasNoticeChannel, tzdata, watchingSince } = parts;
  const { metadata, spec, status = {} } = site;
  const window = windowOf(parts);
  const fleet = fleetOf(parts.fleet);
  return {
    site: {
      namespace: metadata.namespace ?? "",
      name: metadata.name,
      uid: metadata.uid,
      generation: metadata.generation ?? 0,
      deleting: metadata.deletionTimestamp !== undefined,
      spec,
      status,
    },
    ...(account === undefined ? {} : { account }),
    policy: policy?.spec.sockets ?? DEFAULTS,
    hasNoticeChannel,
    ...(window === undefined ? {} : { window }),
    ...(fleet === undefined ? {} : { fleet }),
    tzdata,
    rollouts,
    ...(inventory === undefined ? {} : { inventory }),
    claimedTwice,
    ...(parts.pop === undefined ? {} : { pop: sitePop(parts.pop) }),
    features: [],
    watchingSince,
  };
}

function windowOf(parts: SiteParts): SocketSiteObservation["window"] {
  const named = windowNamed(parts);
  if (named === undefined) return undefined;
  const { from, name } = named;
  return { from, name, ...(parts.window === undefined ? {} : { spec: parts.window.spec }) };
}

function fleetOf(fleet: Fleet | undefined): SocketSiteObservation["fleet"] {
  if (fleet === undefined) return undefined;
  const { paused, reason, freezes = [], accounts } = fleet.spec;
  const promised = accounts?.minimumNotice === undefined ? undefined : parseDuration(accounts.minimumNotice);
  return {
    paused,
    ...(reason === undefined ? {} : { pauseReason: reason }),
    freezes,
    minimumNotice: promised ?? MINIMUM_NOTICE,
  };
}

/** The PoP as its sites see it: whether it is rolled or rolled back now, and when by plan it will be (rule S11). */
export function sitePop({ metadata, status = {} }: Pick<PopCluster, "metadata" | "status">): NonNullable<SocketSiteObservation["pop"]> {
  const { plan, assigned } = status;
  const rollout = assigned === undefined ? {} : { rollout: assigned.rollout };
  const isRolling = isBeingRolled({ status });
  const from = plan?.start === undefined ? undefined : parseInstant(plan.start);
  return {
    name: metadata.name,
    ...(isRolling ? { rolling: rollout } : {}),
    ...(from === undefined || isRolling ? {} : { planned: { from, ...rollout } }),
  };
}
