import type { PopClusterStatus } from "../../api/pop-cluster.ts";
import { momentText } from "./moment.ts";

/** A hold as it stands in a status. */
export type ShownHold = NonNullable<PopClusterStatus["holds"]>[number];

/** The holds in their order, each with its own earliest time (rule G2). */
export const holdLines = (holds: readonly ShownHold[], zone: string | undefined): string[] =>
  holds.map((hold, index) => `${index + 1}. ${holdText(hold, zone)}`);

export function holdText({ rule, reason, message, until }: ShownHold, zone: string | undefined): string {
  const when = until === undefined ? "no time is known" : `not before ${momentText(until, zone)}`;
  return `${reason} (rule ${rule}): ${message}; ${when}`;
}
