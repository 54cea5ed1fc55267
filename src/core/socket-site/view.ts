import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { compareVersions, parseVersion, socketMajor, type Version } from "../../api/version.ts";
import type { Hold, Instant } from "../decision.ts";
import { type DeviceReport, isLate } from "../socket/device.ts";
import type { RolloutView } from "../socket/rollout-view.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { problemsOf } from "./accept.ts";
import type { SiteInventory, SocketSiteObservation } from "./observation.ts";

export type Upgrade = NonNullable<SocketSiteStatus["upgrade"]>;
export type ClaimedCommand = NonNullable<Upgrade["command"]>;

/** One Socket: as the site names it, and as it reports itself. */
export interface SocketView {
  readonly serial: string;
  readonly role: "Primary" | "Secondary";
  readonly report: DeviceReport | undefined;
  /** What it says it runs; undefined where it has said nothing, or nothing that parses. */
  readonly version: Version | undefined;
  readonly model: string | undefined;
  /** It polled within 2 × its hint + 30 s. */
  readonly connected: boolean;
  readonly unstable: boolean;
  readonly state: "Active" | "Standby" | "Unknown";
}

/** One site in the middle of a pass: what was seen, and its ledger as the rules so far have left it. */
export interface SiteView {
  readonly seen: SocketSiteObservation;
  readonly inventory: SiteInventory;
  readonly ledger: SocketSiteStatus;
  readonly upgrade: Upgrade | undefined;
  /** The Socket that a command is claimed for, as far as the ledger knows. */
  readonly command: ClaimedCommand | undefined;
  readonly zone: string;
  readonly sockets: readonly SocketView[];
  readonly pair: boolean;
  /** Why nothing starts here until a person corrects something. */
  readonly problems: readonly Hold[];
}

/** More gaps than this within a day: the connection is unstable (rule S4). */
const MOST_GAPS = 3;

export const isConnected = (report: DeviceReport | undefined): boolean =>
  report?.polledMilliseconds !== undefined && !isLate(report.polledMilliseconds, report.hintMilliseconds);

export const isUnstable = (report: DeviceReport | undefined): boolean => (report?.gaps ?? 0) > MOST_GAPS;

function socketsOf({ site, inventory }: SocketSiteObservation): readonly SocketView[] {
  const sockets = site.spec.sockets.map(({ serial, role, model }): SocketView => {
    const report = inventory?.devices.get(serial);
    const connected = isConnected(report);
    const version = report?.version === undefined ? undefined : parseVersion(report.version);
    const unstable = isUnstable(report);
    // What one that does not poll said last may be long untrue: the other may have taken over since.
    const state = connected ? (report?.ha?.state ?? "Unknown") : "Unknown";
    return { serial, role, report, version, model: report?.model ?? model, connected, unstable, state };
  });
  const states = sockets.filter(({ connected }) => connected).map(({ state }) => state);
  const disagree = states.length === 2 && states[0] === states[1];
  return disagree ? sockets.map((socket) => ({ ...socket, state: "Unknown" as const })) : sockets;
}

/** The site as it was observed, before any rule. */
export function viewOf(seen: SocketSiteObservation, inventory: SiteInventory): SiteView {
  const sockets = socketsOf(seen);
  const first = {
    seen,
    inventory,
    zone: seen.site.spec.timeZone,
    sockets,
    pair: sockets.length === 2,
    problems: problemsOf(seen, inventory, sockets),
  };
  return withLedger(first, seen.site.status);
}

/** The same site with the ledger as a rule left it. */
export const withLedger = (view: Omit<SiteView, "ledger" | "upgrade" | "command">, ledger: SocketSiteStatus): SiteView => ({
  ...view,
  ledger,
  upgrade: ledger.upgrade,
  command: ledger.upgrade?.command,
});

export const socketOf = (view: SiteView, serial: string): SocketView | undefined => view.sockets.find((one) => one.serial === serial);

/** The rollout that the ledger names, by its UID: another one of the same name is another one (rule G6). */
export const rolloutOf = ({ seen }: SiteView, upgrade: Upgrade | undefined): RolloutView | undefined =>
  seen.rollouts.find(({ uid }) => uid === upgrade?.rollout.uid);

/** It says that it runs this version. */
export const runs = ({ version }: SocketView, target: string): boolean => {
  const wanted = parseVersion(target);
  return version !== undefined && wanted !== undefined && compareVersions(version, wanted) === 0;
};

/** It runs something older than this version. */
export const isBehind = ({ version }: SocketView, target: string): boolean => {
  const wanted = parseVersion(target);
  return version !== undefined && wanted !== undefined && compareVersions(version, wanted) < 0;
};

/** The first Socket was started in this window, and the site goes on or is finished (rules S8, W7). */
export const hasBegun = (upgrade: Upgrade | undefined): boolean => upgrade?.step === "InProgress" || upgrade?.step === "Verifying";

/**
 * Sockets that still have to get the version of the ledger; one that was confirmed is not started again in the same upgrade. A remedy is
 * for the lower of a pair alone, a request for the Socket that a person named.
 */
export function remaining({ upgrade, sockets }: SiteView): readonly SocketView[] {
  if (upgrade === undefined) return [];
  const { version, cause, order = [], done = [] } = upgrade;
  const wanted = parseVersion(version);
  const meant = ({ serial, version: runs }: SocketView): boolean => {
    if (cause === "Request") return order.includes(serial);
    return cause !== "Remedy" || (runs !== undefined && wanted !== undefined && socketMajor(runs) < socketMajor(wanted));
  };
  return sockets.filter((socket) => isBehind(socket, version) && !done.includes(socket.serial) && meant(socket));
}

export const withUpgrade = (ledger: SocketSiteStatus, upgrade: Upgrade): SocketSiteStatus => ({ ...ledger, upgrade });

/** For sentences about one Socket or both. */
export const has = (sockets: readonly unknown[]): string => (sockets.length === 1 ? "has" : "have");

/** An instant of a status; what we wrote always parses, and what somebody else wrote counts as the end of time. */
export const at = (text: string): Instant => parseInstant(text) ?? Infinity;
export const iso = formatInstant;
/** Statuses have whole seconds: an instant from which a notice counts is rounded up, so that no part of the notice is lost (rule W3). */
export const isoUp = (instant: Instant): string => formatInstant(Math.ceil(instant / SECOND) * SECOND);
