import type { Instant } from "../decision.ts";

/**
 * What a Socket said of itself, as the inventory keeps it. All of it comes from outside: strings are stripped and capped before they
 * are kept (rule G12), and what does not parse is kept as text and counts as unknown.
 */
export interface DeviceReport {
  readonly serial: string;
  /** The account that the provider's registry binds the serial to (rule S3). */
  readonly account: string;
  readonly model?: string;
  readonly version?: string;
  /** When it first reported this version, by our clock; a device's own clock is never asked. */
  readonly versionSeenAt?: Instant;
  readonly ha?: { readonly state: "Active" | "Standby" | "Unknown"; readonly keepalive: boolean };
  readonly pop?: string;
  /** It fetches ahead and waits for its window (rule S13). */
  readonly prefetches: boolean;
  /** Elapsed since it last polled; absent: never, or not since the inventory was restored. */
  readonly polledMilliseconds?: number;
  /** The hint it was given at its last poll: connected = polled within 2 × hint + 30 s. */
  readonly hintMilliseconds: number;
  /** Elapsed since its attributes were reported. */
  readonly attributesMilliseconds?: number;
  /** Gaps in the last 24 h; more than 3: unstable (rule S4). */
  readonly gaps: number;
  /** Since when it polls without a gap. */
  readonly connectedSince?: Instant;
}

const POLL_GRACE = 30_000;

/** Polled this long ago, with this hint then: it is not connected, and its next poll ends a gap (rule S4). Elapsed milliseconds. */
export const isLate = (elapsed: number, hint: number): boolean => elapsed > 2 * hint + POLL_GRACE;
