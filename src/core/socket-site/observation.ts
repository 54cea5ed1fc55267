import type { AccountPolicySpec } from "../../api/account-policy.ts";
import type { Freeze } from "../../api/common.ts";
import type { MaintenanceWindowSpec } from "../../api/maintenance-window.ts";
import type { SocketSiteSpec, SocketSiteStatus } from "../../api/socket-site.ts";
import type { Instant } from "../decision.ts";
import type { CommandRow } from "../socket/command.ts";
import type { DeviceReport } from "../socket/device.ts";
import type { RolloutView } from "../socket/rollout-view.ts";

/** Everything that is known about one SocketSite at one moment, as plain data. Ages are elapsed milliseconds. */
export interface SocketSiteObservation {
  readonly site: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation: number;
    readonly deleting: boolean;
    readonly spec: SocketSiteSpec;
    readonly status: SocketSiteStatus;
  };
  /** The account that the site's namespace is labelled with; absent: it belongs to nobody, and nothing starts. */
  readonly account?: string;
  /** The account's AccountPolicy with the schema's defaults, also where there is none. */
  readonly policy: AccountPolicySpec["sockets"];
  /** Somebody is told by a channel: the announcement waits for its acceptance (rule W3). */
  readonly hasNoticeChannel: boolean;
  /** The window that counts, of the first of site, account and provider that names one; its spec is absent where the name leads nowhere. */
  readonly window?: {
    readonly from: "Site" | "Account" | "ProviderDefault";
    readonly name: string;
    readonly spec?: MaintenanceWindowSpec;
  };
  /** What the provider promises and forbids; absent: no Fleet (FleetMissing). */
  readonly fleet?: {
    readonly paused: boolean;
    readonly pauseReason?: string;
    readonly freezes: readonly Freeze[];
    /** The floor of every notice, in milliseconds: 48 h unless the Fleet says otherwise. */
    readonly minimumNotice: number;
  };
  /** Version of the time-zone data in use: a part of what a planned start comes from (rule W7). */
  readonly tzdata: string;
  /** Every SocketRollout, in any order. */
  readonly rollouts: readonly RolloutView[];
  /**
   * What the inventory knows; absent: it does not answer. Then nothing is claimed, given, concluded or told as lost (InventoryUnavailable),
   * and what stands in status stays.
   */
  readonly inventory?: SiteInventory;
  /** Serials of this site that another SocketSite names too, with that site where it is of the same account (rules S3, I15). */
  readonly claimedTwice: ReadonlyMap<string, { readonly sameAccount?: string }>;
  /** The PoP that the active Socket is connected to, as far as it exists (rule S11). */
  readonly pop?: {
    readonly name: string;
    /** A roll or rollback is in hand; its PoPRollout, if one assigned it. */
    readonly rolling?: { readonly rollout?: string };
    /** By plan it starts to be rolled at this instant. */
    readonly planned?: { readonly from: Instant; readonly rollout?: string };
  };
  /** Features that need a Socket version, for the story (rule S6). */
  readonly features: readonly { readonly key: string; readonly needs: string }[];
  /**
   * Since when this operator has led and had caches and inventory without a gap, as a calendar instant. A window that lies before it was
   * slept through: OperatorAbsent, never NotConnected (rule S4).
   */
  readonly watchingSince: Instant;
}

export interface SiteInventory {
  /** What each enrolled serial of the site reported; a serial that the registry does not know is missing here. */
  readonly devices: ReadonlyMap<string, DeviceReport>;
  /** Serials of the site that the registry binds to another account: nothing of them is shown (rule I15). */
  readonly foreign: ReadonlySet<string>;
  /** Rows of this site that are not over, and the one that status names, by id. Named there and missing here: lost, awaited as Given (S1). */
  readonly commands: ReadonlyMap<string, CommandRow>;
  /** Verdicts kept here too, so that a site that was deleted and made anew does not repeat them (rule G8). */
  readonly verdicts: readonly { readonly serial: string; readonly revision: string; readonly failed: boolean }[];
  /** Commands of this site that the device was asked to drop and has not answered for. */
  readonly cancelRequested?: ReadonlySet<string>;
  /** The poll plan of all its Sockets; absent: there is none, or they differ (rule S14). */
  readonly polls?: { readonly from: Instant; readonly until: Instant; readonly first: Instant };
  /** What was accepted of this site's notices, by their id (rules W3, I9). */
  readonly notices: ReadonlyMap<string, { readonly acceptedAt: Instant }>;
}
