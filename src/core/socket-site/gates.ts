import type { Hold, Instant } from "../decision.ts";
import { describeInstant } from "../time/format.ts";
import { windowGate } from "../window/gate.ts";
import { haChecks } from "./ha-checks.ts";
import { noticeOf } from "./occurrence.ts";
import { pieceOf, timesOf } from "./piece.ts";
import { popHold } from "./pop-tie.ts";
import { at, hasBegun, rolloutOf, runs, type SiteView, type SocketView, type Upgrade } from "./view.ts";

/** What holds everything here, whatever the time: what a person has to correct or to lift. */
export function standingHolds(view: SiteView): readonly Hold[] {
  return [...view.problems, ...fleetHolds(view), ...rolloutHolds(view)];
}

/** A pair in hand finishes: what was paused after its first Socket was started does not leave it on two versions (rule S8). */
const finishes = (upgrade: Upgrade | undefined): boolean => hasBegun(upgrade) && (upgrade?.order?.length ?? 0) > 1;

function fleetHolds({ seen, upgrade }: SiteView): readonly Hold[] {
  const { fleet } = seen;
  if (fleet === undefined)
    return [{ rule: "F3", reason: "FleetMissing", message: "there is no Fleet object; nothing starts until there is" }];
  if (!fleet.paused || finishes(upgrade)) return [];
  const why = fleet.pauseReason === undefined ? "" : ` (${fleet.pauseReason})`;
  return [{ rule: "G13", reason: "FleetPaused", message: `the Fleet is paused${why}; nothing starts until a person resumes it` }];
}

function rolloutHolds(view: SiteView): readonly Hold[] {
  const { upgrade } = view;
  const rollout = rolloutOf(view, upgrade);
  if (upgrade === undefined || (upgrade.planned === undefined && !hasBegun(upgrade))) return [];
  const named = `SocketRollout ${upgrade.rollout.name}`;
  const gone = rollout === undefined || !rollout.accepted;
  const stopped = gone || rollout.stopped === "Failures" || (rollout.stopped !== undefined && !finishes(upgrade));
  if (stopped) return [{ rule: "S10", reason: "Stopped", message: `${named} starts nothing more` }];
  if (!rollout.spec.paused || finishes(upgrade)) return [];
  return [{ rule: "G13", reason: "Paused", message: `${named} is paused; nothing starts until a person resumes it` }];
}

/** Notice and window (rules W3–W6), as they stand at an instant: the stricter of the plan and of what the window says now. */
export function timeHolds(view: SiteView, next: readonly SocketView[], now: Instant): readonly Hold[] {
  const { upgrade, seen, zone } = view;
  const rollout = rolloutOf(view, upgrade);
  if (upgrade?.announced === undefined || rollout === undefined || upgrade.planned === undefined) return [];
  const start = upgrade.start === undefined ? undefined : at(upgrade.start);
  const isUnheard = upgrade.announced.noticeAcceptedAt === undefined;
  // Where no start is known there is no notice that anybody could take: the window says why.
  if (isUnheard && upgrade.notice !== undefined) return [unheard(view, upgrade)];
  const begun = hasBegun(upgrade);
  const gate = windowGate({
    ...(seen.window === undefined ? {} : { name: seen.window.name }),
    spec: seen.window?.spec,
    zone,
    now,
    pieceMilliseconds: pieceOf(rollout, next),
    freezes: seen.fleet?.freezes ?? [],
    announcedAt: at(upgrade.planned.announcedAt),
    noticeMilliseconds: noticeOf(view),
  });
  if (!gate.open && gate.hold.reason !== "OutsideWindow") return [gate.hold];
  if (isUnheard) return [unheard(view, upgrade)];
  if (start !== undefined && !begun && now < start) return [planned(upgrade, start, zone)];
  if (!gate.open) return [gate.hold];
  if (begun || start !== undefined) return [];
  return [
    { rule: "W7", reason: "OutsideWindow", message: "the window is open, and no start is planned in it; nothing starts unannounced" },
  ];
}

/** The same words before the window opens and in it, up to the site's own start (rules W11, W7, G11). */
function planned({ window }: Upgrade, start: Instant, zone: string): Hold {
  const opens = window === undefined ? "" : ` in the window that opens ${describeInstant(at(window.start), zone)}`;
  const message = `its start is planned for ${describeInstant(start, zone)}${opens}; sites are spread over their windows`;
  return { rule: "W11", reason: "OutsideWindow", message, until: start };
}

