import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Announcement } from "../decision.ts";
import { parseDuration } from "../time/duration.ts";
import { announcement, effectiveNotice, noticeElapsed } from "../window/notice.ts";
import type { SocketSiteObservation } from "./observation.ts";
import { at, hasBegun } from "./view.ts";

/**
 * The status written after this observation claims a command that is not due by rule W3: between the announcement and the start of its
 * window less passes than the promised notice. It watches over the decision and is no part of it: it counts from the four instants of
 * the ledger, not from what the plan made of them. What a person asked for needs no notice; the second Socket of a pair that has begun
 * follows the first.
 */
export function claimedTooSoon({ site: { status: before }, fleet, window }: SocketSiteObservation, { upgrade }: SocketSiteStatus): boolean {
  if (upgrade?.command === undefined || upgrade.cause === "Request") return false;
  if (upgrade.command.id === before.upgrade?.command?.id || hasBegun(before.upgrade)) return false;
  const { announced } = upgrade;
  const start = upgrade.window?.start ?? upgrade.planned?.start;
  // Nobody took the notice, or nobody knows the start: then nothing was promised that could have been kept.
  if (announced?.noticeAcceptedAt === undefined || start === undefined) return true;
  const own = window?.spec?.notice === undefined ? undefined : parseDuration(window.spec.notice);
  const { at: counts } = announcement({
    release: at(announced.release),
    seen: at(announced.seen),
    ...(announced.rampOpened === undefined ? {} : { rampOpened: at(announced.rampOpened) }),
    noticeAcceptedAt: at(announced.noticeAcceptedAt),
  });
  return !noticeElapsed(at(start), counts, effectiveNotice(fleet?.minimumNotice ?? 0, own));
}

/** What is told of it, on the site. */
export const lateNotice = (name: string, { upgrade }: SocketSiteStatus): Announcement => ({
  type: "Warning",
  reason: "NoticeLate",
  action: "ClaimCommand",
  message:
    `The upgrade of ${name} was begun with less notice than was promised: its window begins ${upgrade?.window?.start ?? upgrade?.planned?.start ?? "at a time that nobody knows"}, ` +
    `and the notice ${upgrade?.announced?.noticeAcceptedAt === undefined ? "was not taken" : `was taken ${upgrade.announced.noticeAcceptedAt}`}. ` +
    "This is a defect of the operator: pause the SocketRollout, and report it with this event and the status.",
});
