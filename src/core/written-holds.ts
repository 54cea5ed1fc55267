import type { Hold } from "./decision.ts";
import { MESSAGE_LIMIT } from "./conditions.ts";
import { cleanText } from "./text.ts";
import { formatInstant } from "./time/instant.ts";

/** A hold as `status.holds` shows it. */
interface WrittenHold {
  readonly rule: string;
  readonly reason: Hold["reason"];
  readonly message: string;
  /** RFC 3339; absent: no time is known. */
  readonly until?: string;
}

/** The same hold of several nodes or members is told once. */
export const onlyOnce = (holds: readonly Hold[]): Hold[] =>
  holds.filter((hold, index) => holds.findIndex((other) => other.reason === hold.reason && other.message === hold.message) === index);

/**
 * What holds something, as its status writes it: the first `most`, messages stripped and capped (rules G1, G12). Ledgers of PoPs keep
 * milliseconds in their instants and give `instantText`; the others have whole seconds.
 */
export const writtenHolds = (holds: readonly Hold[], most: number, instantText = formatInstant): WrittenHold[] =>
  holds.slice(0, most).map(({ rule, reason, message, until }) => ({
    rule,
    reason,
    message: cleanText(message, MESSAGE_LIMIT),
    ...(until === undefined || !Number.isFinite(until) ? {} : { until: instantText(until) }),
  }));
