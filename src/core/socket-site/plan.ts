import type { Instant } from "../decision.ts";
import { MINUTE, SECOND } from "../time/civil.ts";
import { formatZoned } from "../time/format.ts";
import { announcement } from "../window/notice.ts";
import { type PlannedStart, replan, seenChange } from "../window/replan.ts";
import { lastStartOf } from "./piece.ts";
import { nextOccurrence, noticeOf, ownStart, planRule } from "./occurrence.ts";
import { planNotice } from "./plan-notice.ts";
import type { Outcome } from "./outcome.ts";
import { at, hasBegun, iso, isoUp, remaining, rolloutOf, type SiteView, type Upgrade, withUpgrade } from "./view.ts";

/** As in W3: a channel that takes the notice this soon does not move the announcement. */
const GRACE = 15 * MINUTE;

/** The plan of one pass, between the ledger and the ledger. */
interface Plan {
  readonly planned: PlannedStart;
  readonly change: { readonly rule: string; readonly since: Instant } | undefined;
  /** The start to act upon. */
  readonly start: Instant | undefined;
  readonly announced: NonNullable<Upgrade["announced"]>;
}

/**
 * When the site is planned to start (rules W3, W7, W11): whatever moves the start, moves it here. Nothing of it concerns a site of which
 * a Socket has been started, nor one with a command in hand.
 */
export function plan(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade } = view;
  if (upgrade?.planned === undefined || upgrade.announced === undefined || hasBegun(upgrade) || upgrade.command?.inserted === true)
    return undefined;
  const rollout = rolloutOf(view, upgrade);
  const sockets = remaining(view);
  if (rollout === undefined || sockets.length === 0) return undefined;
  const first = (notBefore: Instant): Instant | undefined => nextOccurrence(view, rollout, sockets, notBefore)?.start;
  const wakes: Instant[] = [];
  const moved = afterChange(view, upgrade, rollout.announcedAt, first, now, wakes);
  // The first notice of a plan may have been taken before the plan was written: its id follows from the plan.
  const notice = upgrade.notice ?? planNotice(view, upgrade, moved.change === undefined ? moved.start : undefined);
  const heard = afterAcceptance(view, notice === undefined ? upgrade : { ...upgrade, notice }, moved, first, now, wakes);
  return { ledger: withUpgrade(view.ledger, placed(view, upgrade, heard, now)), wakes };
}

/** The plan after whatever moves a start (rule W7). */
function afterChange(
  view: SiteView,
  { planned, change, announced }: Upgrade,
  release: Instant,
  first: (notBefore: Instant) => Instant | undefined,
  now: Instant,
  wakes: Instant[],
): Plan {
  const start = planned!.start === undefined ? undefined : at(planned!.start);
  // A date that was edited to a later one gives more notice; to an earlier one it takes none away.
  const announcedAt = Math.max(at(planned!.announcedAt), release);
  const before: PlannedStart = { start, announcedAt, rule: planned!.rule };
  const seen = seenChange(before, change && { rule: change.rule, since: at(change.since) }, planRule(view), now);
  const notice = noticeOf(view);
  const next = replan({ planned: before, change: seen, now, notice, firstStart: first, started: false });
  if (next.wakeAt !== undefined) wakes.push(next.wakeAt);
  const settled = next.planned !== before;
  // An earlier start has an announcement of its own, which has to be accepted like the first.
  const anew = settled && next.planned.announcedAt !== before.announcedAt;
  const told = { ...announced!, release: iso(Math.max(at(announced!.release), release)) };
  const { noticeAcceptedAt: _, ...untold } = told;
  if (seen !== undefined)
    return { planned: next.planned, change: settled ? undefined : seen, start: next.start, announced: anew ? untold : told };
  return {
    planned: { ...before, start: usable(before, notice, first, now) },
    change: undefined,
    start: usable(before, notice, first, now),
    announced: told,
  };
}

/** A start that is still to come has to be one that the window, its freezes and the piece of today allow; else it moves at once. */
function usable(
  { start, announcedAt }: PlannedStart,
  notice: number,
  first: (from: Instant) => Instant | undefined,
  now: Instant,
): Instant | undefined {
  if (start !== undefined && start <= now && start >= announcedAt + notice) return start;
  return first(Math.max(start ?? now, announcedAt + notice, now));
}

