import type { Freeze } from "../../api/common.ts";
import { compareVersions, parseVersion } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { activeFreeze, frozenSpans } from "../window/freeze.ts";
import { stableFraction } from "../window/spread.ts";
import { type CommandRow, isOver } from "./command.ts";
import { type DeviceReport, isLate } from "./device.ts";
import type { SiteGuards } from "./surroundings.ts";

/** Somebody deleted it, and it is there until its finalizers are done: it gives nothing new. */
interface BeingDeleted {
  readonly deleting?: true;
}

/** What a gateway replica has seen of the cluster for one command, at most 10 s ago (rule G15). */
export interface GatewayView {
  /** Absent: there is no Fleet, and nothing starts without one (rule F3). */
  readonly fleet?: { readonly paused: boolean; readonly freezes: readonly Freeze[] } & BeingDeleted;
  /** The rollout that the row names by its UID; absent: it was deleted. */
  readonly rollout?: { readonly paused: boolean; readonly stopped?: "Person" | "Failures" | "Superseded" } & BeingDeleted;
  /** The site that the row names by its UID; absent: it was deleted. */
  readonly site?: BeingDeleted &
    SiteGuards & {
      readonly zone: string;
      /** The id of the command that its status names as in hand. */
      readonly command?: string;
      /** Sockets of the pair that are confirmed on the version already. */
      readonly done: readonly string[];
      /** Serials of the site beside the row's own, unless a person accepts the downtime; absent: there are none (rules S3, S4). */
      readonly partners?: readonly string[];
    };
}

/** What the inventory knows of a device that polls. */
export interface Polled {
  readonly device: DeviceReport;
  readonly command?: CommandRow;
  readonly cancel: boolean;
  readonly plan?: { readonly from: Instant; readonly until: Instant; readonly first: Instant };
  /** What is known of the site's other Sockets; absent where nobody asked. */
  readonly partners?: readonly DeviceReport[];
}

/** What a poll is answered with; numbers are actions, and each is shown as a link. */
export interface PollLinks {
  readonly configData: boolean;
  readonly deployment?: number;
  readonly cancel?: number;
}

/** How often devices are to poll, in milliseconds of their own clocks: ordinarily, and around their planned start. */
export interface PollHints {
  readonly ordinary: number;
  readonly near: number;
}

/** Half as old again as the hint: a device that reported at its last poll is not asked at this one, and can be offered something. */
const ATTRIBUTES_GOOD_FOR = 1.5;

/**
 * What a device asks for. One that fetches what a poll showed it was judged by that poll, at the hint of then: the ordinary one, where the
 * hint got shorter with the same poll.
 */
export interface Asks {
  readonly fetching?: { readonly ordinaryMilliseconds: number };
}

/** It has to say again what it is before anything is offered to it. */
const isOutdated = ({ attributesMilliseconds: age, hintMilliseconds: hint }: DeviceReport, { fetching }: Asks = {}): boolean =>
  age === undefined || age > (hint + (fetching?.ordinaryMilliseconds ?? 0)) * ATTRIBUTES_GOOD_FOR;

/** Fetches ahead and waits by itself (rule S13). */
const isAhead = (row: CommandRow, device: DeviceReport, now: Instant): boolean =>
  row.state === "Open" && device.prefetches && now < row.notBefore;

/**
 * Is there a row that may be given to this device or shown to it ahead, so that a fresh look at the cluster is worth its price? Without
 * one a poll asks no API server.
 */
export function asksForView({ device, command, cancel }: Polled, now: Instant, asks: Asks = {}): boolean {
  if (command === undefined || cancel || now > command.notAfter) return false;
  if (command.state !== "Given" && (command.state !== "Open" || isOutdated(device, asks))) return false;
  return now >= command.notBefore || isAhead(command, device, now);
}

/** Whose reports have to be read before the command may be given: a device that has it already is shown it, whoever is away. */
export const partnersAsked = (view: GatewayView | undefined, { command }: Polled): readonly string[] =>
  command?.state === "Open" ? (view?.site?.partners ?? []) : [];

/** One that polls no more leaves the site without a Socket once this one restarts; of whom nothing is known counts as away (rule S3). */
function awayOf(view: GatewayView, polled: Polled): string | undefined {
  return partnersAsked(view, polled).find((serial) => {
    const report = polled.partners?.find((one) => one.serial === serial);
    return report?.polledMilliseconds === undefined || isLate(report.polledMilliseconds, report.hintMilliseconds);
  });
}

/**
 * Whether everything but the row's own time allows the command (rules S1, S3, S8, G15, I3): `true`, or what refuses it. `view` is undefined
 * while this replica is not fresh. That a row is Open and in its time, the one statement of `give` asks again.
 */
