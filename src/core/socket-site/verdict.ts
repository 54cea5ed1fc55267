import type { SocketSiteStatus } from "../../api/socket-site.ts";
import type { Instant } from "../decision.ts";
import type { Outcome } from "./outcome.ts";
import { iso, type SiteView } from "./view.ts";

type Verdict = NonNullable<SocketSiteStatus["verdicts"]>[number];

/** A Socket that failed in so many windows has its verdict (rules G8, S5). */
const WINDOWS = 2;
const MOST_VERDICTS = 16;

/** The revision has a failed verdict on this Socket, in status or in the inventory: losing one of them forgets none. */
export const hasFailed = ({ ledger, inventory }: SiteView, serial: string, revision: string): boolean =>
  [...(ledger.verdicts ?? []), ...inventory.verdicts].some((one) => one.failed && one.serial === serial && one.revision === revision);

/** The verdicts after one more failed window (rule S5): the first failure is none yet. */
export function afterFailure(
  verdicts: readonly Verdict[] | undefined,
  { serial, revision, reason }: Pick<Verdict, "serial" | "revision" | "reason">,
  now: Instant,
): Verdict[] {
  const before = verdicts?.find((one) => one.serial === serial && one.revision === revision);
  const failedWindows = (before?.failedWindows ?? 0) + 1;
  const next: Verdict = { serial, revision, failedWindows, failed: failedWindows >= WINDOWS, at: iso(now), reason };
  const others = (verdicts ?? []).filter((one) => one !== before);
  // Only failures that were no verdict yet are forgotten for want of room, the oldest first.
  const spared = others.length < MOST_VERDICTS ? undefined : (others.find(({ failed }) => !failed) ?? others[0]);
  return [...others.filter((one) => one !== spared), next];
}

/**
 * The inventory keeps failed verdicts too, for a site that is made anew (rule G8); repeated until they are seen there. Of a serial that
 * is no longer of this site or account the inventory shows nothing (rule I15): it would be recorded again at every look, for ever.
 */
export function recordVerdicts({ ledger, inventory }: SiteView): Outcome | undefined {
  const isKnown = ({ serial, revision }: Verdict): boolean =>
    inventory.verdicts.some((known) => known.failed && known.serial === serial && known.revision === revision);
  const missing = (ledger.verdicts ?? []).filter((one) => one.failed && inventory.devices.has(one.serial) && !isKnown(one));
  return {
    actions: missing.map(({ serial, revision, failed, reason }) => ({ kind: "RecordVerdict", serial, revision, failed, reason })),
  };
}
