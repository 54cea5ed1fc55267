import type { Hold, Instant } from "../decision.ts";
import { describeInstant } from "../time/format.ts";
import { presenceHolds, standingHolds, timeHolds } from "./gates.ts";
import { nextOccurrence, noticeOf, planRule } from "./occurrence.ts";
import { inOrder } from "./order.ts";
import type { Outcome } from "./outcome.ts";
import { pieceOf } from "./piece.ts";
import { rollingRollout } from "./pop-tie.ts";
import { turnOf } from "./start.ts";
import { at, hasBegun, iso, remaining, rolloutOf, type SiteView, type Upgrade, withLedger, withUpgrade } from "./view.ts";

/** The last start has passed, and a Socket that had its turn was not started: Skipped, with the reason; next week again (rules S4, S8). */
export function missed(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade } = view;
  if (upgrade === undefined || view.command !== undefined || upgrade.cause === "Request") return undefined;
  if (upgrade.window === undefined || (upgrade.planned === undefined && !hasBegun(upgrade))) return undefined;
  const limit = turnOf(view, now)?.notAfter ?? at(upgrade.window.end);
  if (now <= limit) return { wakes: [limit, limit + 1] };
  const why = reasonOf(view, upgrade, limit);
  const next = rescheduled(view, { ...upgrade, step: "Skipped", since: iso(now), reason: why.reason }, now);
  const again = next.planned?.start;
  const when = again === undefined ? "no next try is known" : `next try ${describeInstant(at(again), view.zone)}`;
  const message = `skipped ${describeInstant(at(upgrade.window.start), view.zone)}: ${why.message}; ${when}`;
  const rollout = why.reason === "PoPRolling" ? rollingRollout(view) : undefined;
  const putOff = rollout === undefined ? {} : { putOff: { rollout, at: iso(now) } };
  return {
    ledger: withUpgrade({ ...view.ledger, ...putOff }, { ...next, message }),
    events: [{ type: "Warning", reason: "Skipped", action: "Skip", message }],
  };
}

const OF_TIME: ReadonlySet<string> = new Set(["OutsideWindow", "LastStartPassed", "NoticeNotElapsed"]);

/** Why nothing was started: what held it at its last start, or at the last look; we ourselves where we were not there. */
function reasonOf(view: SiteView, upgrade: Upgrade, limit: Instant): Pick<Hold, "reason" | "message"> {
  if (view.seen.watchingSince > limit) {
    return { reason: "OperatorAbsent", message: "the operator was not there while its window was open; the Sockets are not to blame" };
  }
  const order = inOrder(view);
  const rollout = rolloutOf(view, upgrade);
  const [next] = order;
  const present = next === undefined || rollout === undefined ? [] : presenceHolds(view, next, limit, pieceOf(rollout, [next]));
  const seen = (view.seen.site.status.holds ?? []).map(({ reason, message }) => ({ reason: reason as Hold["reason"], message }));
  const frozen = timeHolds(view, order, limit).filter(({ reason }) => reason === "Frozen" || reason === "WindowTooShort");
  const found = [...standingHolds(view), ...frozen, ...present, ...seen].find(({ reason }) => !OF_TIME.has(reason));
  if (found !== undefined) return found;
  const unfetched = view.ledger.sockets?.find(
    ({ lastAttempt: last }) => last?.outcome === "Withdrawn" && at(last.endedAt) >= at(upgrade.window!.start),
  );
  if (unfetched !== undefined) return { reason: "DeviceBusy", message: `${unfetched.serial} polls, and did not fetch its command in time` };
  return { reason: "LastStartPassed", message: "its last start passed before it could be started" };
}

/**
 * The plan moved to the next occurrence: the announcement still counts (rule W7). What a person asked for is not tried again by itself.
 */
export function rescheduled(view: SiteView, upgrade: Upgrade, now: Instant): Upgrade {
  const { order: _, change: __, command: ___, connectedSince: ____, planned, ...rest } = upgrade;
  const rollout = rolloutOf(view, upgrade);
  const left = remaining(withLedger(view, withUpgrade(view.ledger, { ...upgrade, step: "Scheduled" })));
  if (upgrade.cause === "Request" || rollout === undefined || planned === undefined) return rest;
  const from = Math.max(now + 1, at(planned.announcedAt) + noticeOf(view));
  const start = left.length === 0 ? undefined : nextOccurrence(view, rollout, left, from)?.start;
  return {
    ...rest,
    planned: { ...(start === undefined ? {} : { start: iso(start) }), announcedAt: planned.announcedAt, rule: planRule(view) },
  };
}
