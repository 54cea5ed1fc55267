import type { ClientNumbers } from "../../api/client-rollout.ts";

/** Counted, and nobody. */
export const NOBODY: ClientNumbers = { eligible: 0, offered: 0, attempted: 0, confirmed: 0, failed: 0, unreachable: 0 };

/** Of a stage that has not opened nobody is unreachable: nothing would have been offered to whoever checked in (rule C4). */
export const notYetOpened = (numbers: ClientNumbers): ClientNumbers => ({ ...numbers, unreachable: 0 });

export const sumOf = (one: ClientNumbers = NOBODY, other: ClientNumbers): ClientNumbers => ({
  eligible: one.eligible + other.eligible,
  offered: one.offered + other.offered,
  attempted: one.attempted + other.attempted,
  confirmed: one.confirmed + other.confirmed,
  failed: one.failed + other.failed,
  unreachable: one.unreachable + other.unreachable,
});
