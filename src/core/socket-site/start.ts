import type { Hold, Instant } from "../decision.ts";
import { actionNumber, commandId, type CommandRow } from "../socket/command.ts";
import { HOUR, MINUTE, SECOND } from "../time/civil.ts";
import { describeInstant } from "../time/format.ts";
import { inOrder } from "./order.ts";
import { presenceHolds, standingHolds, timeHolds } from "./gates.ts";
import type { Outcome } from "./outcome.ts";
import { pieceOf } from "./piece.ts";
import { at, type ClaimedCommand, hasBegun, iso, rolloutOf, type SiteView, type SocketView, type Upgrade, withUpgrade } from "./view.ts";

/** How long before its start a device that fetches ahead is given the link (rule S13). */
const PREFETCH_LEAD = 6 * HOUR;

/** What is about to be started: the Socket, and between which instants its command may be given (rule S1). */
export interface Turn {
  readonly next: SocketView;
  readonly notBefore: Instant;
  readonly notAfter: Instant;
  readonly holds: readonly Hold[];
  /** From here on the Sockets and their PoP are asked too. */
  readonly asksFrom: Instant;
}

/** The Socket whose turn it is by the plan, and what holds it. Undefined: none has a turn in this window. */
export function turnOf(view: SiteView, now: Instant): Turn | undefined {
  const { upgrade, command } = view;
  const rollout = rolloutOf(view, upgrade);
  if (upgrade === undefined || rollout === undefined || upgrade.cause === "Request") return undefined;
  const order = inOrder(view);
  const next = order.find(({ serial }) => serial === command?.serial) ?? order[0];
  if (next === undefined || upgrade.start === undefined || upgrade.window === undefined || upgrade.lastStart === undefined)
    return undefined;
  const follows = hasBegun(upgrade) && (upgrade.done?.length ?? 0) > 0 && upgrade.order !== undefined;
  const notBefore = at(upgrade.start);
  const notAfter = follows ? at(upgrade.window.end) - pieceOf(rollout, [next]) : at(upgrade.lastStart);
  const asksFrom = notBefore - (next.report?.prefetches === true ? PREFETCH_LEAD : 0);
  const seenAt = now < asksFrom ? now : Math.max(now, notBefore);
  const time = timeHolds(view, follows ? [next] : order, seenAt);
  const presence = now < asksFrom ? [] : presenceHolds(view, next, now, pieceOf(rollout, [next]));
  return { next, notBefore, notAfter, asksFrom, holds: [...standingHolds(view), ...time, ...presence] };
}

/** Starts a Socket: first the claim in status, in the pass after it the row (rules S1, G5). */
export function start(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade, command } = view;
  if (upgrade === undefined || (command === undefined && upgrade.planned === undefined && !hasBegun(upgrade))) return undefined;
  if (upgrade.cause === "Request") return undefined;
  const turn = turnOf(view, now);
  if (command !== undefined) return command.inserted === true ? undefined : insertion(view, upgrade, command, turn?.holds ?? [], now);
  if (turn === undefined) return { holds: [...standingHolds(view), ...timeHolds(view, inOrder(view), now)] };
  const wakes = [turn.asksFrom, turn.notBefore, turn.notAfter].filter((wake) => wake > now);
  if (turn.holds.length > 0 || now < turn.asksFrom || now > turn.notAfter) return { holds: turn.holds, wakes };
  const message = `${turn.next.serial} goes to ${upgrade.version}: it may fetch it until ${describeInstant(turn.notAfter, view.zone)}`;
  return {
    ledger: withUpgrade({ ...view.ledger, attempts: attemptOf(view) }, claimed(view, upgrade, turn, now)),
    events: [{ type: "Normal", reason: "Started", action: "Upgrade", message }],
    wakes,
  };
}

const attemptOf = ({ ledger }: SiteView): number => (ledger.attempts ?? 0) + 1;

/** The id of the next command; the attempt only grows, so it never comes twice (rules S1, I9). */
export function claimOf(
  view: SiteView,
  serial: string,
  version: string,
  times: Pick<Turn, "notBefore" | "notAfter">,
  now: Instant,
): ClaimedCommand {
  const { uid: siteUid, generation } = view.seen.site;
  return {
    id: commandId({ siteUid, generation, serial, attempt: attemptOf(view) }),
    serial,
    version,
    // Statuses have whole seconds: rounded so that neither bound is stretched.
    notBefore: iso(Math.max(times.notBefore, Math.floor(now / SECOND) * SECOND)),
    notAfter: iso(times.notAfter),
    claimedAt: iso(now),
    state: "Open",
  };
}

function claimed(view: SiteView, upgrade: Upgrade, turn: Turn, now: Instant): Upgrade {
  const { reason: _, message: __, connectedSince: ___, ...rest } = upgrade;
  const begins = now >= turn.notBefore;
  return {
    ...rest,
    ...(begins ? { step: "InProgress", since: iso(now) } : {}),
    order:
      upgrade.order !== undefined && hasBegun(upgrade) ? upgrade.order : inOrder({ ...view, upgrade: rest }).map(({ serial }) => serial),
    command: claimOf(view, turn.next.serial, upgrade.version, turn, now),
  };
}

/** So soon after its claim a row that is missing was never there: no inventory is restored in that time. */
const NOBODY_HAD_IT = 5 * SECOND;

/**
 * The row of a claim that stands in status, where nothing has come in between; else the claim is given back, as long as nobody can have
 * had it. Later a missing row may also have been given and lost with its inventory: the same row may come again, and nothing else. That it
 * came again is written before it is inserted, because taken back it is not as if nobody had had it.
 */
export function insertion(view: SiteView, upgrade: Upgrade, command: ClaimedCommand, holds: readonly Hold[], now: Instant): Outcome {
  if (holds.length > 0 || now > at(command.notAfter)) {
    const lost = at(command.claimedAt) + MINUTE + 1;
    if (now > at(command.claimedAt) + NOBODY_HAD_IT) return { holds, wakes: [lost] };
    return { ledger: withUpgrade(view.ledger, withoutCommand(upgrade, now)), holds };
  }
  const { seen } = view;
  if (seen.account === undefined) return {};
  if (command.late !== true && now > at(command.claimedAt) + NOBODY_HAD_IT) {
    return { ledger: withUpgrade(view.ledger, { ...upgrade, command: { ...command, late: true } }) };
  }
  const row: CommandRow = {
    id: command.id,
    action: actionNumber(command.id),
    account: seen.account,
    site: { namespace: seen.site.namespace, name: seen.site.name, uid: seen.site.uid },
    serial: command.serial,
    version: command.version,
    rollout: upgrade.rollout.uid,
    notBefore: at(command.notBefore),
    notAfter: at(command.notAfter),
    state: "Open",
  };
  return { actions: [{ kind: "InsertCommand", row }], wakes: [at(command.notAfter) + MINUTE] };
}

/** The ledger without its command; where the first Socket never began, its plan moves again. */
export function withoutCommand(upgrade: Upgrade, now: Instant): Upgrade {
  const { command: _, ...rest } = upgrade;
  if ((upgrade.done?.length ?? 0) > 0 || upgrade.step === "Scheduled") return rest;
  const { order: __, ...free } = rest;
  return { ...free, step: "Scheduled", since: iso(now) };
}
