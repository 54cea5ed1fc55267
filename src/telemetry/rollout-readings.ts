import type { GaugeReading } from "./metrics.ts";
import { firstWait } from "./waiting.ts";

/** What every kind of rollout tells alike: which version it brings, what it waits for first, and until when if that is known. */
export function rolloutReadings(
  labels: { readonly kind: string; readonly name: string },
  version: string,
  holds?: Parameters<typeof firstWait>[0],
): GaugeReading[] {
  const info: GaugeReading = { name: "rollout_info", labels: { ...labels, version }, value: 1 };
  const wait = firstWait(holds);
  if (wait === undefined) return [info];
  return [info, { name: "rollout_waits_until_timestamp_seconds", labels: { ...labels, reason: wait.reason }, value: wait.until }];
}
