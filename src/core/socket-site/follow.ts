import type { Instant } from "../decision.ts";
import { type CommandRow, isOver } from "../socket/command.ts";
import { HOUR, MINUTE, WEEK } from "../time/civil.ts";
import { ended } from "./ended.ts";
import { nextOccurrence } from "./occurrence.ts";
import type { Outcome } from "./outcome.ts";
import { timesOf } from "./piece.ts";
import { requestHolds } from "./request.ts";
import { turnOf, withoutCommand } from "./start.ts";
import {
  at,
  type ClaimedCommand,
  hasBegun,
  iso,
  rolloutOf,
  runs,
  type SiteView,
  socketOf,
  type SocketView,
  type Upgrade,
  withLedger,
  withUpgrade,
} from "./view.ts";

/** What has become of the command in hand (rules S1, S5, S12, S14). */
export function follow(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade, command, inventory } = view;
  if (upgrade === undefined || command === undefined) return undefined;
  const row = inventory.commands.get(command.id);
  if (command.inserted === true) return followed(view, upgrade, command, row, now);
  if (row === undefined && now <= insertedUntil(command)) return undefined;
  // Of another time: the ledger was restored, and its count of attempts with it; the claim is given back and the next one has another id.
  const isOld = row !== undefined && isOver(row.state) && (row.endedAt ?? row.notAfter) < at(command.claimedAt);
  if (isOld) return { ledger: withUpgrade(view.ledger, withoutCommand(upgrade, now)) };
  const seen: ClaimedCommand = { ...command, inserted: true, state: row?.state ?? "Given" };
  const next = withLedger(view, withUpgrade(view.ledger, { ...upgrade, command: seen }));
  const outcome = followed(next, next.upgrade!, seen, row, now);
  return { ...outcome, ledger: outcome.ledger ?? next.ledger, wakes: [...(outcome.wakes ?? []), insertedUntil(command) + 1] };
}

/**
 * Until when a claimed row that is missing is inserted: longer than a crash between the two takes. Later it counts as lost, and may have
 * been given, also where nobody has written yet that it was there (rule S1).
 */
export const insertedUntil = ({ claimedAt }: ClaimedCommand): Instant => at(claimedAt) + MINUTE;

function followed(view: SiteView, upgrade: Upgrade, command: ClaimedCommand, row: CommandRow | undefined, now: Instant): Outcome {
  const socket = socketOf(view, command.serial);
  if (socket !== undefined && runs(socket, command.version)) return verifying(view, upgrade, command, row, socket, now);
  if (row?.state === "Open") return open(view, upgrade, command, now);
  if (row?.state === "Withdrawn" && command.late === true) return awaited(view, upgrade, command, row, now);
  if (row !== undefined && isOver(row.state)) return over(view, upgrade, row, socket, now);
  return awaited(view, upgrade, command, row, now);
}

/** Nobody has it yet. It is taken back when anything holds it, when its start moved, or at last start (rules S1, S14). */
function open(view: SiteView, upgrade: Upgrade, command: ClaimedCommand, now: Instant): Outcome {
  const begun = withUpgrade(view.ledger, asStep(upgrade, now >= at(command.notBefore) ? "InProgress" : upgrade.step, now));
  const holds = upgrade.cause === "Request" ? requestHolds(view, upgrade, now) : (turnOf(view, now)?.holds ?? []);
  const moved = upgrade.start !== undefined && !hasBegun(upgrade) && at(upgrade.start) !== at(command.notBefore);
  const late = now > at(command.notAfter);
  const wakes = [at(command.notBefore), at(command.notAfter) + 1];
  if (holds.length > 0 || moved || late) return { ledger: begun, holds, actions: [{ kind: "WithdrawCommand", id: command.id }] };
  return { ledger: begun, wakes };
}

