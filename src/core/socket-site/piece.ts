import type { Instant } from "../decision.ts";
import { parseDuration } from "../time/duration.ts";
import { MINUTE } from "../time/civil.ts";
import type { RolloutView } from "../socket/rollout-view.ts";
import type { SiteView, SocketView } from "./view.ts";

/** What one upgrade takes, in milliseconds: expected, or measured where that is longer (rule W4). */
export function timesOf({ spec, measured }: RolloutView): {
  download: number;
  install: number;
  failover: number;
  verify: number;
  whole: number;
} {
  const longer = (expected: string, known = 0): number => Math.max(parseDuration(expected) ?? 0, known);
  return {
    download: longer(spec.expected.download, measured.download),
    install: longer(spec.expected.install),
    failover: longer(spec.expected.failover, measured.failover),
    verify: longer(spec.expected.verify),
    // Measured from the first word of the device to its last, a download that it did not fetch ahead included.
    whole: measured.install ?? 0,
  };
}

/**
 * The piece that must not be cut: these Sockets, one after the other (rule W4), in milliseconds. One that fetches ahead has its download
 * behind it when it starts (rule S13).
 */
export function pieceOf(rollout: RolloutView, sockets: readonly SocketView[]): number {
  const { download, install, failover, verify, whole } = timesOf(rollout);
  const each = sockets.map(({ report }) => Math.max(whole, install + (report?.prefetches === true ? 0 : download)));
  return each.reduce((sum, one) => sum + one, 0) + Math.max(0, sockets.length - 1) * failover + verify;
}

/** What a site gets on top when one of its Sockets began to install after its end the last time, as far as the window holds it (rule S14). */
const LATE_START = 30 * MINUTE;
export const LATE_REASON = "LateStart";

/** The last start of a site in an occurrence: the window's, or earlier where it was late before. */
export function lastStartOf({ ledger }: SiteView, { start, lastStart }: { readonly start: Instant; readonly lastStart: Instant }): Instant {
  const late = ledger.sockets?.some(({ lastAttempt }) => lastAttempt?.reason === LATE_REASON) === true;
  return late ? lastStart - Math.min(LATE_START, Math.max(0, (lastStart - start) / 2)) : lastStart;
}
