import type { Instant } from "../decision.ts";
import { noticeId, type NoticeKind } from "../socket/notice.ts";
import { at, iso, isoUp, type SiteView, type Upgrade } from "./view.ts";

type PlanNotice = NonNullable<Upgrade["notice"]>;

/** Kinds of notices about a planned start. */
const KINDS = ["Planned", "Moved", "Skipped", "Withdrawn"] as const satisfies readonly NoticeKind[];

/**
 * The notice for a planned start (rules W3, W7): that of before as long as it tells the same start, with its acceptance; else a new one.
 * Undefined start: nothing new is told, because none is known or a change still rests.
 */
export function planNotice(view: SiteView, { notice, version, step }: Upgrade, start: Instant | undefined): PlanNotice | undefined {
  if (start === undefined || (notice !== undefined && at(notice.start) === start)) return notice && heard(view, notice);
  const kind = notice === undefined ? "Planned" : step === "Skipped" ? "Skipped" : "Moved";
  return heard(view, { id: noticeId(view.seen.site.uid, kind, version, start), start: iso(start) });
}

/** Status is the first copy of an acceptance: a restored inventory has forgotten it. */
export function heard({ inventory }: SiteView, notice: PlanNotice): PlanNotice {
  const accepted = inventory.notices.get(notice.id)?.acceptedAt;
  return accepted === undefined || notice.acceptedAt !== undefined ? notice : { ...notice, acceptedAt: isoUp(accepted) };
}

/** Which kind a notice of the ledger is: its id tells. */
export const kindOf = (view: SiteView, { version }: Upgrade, notice: PlanNotice): NoticeKind | undefined =>
  KINDS.find((kind) => noticeId(view.seen.site.uid, kind, version, at(notice.start)) === notice.id);