/** The plan after what the account's channel took, or did not take yet (rule W3). */
function afterAcceptance(
  view: SiteView,
  { notice }: Upgrade,
  moved: Plan,
  first: (notBefore: Instant) => Instant | undefined,
  now: Instant,
  wakes: Instant[],
): Plan {
  const { announced, planned } = moved;
  if (announced.noticeAcceptedAt !== undefined) return moved;
  const promised = noticeOf(view);
  const accepted = acceptedAt(view, notice) ?? (view.seen.hasNoticeChannel ? undefined : planned.announcedAt);
  // While nobody took it the best that can still come is that it is taken now.
  const counts = accepted ?? now;
  const announcedAt = counts > planned.announcedAt + GRACE ? counts : planned.announcedAt;
  const late = moved.start !== undefined && moved.start < announcedAt + promised;
  const start = late ? first(Math.max(announcedAt + promised, now)) : moved.start;
  if (accepted === undefined) {
    if (start !== undefined) wakes.push(start - promised + 1);
    return late ? { ...moved, start, planned: { ...planned, start } } : moved;
  }
  const told = { ...announced, noticeAcceptedAt: isoUp(accepted) };
  return {
    change: moved.change,
    start,
    planned: { ...planned, announcedAt, start: late ? start : planned.start },
    announced: { ...told, decidedBy: decider(told) },
  };
}

export const acceptedAt = ({ inventory }: SiteView, notice: Upgrade["notice"]): Instant | undefined => {
  if (notice === undefined) return undefined;
  const known = inventory.notices.get(notice.id)?.acceptedAt;
  return known ?? (notice.acceptedAt === undefined ? undefined : at(notice.acceptedAt));
};

const decider = ({ release, seen, rampOpened, noticeAcceptedAt }: NonNullable<Upgrade["announced"]>) =>
  announcement({
    release: at(release),
    seen: at(seen),
    ...(rampOpened === undefined ? {} : { rampOpened: at(rampOpened) }),
    ...(noticeAcceptedAt === undefined ? {} : { noticeAcceptedAt: at(noticeAcceptedAt) }),
  }).decidedBy;

/** The ledger with its plan: the occurrence, the site's own start in it, the notice of exactly that. */
function placed(view: SiteView, upgrade: Upgrade, { planned, change, start, announced }: Plan, now: Instant): Upgrade {
  const { planned: _, change: __, window, start: own, localStart, lastStart, notice: ___, ...rest } = upgrade;
  const rollout = rolloutOf(view, upgrade)!;
  const sockets = remaining(view);
  const occurrence = start === undefined ? undefined : nextOccurrence(view, rollout, sockets, start);
  const found = occurrence?.start === start ? occurrence : undefined;
  const same = window !== undefined && start !== undefined && at(window.start) === start;
  const kept = {
    ...(window && { window }),
    ...(own && { start: own }),
    ...(localStart && { localStart }),
    ...(lastStart && { lastStart }),
  };
  // A start that the rule of today does not know stands only while the change rests, or has begun already: with the times that it had.
  const frozen = same && (found === undefined || at(window.start) <= now);
  const times = frozen ? kept : found === undefined ? {} : timesIn(view, rollout, sockets, found);
  const notice = planNotice(view, upgrade, change === undefined ? start : undefined);
  const step = upgrade.step === "Announced" && start !== undefined && announced.noticeAcceptedAt !== undefined ? "Scheduled" : upgrade.step;
  return {
    ...rest,
    step,
    since: step === upgrade.step ? upgrade.since : iso(now),
    announced,
    planned: {
      ...(planned.start === undefined ? {} : { start: iso(planned.start) }),
      announcedAt: isoUp(planned.announcedAt),
      rule: planned.rule,
    },
    ...(change === undefined ? {} : { change: { rule: change.rule, since: iso(change.since) } }),
    ...times,
    ...(notice === undefined ? {} : { notice }),
  };
}

function timesIn(
  view: SiteView,
  rollout: Parameters<typeof ownStart>[1],
  sockets: Parameters<typeof ownStart>[2],
  found: Parameters<typeof ownStart>[3],
) {
  const start = Math.floor(ownStart(view, rollout, sockets, found) / SECOND) * SECOND;
  return {
    window: { start: iso(found.start), end: iso(found.end) },
    start: iso(start),
    localStart: formatZoned(start, view.zone),
    lastStart: iso(Math.max(start, lastStartOf(view, found))),
  };
}
