import type { Disruption, WaitingForGrant } from "../../api/fleet.ts";
import type { Hold, Instant } from "../decision.ts";
import { formatInstant } from "../time/instant.ts";
import { capacityFloor, concurrentLimit, nameList, regionLimit, rollbackLimit, type Asker, type Standing } from "./limits.ts";
import type { FleetObservation } from "./observation.ts";
import { partnerFirst, partnerLimit, waitsForPartners } from "./partners.ts";
import { askedTogether, isUndecided, queueOf } from "./queue.ts";

export interface Granting {
  readonly granted: readonly Disruption[];
  readonly waiting: readonly WaitingForGrant[];
  /** When those are decided on that asked just now. */
  readonly wakeAt?: Instant;
}

/** What holds every roll forward of the fleet: its pause, or a spec that cannot be read. Rollbacks go on (rule G13). */
export type Brake = Hold | undefined;

/**
 * Gives grants in a stable order (rules G14, F10): rollbacks, those with more failed sessions first; unfinished pieces, emergencies,
 * regular rolls; among equals who waits longest, then by hash (see `queue.ts`). Who is held by its region or by its own size is passed
 * over; who waits only for what others hold keeps those behind it from taking that away for ever: the smaller ones its capacity, and its
 * partners the moment in which none of them is disrupted (L3).
 */
export function grant(seen: FleetObservation, kept: readonly Disruption[], brake: Brake, now: Instant): Granting {
  const granted: Disruption[] = [];
  const promised: Disruption[] = [];
  const waiting: WaitingForGrant[] = [];
  let wakeAt = Infinity;
  const first: { Roll?: WaitingForGrant; Rollback?: WaitingForGrant } = {};
  const before = new Map((seen.fleet.status.waiting ?? []).map((entry) => [`${entry.uid}/${entry.id}`, entry.since]));
  const sinceOf = ({ uid, grant: { id } }: Asker): string => before.get(`${uid}/${id}`) ?? formatInstant(now);
  for (const { asker, decidedAt } of queueOf(askersOf(seen, kept), sinceOf)) {
    const standing: Standing = { spec: seen.fleet.spec, pops: seen.pops, partners: seen.partners, disruptions: [...kept, ...granted] };
    const { kind, id } = asker.grant;
    const held = firstHold(standing, asker, brake, waiting) ?? partnerFirst(standing, asker, first[kind]);
    const undecided = held === undefined && isUndecided(decidedAt, now) && mayBeInTheWay(standing, asker, brake, waiting);
    const hold = held ?? (undecided ? askedTogether() : promisedTo(promised, standing, asker, brake, waiting));
    if (hold === undefined) {
      granted.push(entryOf(asker, now));
      continue;
    }
    if (undecided) {
      promised.push(entryOf(asker, now));
      wakeAt = Math.min(wakeAt, decidedAt);
    }
    const { rule, reason, message } = hold;
    const place = { pop: asker.name, uid: asker.uid, id, kind, since: sinceOf(asker), rule, reason, message };
    const entry: WaitingForGrant = { ...place, ...waitsForPartners(standing, asker) };
    if (first[kind] === undefined && held !== undefined && waitsForOthers(standing, asker, brake)) first[kind] = entry;
    waiting.push(entry);
  }
  return { granted, waiting, ...(Number.isFinite(wakeAt) ? { wakeAt } : {}) };
}

/** Would it have to wait if every other PoP had a grant? If not, nobody who asks a moment later can be in its way, and it need not wait. */
function mayBeInTheWay(standing: Standing, asker: Asker, brake: Brake, waiting: readonly WaitingForGrant[]): boolean {
  const { spec, pops, disruptions } = standing;
  const holders = new Set(disruptions.map(({ uid }) => uid));
  const others = pops.filter(({ uid, deleting }) => uid !== asker.uid && !deleting && !holders.has(uid));
  // Said without a look at each: a fleet has more PoPs than may roll at once.
  if (others.length >= spec.maxConcurrentPoPs) return true;
  const all = others.map((pop): Disruption => entryOf({ ...pop, grant: { id: 0, kind: "Roll" } }, 0));
  return firstHold({ ...standing, disruptions: [...disruptions, ...all] }, asker, brake, waiting) !== undefined;
}

/** What goes first and is not decided on yet keeps its place from those behind it, who would take it in these seconds (rule F10). */
function promisedTo(
  promised: readonly Disruption[],
  standing: Standing,
  asker: Asker,
  brake: Brake,
  waiting: readonly WaitingForGrant[],
): Hold | undefined {
  if (promised.length === 0) return undefined;
  const taken = firstHold({ ...standing, disruptions: [...standing.disruptions, ...promised] }, asker, brake, waiting);
  if (taken === undefined) return undefined;
  const names = nameList(promised.map(({ pop }) => pop));
  return {
    rule: "F10",
    reason: "RegionBusy",
    message: `${names} asked a moment ago and ${promised.length === 1 ? "comes" : "come"} first`,
  };
}

/** Would it have its grant if nobody held one? Else it waits for nodes, for a person or for a pause to end, and keeps nobody. */
const waitsForOthers = (standing: Standing, asker: Asker, brake: Brake): boolean =>
  firstHold({ ...standing, disruptions: [] }, asker, brake, []) === undefined;

/** Who asked and holds nothing yet. A PoP that is being deleted starts nothing any more. */
function askersOf({ pops }: FleetObservation, kept: readonly Disruption[]): readonly Asker[] {
  const held = ({ uid, grant: { id } }: Asker): boolean => kept.some((entry) => entry.uid === uid && entry.id === id);
  return pops.filter((pop): pop is Asker => pop.grant?.state === "Asked" && !pop.deleting).filter((asker) => !held(asker));
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

type Holder = Pick<Asker, "name" | "uid" | "region"> & { readonly grant: Pick<Asker["grant"], "id" | "kind"> };

function entryOf({ name, uid, region, grant: { id, kind } }: Holder, now: Instant): Disruption {
  return { pop: name, uid, id, kind, ...(region === undefined ? {} : { region }), since: formatInstant(now) };
}
