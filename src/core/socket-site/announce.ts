import type { Instant } from "../decision.ts";
import { compareVersions, parseVersion } from "../../api/version.ts";
import { noticeId } from "../socket/notice.ts";
import { announcement } from "../window/notice.ts";
import { choose, type Candidate, stillEligible } from "./candidate.ts";
import { nextOccurrence, noticeOf, planRule } from "./occurrence.ts";
import type { Outcome } from "./outcome.ts";
import { rampReached } from "./ramp.ts";
import { at, hasBegun, iso, isoUp, rolloutOf, type SiteView, type Upgrade, withUpgrade } from "./view.ts";

/**
 * Which version is announced to the site (rules S9, W3). While nothing is in hand: the newest eligible one, planned from its own
 * announcement. A newer one takes the place of one that waits only if it starts no later; else that one goes first.
 */
export function announce(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade } = view;
  if (view.command !== undefined || hasBegun(upgrade)) return undefined;
  const { candidate, holds } = choose(view);
  // Whose Sockets they are is open: a start that is told now would not be kept. What was announced before stands until that is settled.
  if (upgrade?.planned === undefined && view.problems.some(({ rule }) => rule === "S3")) return { holds };
  const waits = upgrade?.planned !== undefined && upgrade.cause !== "Request" ? upgrade : undefined;
  const kept = waits && stillEligible(view, waits);
  if (candidate === undefined) return kept === true || waits === undefined ? { holds } : { ...withdrawn(view, waits, now), holds };
  if (kept === true && (candidate.rollout.uid === waits.rollout.uid || !replaces(view, candidate, waits, now))) return {};
  const next = announced(view, candidate, now);
  return {
    ledger: withUpgrade(view.ledger, next),
    events: [{ type: "Normal", reason: "Announced", action: "Announce", message: `version ${next.version} is announced to this site` }],
  };
}

const isOlder = (one: string, other: string): boolean => compareVersions(parseVersion(one)!, parseVersion(other)!) < 0;

/** A remedy always; a newer version where it starts no later than the one that waits. */
function replaces(view: SiteView, candidate: Candidate, waits: Upgrade, now: Instant): boolean {
  if (candidate.cause === "Remedy") return true;
  if (!isOlder(waits.version, candidate.rollout.spec.version)) return false;
  const next = announced(view, candidate, now).planned?.start;
  const current = waits.planned?.start;
  return current === undefined || (next !== undefined && at(next) <= at(current));
}

/** A new ledger: the version, its announcement and its first planned start. */
function announced(view: SiteView, { rollout, cause, sockets }: Candidate, now: Instant): Upgrade {
  const reached = cause === "Remedy" ? undefined : rampReached(view.seen.site.uid, rollout);
  const instants = {
    release: rollout.announcedAt,
    seen: rollout.seenAt!,
    ...(reached === undefined ? {} : { rampOpened: reached }),
    // Without a channel it counts as accepted when it stands in status (rule W3).
    ...(view.seen.hasNoticeChannel ? {} : { noticeAcceptedAt: now }),
  };
  const { at: announcedAt, decidedBy } = announcement(instants);
  const start = nextOccurrence(view, rollout, sockets, Math.max(announcedAt + noticeOf(view), now))?.start;
  const { release, seen, rampOpened, noticeAcceptedAt } = instants as Partial<Record<string, Instant>>;
  return {
    version: rollout.spec.version,
    rollout: { name: rollout.name, uid: rollout.uid },
    cause,
    step: "Announced",
    since: iso(now),
    announced: {
      release: iso(release!),
      seen: iso(seen!),
      ...(rampOpened === undefined ? {} : { rampOpened: iso(rampOpened) }),
      ...(noticeAcceptedAt === undefined ? {} : { noticeAcceptedAt: isoUp(noticeAcceptedAt) }),
      decidedBy,
    },
    planned: { ...(start === undefined ? {} : { start: iso(start) }), announcedAt: isoUp(announcedAt), rule: planRule(view) },
  };
}

/** What was planned is not for this site any more: the ledger says why, and the account is told if it was told before. */
function withdrawn(view: SiteView, waits: Upgrade, now: Instant): Outcome {
  const { version, rollout, cause, announced: told, notice, done } = waits;
  const found = rolloutOf(view, waits);
  const stopped = found === undefined || found.stopped !== undefined || !found.accepted;
  const reason = stopped ? "Stopped" : "Superseded";
  const message = stopped
    ? `version ${version} starts nothing more; the start planned for it is withdrawn`
    : `version ${version} is not for this site any more; the start planned for it is withdrawn`;
  const step = "Skipped" as const;
  const next: Upgrade = {
    version,
    rollout,
    cause,
    step,
    since: iso(now),
    reason,
    message,
    ...(told === undefined ? {} : { announced: told }),
    // Only who was told of the start is told that it does not take place.
    ...(notice?.acceptedAt === undefined ? {} : { notice: { id: withdrawalId(view, version, notice.start), start: notice.start } }),
    ...(done === undefined ? {} : { done }),
  };
  return { ledger: withUpgrade(view.ledger, next), events: [{ type: "Warning", reason, action: "Withdraw", message }] };
}

const withdrawalId = ({ seen }: SiteView, version: string, start: string): string =>
  noticeId(seen.site.uid, "Withdrawn", version, at(start));
