import type { SocketSiteStatus } from "../../api/socket-site.ts";
import { sameJson } from "../canonical-json.ts";
import type { Hold, Instant } from "../decision.ts";
import { WEEK } from "../time/civil.ts";
import { forecast } from "../window/forecast.ts";
import { windowZone } from "../window/parse.ts";
import { writtenHolds } from "../written-holds.ts";
import { behindSince } from "./candidate.ts";
import { conditionsOf } from "./conditions.ts";
import { insertedUntil } from "./follow.ts";
import { pieceOf } from "./piece.ts";
import { at, type ClaimedCommand, hasBegun, remaining, rolloutOf, type SiteView, withUpgrade } from "./view.ts";

const MOST_HOLDS = 16;

/** The status as this pass leaves it. */
export function statusOf(view: SiteView, holds: readonly Hold[], now: Instant): SocketSiteStatus {
  const { next: _, weeksBehind: __, holds: ___, conditions: ____, observedGeneration: _____, ...ledger } = shownLedger(view);
  const shown = writtenHolds(holds, MOST_HOLDS);
  const since = behindSince(view);
  const next = nextOf(view, now);
  const status: SocketSiteStatus = {
    observedGeneration: view.seen.site.generation,
    ...ledger,
    ...(next === undefined ? {} : { next }),
    ...(since === undefined ? {} : { weeksBehind: Math.max(0, Math.floor((now - since) / WEEK)) }),
    ...(shown.length === 0 ? {} : { holds: shown }),
  };
  return { ...status, conditions: conditionsOf({ ...view, ledger: status }, holds, now) };
}

/** Nobody is shown a start that will not be kept: the plan stands in the ledger, and is shown again when what is wrong is corrected. */
function shownLedger({ ledger, upgrade, problems }: SiteView): SocketSiteStatus {
  if (problems.length === 0 || upgrade?.localStart === undefined || hasBegun(upgrade)) return ledger;
  const { localStart: _, ...rest } = upgrade;
  return withUpgrade(ledger, rest);
}

/** Coming windows, only while something is planned or a story is open: else every site of the world would be written each week (G11). */
function nextOf(view: SiteView, now: Instant): SocketSiteStatus["next"] {
  const { upgrade, ledger, seen, zone } = view;
  const spec = seen.window?.spec;
  if (upgrade?.planned === undefined && ledger.ha?.story === undefined) return undefined;
  if (spec === undefined || view.problems.length > 0) return undefined;
  const rollout = rolloutOf(view, upgrade);
  const sockets = remaining(view);
  const next = forecast({
    spec,
    zone: windowZone(spec, zone)!,
    freezeZone: zone,
    from: now,
    count: 2,
    freezes: seen.fleet?.freezes ?? [],
    ...(rollout === undefined || sockets.length === 0 ? {} : { pieceMilliseconds: pieceOf(rollout, sockets) }),
  });
  return next.length === 0 ? undefined : next;
}

/**
 * Is it written now? What only follows from the calendar (weeks, coming windows) never is on its own (G11). While a Socket has a command
 * in hand, its restart and what the pair says meanwhile change by the minute; that goes with the next write of the ledger, so that a
 * Socket costs at most three. After its window everything is written again.
 */
export function worthWriting(view: SiteView, status: SocketSiteStatus, now: Instant): boolean {
  const before = view.seen.site.status;
  if (sameJson(lasting(status), lasting(before))) return false;
  const [command, known] = [status.upgrade?.command, before.upgrade?.command];
  const end = status.upgrade?.window?.end;
  const busy = command?.inserted === true && known !== undefined && command.id === known.id && isKnown(view, known, now);
  if (!busy || end === undefined || now > at(end) || isAway(before)) return true;
  return isWorthATurn(view, status, before) || !sameJson(ledgerOf(status), ledgerOf(before));
}

/**
 * A pair has a write to spare for each of its Sockets: it says that this one is being verified, on its new version. One whose row was still
 * Open after a minute has had that write; a site with one Socket has none to spare, and its status is as of the claim (B12).
 */
const isWorthATurn = ({ pair, upgrade }: SiteView, status: SocketSiteStatus, { upgrade: before }: SocketSiteStatus): boolean =>
  pair &&
  (upgrade?.order?.length ?? 0) > 1 &&
  status.upgrade?.step === "Verifying" &&
  before?.step !== "Verifying" &&
  before?.command?.inserted !== true;

/** It says that the inventory is away; what it waits for is told as soon as it is back. */
export const isAway = ({ holds }: SocketSiteStatus): boolean => holds?.some(({ reason }) => reason === "InventoryUnavailable") === true;

/**
 * That the row was there is written with the next write, and on its own only where it is still Open when its minute is over: from then on
 * one that is missing is lost in any case (rule S1, B12).
 */
function isKnown({ inventory }: SiteView, known: ClaimedCommand, now: Instant): boolean {
  const row = inventory.commands.get(known.id);
  return known.inserted === true || now <= insertedUntil(known) || (row !== undefined && row.state !== "Open");
}

const lasting = ({ next: _, weeksBehind: __, ...rest }: SocketSiteStatus) => rest;

/** What decides; without what only follows from looking. */
function ledgerOf({ observedGeneration, upgrade, attempts, verdicts, handled, putOff, ha }: SocketSiteStatus) {
  const { step: _, since: __, connectedSince: ___, command, ...rest } = upgrade!;
  return { observedGeneration, attempts, verdicts, handled, putOff, story: ha?.story?.id, rest, command: command?.id };
}
