import type { Instant } from "../../core/decision.ts";
import type { NoUpdateReason } from "../../core/client/no-update.ts";

/** What a Client was offered. */
export interface OfferEntry {
  readonly at: Instant;
  readonly rollout: string;
  readonly version: string;
  /** By which stage, as the gateway says. */
  readonly stage: string;
  /** What it ran when it was offered. */
  readonly on: string;
}

/** What a Client wrote down itself: the truth that claims and properties are judged by. Calendar instants. */
export interface ClientLedger {
  readonly offered: OfferEntry[];
  /** What it has run, from when on; the first one is what it ran when it was bought. */
  readonly ran: { readonly from: Instant; readonly version: string }[];
  readonly failed: { readonly at: Instant; readonly version: string; readonly errorCode: number }[];
  /** What it was answered: one entry from the first to the last check-in in a row that was answered alike. */
  readonly heard: { readonly from: Instant; to: Instant; readonly said: "Offer" | NoUpdateReason; readonly version: string | undefined }[];
  checkIns: number;
  /** Nobody answered. */
  unanswered: number;
}

/** What it ran at that instant. */
export function ranAt({ ran }: ClientLedger, at: Instant): string {
  return (ran.findLast(({ from }) => from <= at) ?? ran[0]!).version;
}
