import { WAITING_REASONS, type WaitingReason } from "../api/reasons.ts";
import type { GaugeReading } from "./metrics.ts";

interface Hold {
  readonly reason: string;
  readonly until?: string | undefined;
}

/** What something waits for: the first of its holds, where that is one of the closed list (rule G2). */
export function waitingReason([first]: readonly Hold[] = []): WaitingReason | undefined {
  return first !== undefined && Object.hasOwn(WAITING_REASONS, first.reason) ? (first.reason as WaitingReason) : undefined;
}

/** The same, and until when in seconds, 0 if that is not known: a row about a roll says it without `rollward explain`. */
export function firstWait(holds: readonly Hold[] = []): { readonly reason: WaitingReason; readonly until: number } | undefined {
  const reason = waitingReason(holds);
  const until = holds[0]?.until;
  return reason && { reason, until: until === undefined ? 0 : Date.parse(until) / 1_000 };
}

/** How many of a kind wait, by reason. */
export const waitingReadings = (kind: string, reasons: readonly WaitingReason[]): GaugeReading[] =>
  [...Map.groupBy(reasons, (reason) => reason)].map(([reason, all]) => ({ name: "waiting", labels: { kind, reason }, value: all.length }));