/** It reports the version itself: confirmed once it stayed connected on it for `verify` (rule S12). */
function verifying(
  view: SiteView,
  upgrade: Upgrade,
  { id }: ClaimedCommand,
  row: CommandRow | undefined,
  socket: SocketView,
  now: Instant,
): Outcome {
  const verify = verifyOf(view, upgrade);
  const since = Math.max(socket.report?.versionSeenAt ?? now, socket.report?.connectedSince ?? now);
  const done = socket.connected && now >= since + verify;
  if (done && row !== undefined && !isOver(row.state)) {
    // Its own word closes the command; a row that lives would keep the other Socket from its turn.
    return { actions: [row.state === "Open" ? { kind: "WithdrawCommand", id } : { kind: "GiveUpCommand", id }] };
  }
  if (done) return ended(view, { outcome: "Confirmed", ...(wasLate(row) ? { late: true } : {}) }, now);
  if (now >= nextWindow(view, upgrade)) return settle(view, upgrade, row, "did not stay connected on the version", now);
  const next = { ...asStep(upgrade, "Verifying", now), ...(socket.connected ? { connectedSince: iso(since) } : {}) };
  return { ledger: withUpgrade(view.ledger, next), wakes: [since + verify, nextWindow(view, upgrade)] };
}

/** The row is over, and the Socket does not report the version. */
function over(view: SiteView, upgrade: Upgrade, row: CommandRow, socket: SocketView | undefined, now: Instant): Outcome {
  const said = row.said === undefined ? {} : { message: row.said };
  if (row.state === "Failed") return ended(view, { outcome: "Failed", reason: "InstallFailed", ...said }, now);
  if (row.state === "Withdrawn") return ended(view, { outcome: "Withdrawn", ...said }, now);
  if (row.state === "Unknown") return ended(view, { outcome: "Unknown", reason: "NeverReported", ...said }, now);
  // It answered success; real clients do so for what they skipped. What it runs counts, and it has `verify` to come back and say it.
  const answered = (row.endedAt ?? now) + verifyOf(view, upgrade);
  const until =
    socket?.connected === true ? answered : Math.max(answered, upgrade.window === undefined ? answered : at(upgrade.window.end));
  if (now < until) return { ledger: withUpgrade(view.ledger, asStep(upgrade, "Verifying", now)), wakes: [until, answered] };
  const message = `answered success and reports ${socket?.version?.text ?? "no version"}, not ${upgrade.version}`;
  return ended(view, { outcome: "Failed", reason: "VersionNotReported", message }, now);
}

/** The device has it, or may have it: InProgress whatever the window says, until it reports or the next window begins (rule S1). */
function awaited(view: SiteView, upgrade: Upgrade, command: ClaimedCommand, row: CommandRow | undefined, now: Instant): Outcome {
  const until = nextWindow(view, upgrade);
  if (now >= until) return settle(view, upgrade, row, "never said how it ended", now);
  const ledger = withUpgrade(view.ledger, { ...asStep(upgrade, "InProgress", now), command: { ...command, state: row?.state ?? "Given" } });
  const late = row?.state === "Given" && now > at(command.notAfter) && view.inventory.cancelRequested?.has(command.id) !== true;
  return { ledger, wakes: [at(command.notAfter) + 1, until], ...(late ? { actions: [{ kind: "CancelCommand", id: command.id }] } : {}) };
}

/** At the next window it is declared unknown: the row first, so that no late word changes it (rule S1). */
function settle(view: SiteView, _upgrade: Upgrade, row: CommandRow | undefined, message: string, now: Instant): Outcome {
  if (row !== undefined && !isOver(row.state)) return { actions: [{ kind: "GiveUpCommand", id: row.id }] };
  return ended(view, { outcome: "Unknown", reason: "NeverReported", message }, now);
}

/** When the next window of the site begins after the one in hand; a week from the claim where none is known. */
function nextWindow(view: SiteView, upgrade: Upgrade): Instant {
  const { command, window } = upgrade;
  const from = Math.max(at(command!.notAfter), window === undefined ? -Infinity : at(window.end));
  const rollout = rolloutOf(view, upgrade);
  const socket = socketOf(view, command!.serial);
  const next = rollout && socket && nextOccurrence(view, rollout, [socket], from)?.start;
  return next ?? at(command!.claimedAt) + WEEK;
}

const verifyOf = (view: SiteView, upgrade: Upgrade): number => {
  const rollout = rolloutOf(view, upgrade);
  return rollout === undefined ? HOUR : timesOf(rollout).verify;
};

/** It began to install after its last start (rule S14). */
export const wasLate = (row: CommandRow | undefined): boolean => row?.proceedingAt !== undefined && row.proceedingAt > row.notAfter;

const asStep = (upgrade: Upgrade, step: Upgrade["step"], now: Instant): Upgrade =>
  upgrade.step === step ? upgrade : { ...upgrade, step, since: iso(now) };