function unheard(view: SiteView, { notice }: Upgrade): Hold {
  const { zone } = view;
  const start = notice === undefined ? undefined : at(notice.start);
  const about = start === undefined ? "the planned start" : `the start ${describeInstant(start, zone)}`;
  const kept = start === undefined ? "" : `; taken by ${describeInstant(start - noticeOf(view), zone)} it keeps that start`;
  const message = `no channel of the account has taken the notice of ${about} yet; it is sent until one does, and the notice counts from then${kept}`;
  return { rule: "W3", reason: "NoticeNotElapsed", message, ...(start === undefined ? {} : { until: start }) };
}

/**
 * Whether the Sockets themselves are ready for the next one to go (rules S2, S3, S4, S11). Asked from the start on. Of a Socket whose
 * command waits for it, nothing is asked: it shows that it is there by fetching it.
 */
export function presenceHolds(view: SiteView, next: SocketView, now: Instant, piece: number): readonly Hold[] {
  const asked = view.command === undefined ? view.sockets : view.sockets.filter((socket) => socket !== next);
  const gone = asked.filter(({ connected }) => !connected);
  const shaky = asked.filter(({ unstable }) => unstable);
  const pop = popHold(view, now, piece);
  const stray = strayRow(view);
  return [
    ...(gone.length === 0
      ? []
      : [hold("S3", "NotConnected", `${serials(gone)} ${is(gone)} not connected; all Sockets of the site have to be`)]),
    ...(shaky.length === 0 ? [] : [hold("S4", "Unstable", `${serials(shaky)} lost the connection more than 3 times in 24 hours`)]),
    ...healthHolds(view, next, now),
    ...(pop === undefined ? [] : [pop]),
    ...(stray === undefined ? [] : [hold("S1", "DeviceBusy", `${stray} has an earlier command in hand; nothing starts until it is over`)]),
  ];
}

function healthHolds(view: SiteView, next: SocketView, now: Instant): readonly Hold[] {
  if (!view.pair) return [];
  if (view.sockets.some(({ connected }) => !connected)) return [];
  const lost = view.sockets.find((one) => view.upgrade?.done?.includes(one.serial) === true && !runs(one, view.upgrade.version));
  if (lost !== undefined)
    return [hold("S2", "HealthUnknown", `${lost.serial} was confirmed on ${view.upgrade!.version} and does not report it any more`)];
  const checks = haChecks(view).filter(({ name, status }) => name !== "CompatibleVersion" && name !== "Connectivity" && status !== "Ready");
  const unknown = checks.find(({ status }) => status === "Unknown");
  if (unknown !== undefined)
    return [hold("G9", "HealthUnknown", `${unknown.name} of the pair is unknown: ${unknown.message ?? "no Socket has said it"}`)];
  const broken = checks[0];
  if (broken === undefined) return unproven(view, next, now);
  return [
    hold(
      "S2",
      "HANotReady",
      `${broken.name} of the pair is not ready, so ${next.serial} is not taken out: ${broken.message ?? broken.reason ?? ""}`,
    ),
  ];
}

/**
 * The other Socket came to the version a moment ago, whoever brought it there: it has to stay on it for `verify` before this one goes (rules
 * S2, S12). One that the ledger knows as done has; a ledger or an inventory that was restored knows it not.
 */
function unproven(view: SiteView, next: SocketView, now: Instant): readonly Hold[] {
  const { upgrade } = view;
  const rollout = rolloutOf(view, upgrade);
  const other = view.sockets.find((socket) => socket !== next);
  if (upgrade === undefined || rollout === undefined || other === undefined || !runs(other, upgrade.version)) return [];
  if (upgrade.done?.includes(other.serial) === true) return [];
  const until = Math.max(other.report?.versionSeenAt ?? now, other.report?.connectedSince ?? now) + timesOf(rollout).verify;
  if (now >= until) return [];
  const message = `${other.serial} came to ${upgrade.version} just now; it has to stay connected on it before ${next.serial} is taken out`;
  return [{ rule: "S12", reason: "HealthUnknown", message, until }];
}

const hold = (rule: string, reason: Hold["reason"], message: string): Hold => ({ rule, reason, message });
const serials = (sockets: readonly SocketView[]): string => sockets.map(({ serial }) => serial).join(" and ");
const is = (sockets: readonly SocketView[]): string => (sockets.length === 1 ? "is" : "are");

/** The serial of a row that lives and that the ledger does not name: a restored ledger has forgotten it (rule S1). */
export function strayRow({ inventory, command }: SiteView): string | undefined {
  for (const row of inventory.commands.values()) {
    if (row.id !== command?.id && (row.state === "Open" || row.state === "Given" || row.state === "Proceeding")) return row.serial;
  }
  return undefined;
}
