import type { Instant } from "../decision.ts";
import { rolloutDigest } from "./digest.ts";
import { iso, type Outcome } from "./outcome.ts";
import type { RolloutView } from "./view.ts";

/** When it was first seen, by our own clock: no announcement counts from earlier than this (rule W3). And what Approvals of it name (F8). */
export function firstSight(view: RolloutView, now: Instant): Outcome | undefined {
  const { ledger } = view;
  if (ledger.seenAt !== undefined && ledger.digest !== undefined) return undefined;
  return { ledger: { ...ledger, seenAt: ledger.seenAt ?? iso(now), digest: rolloutDigest(view) } };
}
