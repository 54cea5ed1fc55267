import type { TunnelReport } from "../../api/tunnel-site.ts";
import type { Instant } from "../decision.ts";
import { HOUR, MINUTE } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import type { TunnelReading, TunnelSiteObservation } from "./observation.ts";

/** What a PoP last said of a tunnel holds so long without another word; then it is Unknown, and limits the fleet all the same. */
export const TRUSTED_FOR = HOUR;
/** The schema takes as many; a site has two, and one more while it moves. */
export const MOST_TUNNELS = 8;
/** A PoP is asked once a minute: who answered within this does answer, and does not tell of the site. */
const ANSWERS = 3 * MINUTE;

type Claims = Pick<TunnelSiteObservation["site"]["spec"], "primaryPoP" | "secondaryPoP">;

export const claimedPoPs = ({ primaryPoP, secondaryPoP }: Claims): readonly string[] =>
  secondaryPoP === undefined ? [primaryPoP] : [...new Set([primaryPoP, secondaryPoP])];

/**
 * The tunnels that PoPs told of, the new word folded into what was known: an entry changes only when its `up` does, so that a site
 * about which nothing changes is not written (rule G11). What was seen once stays, down or silent, and keeps limiting the fleet (F2);
 * it goes when its PoP does, or when the site does not name that PoP any more and the PoP, which answers, has not told of it for an hour.
 */
export function foldTunnels(seen: TunnelSiteObservation, now: Instant): readonly TunnelReport[] {
  const before = new Map((seen.site.status.tunnels ?? []).map((tunnel) => [tunnel.pop, tunnel]));
  const claimed = new Set(claimedPoPs(seen.site.spec));
  const told = [...seen.readings].filter(([, { report }]) => report !== undefined).map(([pop]) => pop);
  const folded = [...new Set([...before.keys(), ...told])].flatMap((pop): TunnelReport[] => {
    const reading = seen.readings.get(pop);
    const known = before.get(pop);
    if (!seen.pops.has(pop) || (!claimed.has(pop) && isGone(reading, seen.askedMilliseconds))) return [];
    const up = upOf(known, reading, seen.askedMilliseconds);
    return [known?.up === up ? known : { pop, up, seenAt: formatInstant(now) }];
  });
  // The claimed ones first, then those that are known: one Prometheus that tells of every PoP pushes nobody out.
  const rank = ({ pop }: TunnelReport): number => (claimed.has(pop) ? 0 : before.has(pop) ? 1 : 2);
  return folded
    .toSorted((a, b) => rank(a) - rank(b) || (a.pop < b.pop ? -1 : 1))
    .slice(0, MOST_TUNNELS)
    .toSorted((a, b) => (a.pop < b.pop ? -1 : 1));
}

function upOf(known: TunnelReport | undefined, reading: TunnelReading | undefined, askedMilliseconds: number): TunnelReport["up"] {
  const { report } = reading ?? {};
  if (report && report.ageMilliseconds <= TRUSTED_FOR) return report.up ? "True" : "False";
  return known !== undefined && silence(reading, askedMilliseconds) <= TRUSTED_FOR ? known.up : "Unknown";
}

const silence = (reading: TunnelReading | undefined, askedMilliseconds: number): number =>
  reading?.report?.ageMilliseconds ?? askedMilliseconds;

const isGone = (reading: TunnelReading | undefined, askedMilliseconds: number): boolean =>
  silence(reading, askedMilliseconds) > TRUSTED_FOR && (reading?.answeredMilliseconds ?? Number.POSITIVE_INFINITY) <= ANSWERS;
