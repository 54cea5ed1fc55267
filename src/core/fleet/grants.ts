import type { Disruption, WaitingForGrant } from "../../api/fleet.ts";
import type { Hold, Instant } from "../decision.ts";
import { stableHash } from "../rollout/order.ts";
import { formatInstant } from "../time/instant.ts";
import { capacityFloor, concurrentLimit, nameList, regionLimit, rollbackLimit, type Asker, type Standing } from "./limits.ts";
import type { FleetObservation } from "./observation.ts";
import { partnerFirst, partnerLimit, waitsForPartners } from "./partners.ts";

export interface Granting {
  readonly granted: readonly Disruption[];
  readonly waiting: readonly WaitingForGrant[];
}

/** What holds every roll forward of the fleet: its pause, or a spec that cannot be read. Rollbacks go on (rule G13). */
export type Brake = Hold | undefined;

/**
 * Gives grants in a stable order (rules G14, F10): rollbacks, those with more failed sessions first; unfinished pieces, emergencies,
 * regular rolls; among equals who waits longest, then by hash. Who is held by its region or by its own size is passed over; who waits
 * only for what others hold keeps those behind it from taking that away for ever: the smaller ones its capacity, and its partners the
 * moment in which none of them is disrupted (L3).
 */
export function grant(seen: FleetObservation, kept: readonly Disruption[], brake: Brake, now: Instant): Granting {
  const granted: Disruption[] = [];
  const waiting: WaitingForGrant[] = [];
  const first: { Roll?: WaitingForGrant; Rollback?: WaitingForGrant } = {};
  const before = new Map((seen.fleet.status.waiting ?? []).map((entry) => [`${entry.uid}/${entry.id}`, entry.since]));
  const sinceOf = ({ uid, grant: { id } }: Asker): string => before.get(`${uid}/${id}`) ?? formatInstant(now);
  for (const asker of inOrder(askersOf(seen, kept), sinceOf)) {
    const standing: Standing = { spec: seen.fleet.spec, pops: seen.pops, partners: seen.partners, disruptions: [...kept, ...granted] };
    const { kind, id } = asker.grant;
    const hold = firstHold(standing, asker, brake, waiting) ?? partnerFirst(standing, asker, first[kind]);
    if (hold === undefined) {
      granted.push(entryOf(asker, now));
      continue;
    }
    const { rule, reason, message } = hold;
    const place = { pop: asker.name, uid: asker.uid, id, kind, since: sinceOf(asker), rule, reason, message };
    const entry: WaitingForGrant = { ...place, ...waitsForPartners(standing, asker) };
    if (first[kind] === undefined && waitsForOthers(standing, asker, brake)) first[kind] = entry;
    waiting.push(entry);
  }
  return { granted, waiting };
}

/** Would it have its grant if nobody held one? Else it waits for nodes, for a person or for a pause to end, and keeps nobody. */
const waitsForOthers = (standing: Standing, asker: Asker, brake: Brake): boolean =>
  firstHold({ ...standing, disruptions: [] }, asker, brake, []) === undefined;

/** Who asked and holds nothing yet. A PoP that is being deleted starts nothing any more. */
function askersOf({ pops }: FleetObservation, kept: readonly Disruption[]): readonly Asker[] {
  const held = ({ uid, grant: { id } }: Asker): boolean => kept.some((entry) => entry.uid === uid && entry.id === id);
  return pops.filter((pop): pop is Asker => pop.grant?.state === "Asked" && !pop.deleting).filter((asker) => !held(asker));
}

function inOrder(askers: readonly Asker[], sinceOf: (asker: Asker) => string): readonly Asker[] {
  return askers
    .map((asker) => ({ asker, key: [rankOf(asker), sinceOf(asker), stableHash([asker.uid, asker.grant.id], 24)] as const }))
    .toSorted((a, b) => a.key[0] - b.key[0] || moreFailed(a.asker, b.asker) || compare(a.key[1], b.key[1]) || compare(a.key[2], b.key[2]))
    .map(({ asker }) => asker);
}

const moreFailed = (a: Asker, b: Asker): number => (a.grant.kind === "Rollback" ? b.failedSessions - a.failedSessions : 0);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function rankOf({ grant: { kind }, unfinished, emergency }: Asker): number {
  if (kind === "Rollback") return 0;
  if (unfinished) return 1;
  return emergency ? 2 : 3;
}

function firstHold(standing: Standing, asker: Asker, brake: Brake, waiting: readonly WaitingForGrant[]): Hold | undefined {
  const earlier = earlierGrant(standing, asker);
  if (earlier) return earlier;
  if (asker.grant.kind === "Rollback")
    return partnerLimit(standing, asker, waiting) ?? rollbackLimit(standing, asker) ?? capacityFloor(standing, asker);
  return (
    brake ??
    partnerLimit(standing, asker, waiting) ??
    rollbacksFirst(waiting) ??
    concurrentLimit(standing, asker) ??
    regionLimit(standing, asker) ??
    capacityFloor(standing, asker) ??
    reservedCapacity(standing, waiting)
  );
}

/** One PoP has one entry, also under a new UID: the old one may still have a node in hand. */
function earlierGrant({ disruptions }: Standing, asker: Asker): Hold | undefined {
  const entry = disruptions.find(({ pop, uid }) => uid === asker.uid || pop === asker.name);
  if (entry === undefined) return undefined;
  return {
    rule: "G14",
    reason: "RegionBusy",
    message: `grant ${entry.id} of ${entry.pop} still stands in the ledger; it is struck when its end is known`,
  };
}

/** Nothing rolls forward while a PoP waits to go back (rules G13, F10). */
function rollbacksFirst(waiting: readonly WaitingForGrant[]): Hold | undefined {
  const first = waiting.filter(({ kind }) => kind === "Rollback").map(({ pop }) => pop);
  if (first.length === 0) return undefined;
  return { rule: "F10", reason: "RegionBusy", message: `rollbacks go first, and ${nameList(first)} waits for one` };
}

/**
 * Somebody earlier waits for capacity that the granted PoPs will give back: a smaller roll may not take it first. Who would not fit
 * even with all of that back waits for nodes or for a person, and keeps nobody.
 */
function reservedCapacity({ spec, pops, partners, disruptions }: Standing, waiting: readonly WaitingForGrant[]): Hold | undefined {
  const disrupted = new Set(disruptions.map(({ uid }) => uid));
  const whole = pops.map((pop) => (pop.members && disrupted.has(pop.uid) ? { ...pop, members: { ...pop.members, out: 0 } } : pop));
  const first = waiting
    .filter(({ kind, reason }) => kind === "Roll" && reason === "BudgetExhausted")
    .find(({ uid }) => {
      const asker = whole.find((pop): pop is Asker => pop.uid === uid && pop.grant !== undefined);
      return asker?.members !== undefined && capacityFloor({ spec, pops: whole, partners, disruptions: [] }, asker) === undefined;
    });
  if (first === undefined) return undefined;
  return { rule: "F3", reason: "RegionBusy", message: `${first.pop} waits for capacity since ${first.since} and comes first` };
}

function entryOf({ name, uid, region, grant: { id, kind } }: Asker, now: Instant): Disruption {
  return { pop: name, uid, id, kind, ...(region === undefined ? {} : { region }), since: formatInstant(now) };
}
