import type { Instant } from "../decision.ts";
import { HOUR, MINUTE } from "../time/civil.ts";

const LONGEST_NOTICE = 336 * HOUR;
/** A channel that takes the notice this soon does not move the announcement. */
const ACCEPTANCE_GRACE = 15 * MINUTE;

/**
 * Whether an occurrence may be chosen (rule W3): from the announcement to its start the whole notice passes, in elapsed milliseconds;
 * equal is enough. With a notice of 0 it still must not have begun when it was announced.
 */
export function noticeElapsed(start: Instant, announcedAt: Instant, notice: number): boolean {
  return start - announcedAt >= notice;
}

/** The notice that counts, in milliseconds: the provider's floor, or the account's own when that is longer, at most 336 h (rule W3). */
export function effectiveNotice(floor: number, own: number | undefined): number {
  return Math.min(Math.max(floor, own ?? 0), Math.max(floor, LONGEST_NOTICE));
}

/** The instants of which the latest is the announcement; those that do not apply are left out. */
export interface AnnouncementInstants {
  /** As the rollout says. */
  readonly release: Instant;
  /** When the controller first saw the rollout, by its own clock. */
  readonly seen: Instant;
  /** When the ramp reached the site. */
  readonly rampOpened?: Instant;
  /** When the first configured channel took the notice. */
  readonly noticeAcceptedAt?: Instant;
}

/** The announcement for one site, and which of the four instants decides it (rule W3). */
export function announcement(instants: AnnouncementInstants): { readonly at: Instant; readonly decidedBy: keyof AnnouncementInstants } {
  let decidedBy: keyof AnnouncementInstants = "release";
  if (instants.seen > instants.release) decidedBy = "seen";
  if ((instants.rampOpened ?? -Infinity) > instants[decidedBy]) decidedBy = "rampOpened";
  const accepted = instants.noticeAcceptedAt ?? -Infinity;
  if (accepted > instants[decidedBy]! + ACCEPTANCE_GRACE) decidedBy = "noticeAcceptedAt";
  return { at: instants[decidedBy]!, decidedBy };
}