export function mayGive(view: GatewayView | undefined, polled: Polled, now: Instant, asks: Asks = {}): true | string {
  const { device, command, cancel } = polled;
  if (command === undefined) return "there is no command";
  if (cancel) return "it is to be dropped";
  if (view === undefined) return "this replica's view of the cluster is not fresh";
  const { fleet, rollout, site } = view;
  if (fleet === undefined) return "there is no Fleet";
  if (site === undefined) return "its site is gone";
  if (rollout === undefined) return "its rollout is gone";
  // What a device was given it has, and is shown until it is over: hidden it would not come back (rule S1).
  const deleted = command.state === "Open" && Object.entries({ fleet, site, rollout }).find(([, { deleting }]) => deleting);
  if (deleted) return `its ${deleted[0]} is being deleted`;
  if (site.command !== command.id) return "its site's status names another command, or none";
  // A row may stand open for hours while no operator is there to take it back.
  const away = awayOf(view, polled);
  if (away !== undefined) return `${away} of the same site is not connected`;
  if (command.state === "Open" && isOutdated(device, asks)) return "what the device says of itself is older than its polls";
  if (runs(device, command.version)) return "the device reports the version already";
  if (rollout.stopped === "Failures") return "its rollout was stopped by failures";
  // A pair in hand is finished, whoever pauses or stops what is not begun (rule S8).
  if (site.done.length === 0) {
    if (fleet.paused) return "the Fleet is paused";
    if (rollout.paused) return "its rollout is paused";
    if (rollout.stopped !== undefined) return "its rollout is stopped";
  }
  if (command.state === "Open" && site.window === "Gone") return "the window of its site is gone";
  // What the operator would take the command back for, while there is none to do it (rules W6, S11).
  if (command.state === "Open" && site.popRolling !== undefined) return `PoP ${site.popRolling} is being rolled`;
  const freezes = [...fleet.freezes, ...(site.window === undefined || site.window === "Gone" ? [] : site.window.freezes)];
  return activeFreeze(frozenSpans(freezes, site.zone, now), now) === undefined ? true : "a freeze covers this day";
}

function runs({ version }: DeviceReport, target: string): boolean {
  const [reported, wanted] = [version === undefined ? undefined : parseVersion(version), parseVersion(target)];
  return reported !== undefined && wanted !== undefined && compareVersions(reported, wanted) === 0;
}

/**
 * What a device is told that asks for the deployment of `action`. `Give`: by the statement, and only if it changed the row. `Ahead`:
 * fetch, and do not install yet (rule S13). `InHand`: it proceeds already, and is shown the same again also after the end, because
 * clients ask for it after their restart to report how it went. `Nothing`: as if there were none, with the reason for the log.
 */
export type DeploymentAnswer = { readonly kind: "Give" | "Ahead" | "InHand" } | { readonly kind: "Nothing"; readonly why: string };

export function deploymentFor(
  view: GatewayView | undefined,
  polled: Polled,
  action: number,
  now: Instant,
  asks: Asks = {},
): DeploymentAnswer {
  const { command, device } = polled;
  if (command === undefined || command.action !== action) return { kind: "Nothing", why: "the device has no such command" };
  if (command.state === "Proceeding") return { kind: "InHand" };
  if (now > command.notAfter) return { kind: "Nothing", why: "its last start has passed" };
  const ahead = isAhead(command, device, now);
  if (now < command.notBefore && !ahead) return { kind: "Nothing", why: "its window has not come" };
  const may = mayGive(view, polled, now, asks);
  if (may !== true) return { kind: "Nothing", why: may };
  return { kind: ahead ? "Ahead" : "Give" };
}

/**
 * Whether the device of `polled` may fetch the files of `action`: of the command that it was given, and ahead of its start if it waits by
 * itself (rule S13). Nothing begins by it, so the cluster is not asked; of another's command it gets nothing (rule I15).
 */
export function mayFetch({ command, device }: Polled, action: number, now: Instant): boolean {
  if (command?.action !== action || isOver(command.state)) return false;
  return command.state !== "Open" || (device.prefetches && now <= command.notAfter);
}

/** What it has begun it cannot drop any more; a link would abort a download, and say nothing of an installation (rule S14). */
export const isToDrop = ({ command, cancel }: Polled, action: number): boolean =>
  cancel && command?.action === action && command.state === "Given";

/** What a device was given is its installed base as long as it says so itself: that the row succeeded proves nothing (rule S12). */
export const isInstalled = (device: DeviceReport, { state, version }: CommandRow): boolean =>
  state === "Succeeded" && runs(device, version);

/** The links of a poll. A device with an outdated report is asked for it first: what it runs and can decides what it is offered. */
export function answerPoll(view: GatewayView | undefined, polled: Polled, now: Instant): PollLinks {
  const { device, command } = polled;
  const configData = isOutdated(device);
  if (command === undefined) return { configData };
  if (isToDrop(polled, command.action)) return { configData, cancel: command.action };
  const { kind } = deploymentFor(view, polled, command.action, now);
  return kind === "Nothing" ? { configData } : { configData, deployment: command.action };
}

/** A tenth more or less, the same for one serial at all times: devices that start together drift apart. */
const SPREAD = 0.1;
const SECOND = 1_000;

/**
 * When the device is to poll next (rule S14), in whole seconds, because the protocol knows no smaller ones. The first poll of a site
 * that is near its start falls on the start itself, never before.
 */
export function hintFor(serial: string, plan: Polled["plan"], hints: PollHints, now: Instant): number {
  const isNear = plan !== undefined && plan.from <= now && now < plan.until;
  const spread = 1 + SPREAD * (2 * stableFraction(serial) - 1);
  const usual = Math.max(SECOND, Math.round(((isNear ? hints.near : hints.ordinary) * spread) / SECOND) * SECOND);
  if (plan === undefined || now >= plan.first) return usual;
  return Math.min(usual, Math.ceil((plan.first - now) / SECOND) * SECOND);
}
