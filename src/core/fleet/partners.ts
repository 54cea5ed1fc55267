import type { WaitingForGrant } from "../../api/fleet.ts";
import type { Hold } from "../decision.ts";
import { type Asker, nameList, type Standing } from "./limits.ts";
import type { FleetPop } from "./observation.ts";

/** Of the partners in the ledger so many are named; who is not follows when these have returned. The schema says the same. */
const MOST_PARTNERS = 64;

/** PoPs that share a two-tunnel site with this one and hold a grant, grants given in this pass included; in the order of names. */
export function partnersInHand({ partners, disruptions }: Standing, name: string): readonly string[] {
  const of = partners.get(name);
  if (of === undefined) return [];
  return [...new Set(disruptions.map(({ pop }) => pop).filter((pop) => pop !== name && of.has(pop)))].toSorted();
}

/**
 * Two PoPs of one two-tunnel site are never disrupted together (rule F2): nothing is granted while a partner holds a grant. A roll
 * also waits while a partner is degraded or unreachable, or waits to roll back (rules F3, F10); a rollback does not, for it is the
 * way out.
 */
export function partnerLimit(standing: Standing, asker: Asker, waiting: readonly WaitingForGrant[]): Hold | undefined {
  const of = standing.partners.get(asker.name);
  if (of === undefined) return undefined;
  const [first] = partnersInHand(standing, asker.name);
  if (first !== undefined) return partnerHold(standing, asker, first, "holds a grant");
  if (asker.grant.kind === "Rollback") return undefined;
  const back = waiting.find(({ kind, pop }) => kind === "Rollback" && of.has(pop));
  if (back !== undefined) return partnerHold(standing, asker, back.pop, "waits to roll back, and goes first");
  const broken = standing.pops.filter(({ name }) => name !== asker.name && of.has(name)).find((pop) => isBroken(pop, asker));
  return broken && partnerHold(standing, asker, broken.name, broken.unreachable ? "cannot be reached" : "is degraded");
}

/**
 * Two partners that are both degraded would each keep the other from the version that repairs it, for ever. One after the other they
 * may: a degraded PoP starts nodes that are out, and none that serves before its own budget allows (rule P1).
 */
const isBroken = (partner: FleetPop, asker: Asker): boolean => partner.unreachable || (partner.degraded && !asker.degraded);

/**
 * The first in line would wait for ever for a moment in which none of its partners holds a grant, if those that asked later were
 * served in turns (L3): they wait until it had its own.
 */
export function partnerFirst({ partners }: Standing, asker: Asker, first: WaitingForGrant | undefined): Hold | undefined {
  const sites = first && partners.get(asker.name)?.get(first.pop);
  if (sites === undefined) return undefined;
  return {
    rule: "F10",
    reason: "PartnerDisrupted",
    message: `${first!.pop}, with which it shares ${siteCount(sites)}, waits since ${first!.since} and comes first`,
  };
}

/** What a waiting entry says of partners: those that hold a grant, so that they return it to a rollback. */
export function waitsForPartners(standing: Standing, asker: Asker): { partners?: string[] } {
  const inHand = partnersInHand(standing, asker.name);
  return inHand.length === 0 ? {} : { partners: inHand.slice(0, MOST_PARTNERS) };
}

function partnerHold(standing: Standing, asker: Asker, partner: string, why: string): Hold {
  const sites = standing.partners.get(asker.name)!.get(partner)!;
  const others = partnersInHand(standing, asker.name).filter((name) => name !== partner);
  return {
    rule: "F2",
    reason: "PartnerDisrupted",
    message:
      `${partner}, with which it shares ${siteCount(sites)}, ${why}` +
      (others.length > 0 ? `; so do its partners ${nameList(others)}` : ""),
  };
}

const siteCount = (sites: number): string => (sites === 1 ? "1 site that has two tunnels" : `${sites} sites that have two tunnels`);
