import { WAITING_REASONS } from "../api/reasons.ts";
import type { GaugeReading } from "./metrics.ts";

interface Hold {
  readonly reason: string;
  readonly until?: string | undefined;
}

/** What every kind of rollout tells alike: which version it brings, what it waits for first, and until when if that is known. */
export function rolloutReadings(
  labels: { readonly kind: string; readonly name: string },
  version: string,
  [first]: readonly Hold[] = [],
): GaugeReading[] {
  const info: GaugeReading = { name: "rollout_info", labels: { ...labels, version }, value: 1 };
  if (first === undefined || !Object.hasOwn(WAITING_REASONS, first.reason)) return [info];
  const value = first.until === undefined ? 0 : Date.parse(first.until) / 1_000;
  return [info, { name: "rollout_waits_until_timestamp_seconds", labels: { ...labels, reason: first.reason }, value }];
}
