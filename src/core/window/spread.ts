import type { Instant } from "../decision.ts";

/** Mixes 32 bits so that each bit of the input moves each of the output about half the time. */
function mix(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x7feb352d);
  bits = Math.imul(bits ^ (bits >>> 15), 0x846ca68b);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** A stable number in [0, 1) for a text; equal on every machine and in every release (a planned start depends on it). */
export function stableFraction(text: string): number {
  let high = 0x811c9dc5;
  let low = 0x9e3779b9;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = mix(low ^ unit);
  }
  return (mix(high ^ low) * 0x200000 + (mix(low) >>> 11)) / 0x20000000000000;
}

/**
 * When a site starts inside an occurrence (rule W11): spread over [start, last start] by a stable hash of the site and the revision, whole
 * seconds, so that ten thousand sites of one window do not come in its first second, and another revision finds another order.
 */
export function spreadStart(
  siteUid: string,
  revision: string,
  occurrence: { readonly start: Instant; readonly lastStart: Instant },
): Instant {
  const seconds = Math.floor((occurrence.lastStart - occurrence.start) / 1_000);
  if (seconds <= 0) return occurrence.start;
  return occurrence.start + Math.floor(stableFraction(`${siteUid}\n${revision}`) * (seconds + 1)) * 1_000;
}
