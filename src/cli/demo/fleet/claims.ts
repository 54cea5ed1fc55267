import { FLEET_POPS, LIMITS, REGIONS } from "./cast.ts";
import type { FleetPlay } from "./play.ts";
import { clockReads, isInSundayWindow } from "./wall-clock.ts";

/** What has to be true of every disruption since the chapter began, whoever asked for it (rules F2, F3, W4). */
export async function claimLimitsKept(play: FleetPlay): Promise<void> {
  const { disruptions } = play;
  const { maxConcurrentPoPs, maxConcurrentPerRegion, maxConcurrentRollbacks } = LIMITS;
  await play.claim(`never more than ${maxConcurrentPoPs} PoPs of the fleet were out to roll at once`, () => {
    const { count, who } = disruptions.peak("forward");
    return { holds: count <= maxConcurrentPoPs, found: `${count} at most: ${who}` };
  });
  await play.claim(`never more than ${maxConcurrentPerRegion} PoPs of one region`, () => {
    const peaks = REGIONS.map((region) => ({ region, ...disruptions.peak("forward", region) }));
    const worst = peaks.reduce((most, one) => (one.count > most.count ? one : most));
    return { holds: worst.count <= maxConcurrentPerRegion, found: `${worst.count} at most, in ${worst.region}: ${worst.who}` };
  });
  await play.claim("each PoP was inside its own window, Sunday 01:00 to 05:00 where it is", () => {
    const forward = disruptions.all.filter(({ ran }) => ran !== play.releases.bad);
    const outside = forward.filter(({ pop, from }) => !isInSundayWindow(pop.zone, from));
    const clocks = outside.slice(0, 4).map(({ node, pop, from }) => `${node} at ${clockReads(pop.zone, from)} ${pop.zone}`);
    return {
      holds: forward.length > 0 && outside.length === 0,
      found: outside.length === 0 ? `${forward.length} drains, every one of them` : `${outside.length} outside: ${clocks.join(", ")}`,
    };
  });
  await play.claim("no site with tunnels to two PoPs lost both at once", () => ({
    holds: disruptions.brokenSites.length === 0,
    found: disruptions.brokenSites.join("; ") || "none did",
  }));
  await play.claim(`never more than ${maxConcurrentRollbacks} PoPs that had served the bad version went back at once`, () => {
    const { count, who } = disruptions.peak("back");
    return { holds: count <= maxConcurrentRollbacks, found: `${count} at most: ${who}` };
  });
}

/** Whom the rollout has reached so far runs it, and nobody else does. */
export async function claimOnlyReached(play: FleetPlay, version: string, reached: readonly string[], others: string): Promise<void> {
  await play.claim(`${version} runs on the ${reached.length} PoPs of its waves and on no other; the others run ${others}`, async () => {
    const [on, off] = [await play.popsOn(version), await play.popsOn(others)];
    const same = on.toSorted().join() === reached.toSorted().join();
    return {
      holds: same && on.length + off.length === FLEET_POPS.length,
      found: `${on.join(", ") || "no PoP"}; ${off.length} on ${others}`,
    };
  });
}
