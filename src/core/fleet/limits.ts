import type { Disruption, FleetSpec } from "../../api/fleet.ts";
import type { Hold } from "../decision.ts";
import type { AskedGrant, FleetPop, Partners } from "./observation.ts";

/** A PoP that waits for a grant. */
export type Asker = FleetPop & { readonly grant: AskedGrant };

/** What stands at the moment at which one asker is looked at: the ledger with the grants already given in this pass. */
export interface Standing {
  readonly spec: FleetSpec;
  readonly pops: readonly FleetPop[];
  readonly partners: Partners;
  readonly disruptions: readonly Disruption[];
}

const MOST_NAMES = 8;

/** Names for a message, in a fixed order, the rest as a number. */
export function nameList(names: Iterable<string>): string {
  const sorted = [...new Set(names)].toSorted();
  const rest = sorted.length - MOST_NAMES;
  return rest > 0 ? `${sorted.slice(0, MOST_NAMES).join(", ")} and ${rest} more` : sorted.join(", ");
}

/** Regular rolls at once, over the whole fleet; degraded PoPs count, the asker itself does not (rules G14, F3). */
export function concurrentLimit({ spec, pops, disruptions }: Standing, asker: Asker): Hold | undefined {
  const rolling = disruptions.filter(({ kind, uid }) => kind === "Roll" && uid !== asker.uid).map(({ pop }) => pop);
  const busy = new Set([...rolling, ...degradedOthers(pops, asker)]);
  if (busy.size < spec.maxConcurrentPoPs) return undefined;
  return busyHold(`${busy.size} of at most ${spec.maxConcurrentPoPs} PoPs are disrupted or degraded: ${nameList(busy)}`);
}

/** PoPs of one region that are disrupted, in whichever way, or degraded. A PoP without a region is in none. */
export function regionLimit({ spec, pops, disruptions }: Standing, asker: Asker): Hold | undefined {
  if (asker.region === undefined) return undefined;
  const disrupted = disruptions.filter(({ region, uid }) => region === asker.region && uid !== asker.uid).map(({ pop }) => pop);
  const busy = new Set([
    ...disrupted,
    ...degradedOthers(
      pops.filter(({ region }) => region === asker.region),
      asker,
    ),
  ]);
  if (busy.size < spec.maxConcurrentPerRegion) return undefined;
  return busyHold(
    `in region ${asker.region} ${busy.size} of at most ${spec.maxConcurrentPerRegion} PoPs are disrupted or degraded: ${nameList(busy)}`,
  );
}

/** The places kept for rollbacks; nothing else counts against them (rule F10). */
export function rollbackLimit({ spec, disruptions }: Standing, asker: Asker): Hold | undefined {
  const rollingBack = disruptions.filter(({ kind, uid }) => kind === "Rollback" && uid !== asker.uid).map(({ pop }) => pop);
  if (rollingBack.length < spec.maxConcurrentRollbacks) return undefined;
  return busyHold(`${rollingBack.length} of at most ${spec.maxConcurrentRollbacks} PoPs roll back: ${nameList(rollingBack)}`);
}

/**
 * The share of all members that still serves when every granted PoP has out what it may have out (rules G13, F3). A PoP that did not
 * report its members holds: in doubt, hold (G9).
 */
export function capacityFloor({ spec, pops, disruptions }: Standing, asker: Asker): Hold | undefined {
  if (spec.capacityFloorPercent === 0) return undefined;
  if (asker.members === undefined) {
    return {
      rule: "F3",
      reason: "BudgetExhausted",
      message:
        "how many of its nodes serve is not known yet, so capacityFloorPercent cannot be kept; it is decided when the PoP reports them",
    };
  }
  const granted = new Map<string, "Roll" | "Rollback">([
    ...disruptions.map(({ uid, kind }) => [uid, kind] as const),
    [asker.uid, asker.grant.kind],
  ]);
  let total = 0;
  let out = 0;
  for (const pop of pops) {
    if (pop.members === undefined) continue;
    const kind = granted.get(pop.uid);
    total += pop.members.total;
    out += Math.min(pop.members.total, Math.max(pop.members.out, kind === undefined ? 0 : pop.takesOut[kind]));
  }
  // In whole numbers: 90 % of 10 are exactly 9.
  if ((total - out) * 100 >= spec.capacityFloorPercent * total) return undefined;
  return {
    rule: "F3",
    reason: "BudgetExhausted",
    message:
      `with this PoP ${out} of ${total} nodes of the fleet may be out at once, ` +
      `and capacityFloorPercent keeps ${spec.capacityFloorPercent} % serving; ` +
      "it waits until others are done or nodes are back, or write a lower floor or a lower maxUnavailable",
  };
}

const degradedOthers = (pops: readonly FleetPop[], asker: Asker): readonly string[] =>
  pops.filter(({ degraded, uid }) => degraded && uid !== asker.uid).map(({ name }) => name);

const busyHold = (message: string): Hold => ({ rule: "G14", reason: "RegionBusy", message });
