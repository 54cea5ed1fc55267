import type { Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";

/** What is told to an account about one of its sites (rules W3, W7, S4, S6, S14). */
export const NOTICE_KINDS = ["Planned", "Moved", "Withdrawn", "Skipped", "StoryOpened", "StoryResolved", "Failed"] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** One notice. Its id is of what it says, so whoever repeats it repeats the id, and receivers drop it. */
export interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly account: string;
  readonly site: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly version?: string;
  /** The site's Sockets, and what they run; a version that is not known is left out. */
  readonly sockets?: readonly { readonly serial: string; readonly version?: string }[];
  /** The planned start that it is about. */
  readonly start?: Instant;
  readonly zone: string;
  /** One sentence for people. */
  readonly message: string;
  readonly releaseNotes?: string;
}

/** One notice per (site, planned start, kind): rule I9. `about` is the start, or the id of a story or command. */
export const noticeId = (siteUid: string, kind: NoticeKind, version: string, about: Instant | string): string =>
  stableHash([siteUid, kind, version, about], 26);
