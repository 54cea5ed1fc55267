import type { Instant } from "../decision.ts";
import { type Notice, noticeId, type NoticeKind } from "../socket/notice.ts";
import { WEEK } from "../time/civil.ts";
import { describeInstant } from "../time/format.ts";
import type { SocketSiteAction } from "./action.ts";
import type { Outcome } from "./outcome.ts";
import { heard, kindOf } from "./plan-notice.ts";
import { type Story, STORY_TITLE } from "./story.ts";
import { at, rolloutOf, type SiteView, type Upgrade, withUpgrade } from "./view.ts";

/** What is news for so long; later nobody is woken with it. */
const NEWS = WEEK;

/**
 * What the account has to be told (rules W3, W7, S4, S5, S6): each until a channel took it, and never again (rule I9). Without a channel
 * status and calendar tell it.
 */
export function notices(view: SiteView, now: Instant): Outcome | undefined {
  const { upgrade } = view;
  const kept = upgrade?.notice && heard(view, upgrade.notice);
  const ledger = kept === upgrade?.notice ? {} : { ledger: withUpgrade(view.ledger, { ...upgrade!, notice: kept! }) };
  if (!view.seen.hasNoticeChannel || view.problems.some(({ reason }) => reason === "NoAccount" || reason === "SerialNotOwned"))
    return ledger;
  // What failed first: that it moved to another day is its consequence.
  const due = [...failureNotices(view, now), ...planNotices(view), ...storyNotices(view, now)];
  const open = due.filter(({ id }) => !view.inventory.notices.has(id));
  return { ...ledger, actions: open.map((notice): SocketSiteAction => ({ kind: "SendNotice", notice })) };
}

function noticeOf(view: SiteView, kind: NoticeKind, id: string, message: string, more: Partial<Notice>): Notice {
  const { namespace, name, uid } = view.seen.site;
  const sockets = view.sockets.map(({ serial, version }) => ({ serial, ...(version === undefined ? {} : { version: version.text }) }));
  return { id, kind, account: view.seen.account ?? "", site: { namespace, name, uid }, sockets, zone: view.zone, message, ...more };
}

function planNotices(view: SiteView): readonly Notice[] {
  const { upgrade } = view;
  const { notice } = upgrade ?? {};
  if (upgrade === undefined || notice === undefined || notice.acceptedAt !== undefined) return [];
  const kind = kindOf(view, upgrade, notice);
  // What has begun, or is over, is not announced any more.
  if (kind === undefined || (kind !== "Withdrawn" && upgrade.planned === undefined)) return [];
  const start = at(notice.start);
  const { releaseNotes } = rolloutOf(view, upgrade)?.spec ?? {};
  const more = { version: upgrade.version, start, ...(releaseNotes === undefined ? {} : { releaseNotes }) };
  return [noticeOf(view, kind, notice.id, planSentence(view, upgrade, kind, start), more)];
}

function planSentence({ seen, zone }: SiteView, { version, message }: Upgrade, kind: NoticeKind, start: Instant): string {
  const site = seen.site.spec.displayName ?? seen.site.name;
  const when = describeInstant(start, zone);
  if (kind === "Withdrawn")
    return `${site}: the upgrade to ${version} planned for ${when} does not take place: ${message ?? "it was withdrawn"}.`;
  if (kind === "Skipped") return `${site}: the upgrade to ${version} was skipped and is planned for the window that opens ${when}.`;
  if (kind === "Moved") return `${site}: the upgrade to ${version} moved; it is planned for the window that opens ${when}.`;
  return `${site} is upgraded to ${version} in the window that opens ${when}.`;
}

function storyNotices(view: SiteView, now: Instant): readonly Notice[] {
  const { story, history = [] } = view.ledger.ha ?? {};
  const uid = view.seen.site.uid;
  const idOf = (kind: NoticeKind, { id }: Story): string => noticeId(uid, kind, "", id);
  const opened = story === undefined ? [] : [noticeOf(view, "StoryOpened", idOf("StoryOpened", story), storySentence(story), {})];
  const closed = history.filter(({ resolvedAt }) => resolvedAt !== undefined && now - at(resolvedAt) < NEWS);
  const message = `${STORY_TITLE}: resolved; both Sockets run the same major.`;
  return [...opened, ...closed.map((one) => noticeOf(view, "StoryResolved", idOf("StoryResolved", one), message, {}))];
}

const storySentence = ({ lower, higher, steps }: Story): string =>
  `${STORY_TITLE}: ${lower.serial} runs ${lower.version}, ${higher.serial} ${higher.version}. ${steps.join(" ")}`;

/** A version that failed on a Socket, and a device that began to install after its end (rules S5, S14). */
function failureNotices(view: SiteView, now: Instant): readonly Notice[] {
  return (view.ledger.sockets ?? []).flatMap(({ serial, lastAttempt }) => {
    if (lastAttempt === undefined || now - at(lastAttempt.endedAt) >= NEWS) return [];
    const { command, version, outcome, reason } = lastAttempt;
    if (outcome !== "Failed" && reason !== "LateStart") return [];
    const message =
      outcome === "Failed"
        ? `${serial}: version ${version} failed (${reason ?? "no reason was given"}); it runs what it ran before.`
        : `${serial}: version ${version} was installed after the end of its window.`;
    return [noticeOf(view, "Failed", noticeId(view.seen.site.uid, "Failed", version, command), message, { version })];
  });
}
