import type { RolloutWave } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { byStableHash } from "../rollout/order.ts";
import { HOUR } from "../time/civil.ts";
import { type Eligibility, eligibilityOf } from "./eligibility.ts";
import { isExposed, reachedIndex } from "./exposed.ts";
import { liftedFor } from "./freezes-lifted.ts";
import type { RolloutPop } from "./observation.ts";
import { firstStart } from "./first-start.ts";
import { EXPOSED, type RolloutView } from "./view.ts";

/** PoPs whose windows open within so much of each other open together; which comes first is then for the hash. */
const TOGETHER = 3 * HOUR;
/** A rollout reaches at most so many PoPs; the schema says the same. */
const MOST_POPS = 1000;

/** One PoP that a wave takes, and when it can begin. */
export interface Picked {
  readonly pop: RolloutPop;
  /** Undefined: no usable window is left; for content and emergencies now. */
  readonly start: Instant | undefined;
  /** When its window opens next, for the order; absent: it only still runs, or none is left. */
  readonly opens?: Instant;
  readonly retry?: { readonly at: string; readonly approval: string };
}

/** Whom a wave would take if it opened now, in the order in which they are picked. */
export interface Pick {
  readonly members: readonly Picked[];
  /** PoPs that belong to it and get nothing: they have it already, or may not get it. */
  readonly others: readonly { readonly pop: RolloutPop; readonly eligibility: Exclude<Eligibility, { kind: "Eligible" }> }[];
}

/**
 * Members of a wave, chosen when it opens (rules F1, G4, G7): a count of those that are left, a cumulative share of all, or those with
 * the labels. PoPs that may not get the version take no place; they are told of in the wave that names them, else in the last one.
 */
export function pickFor(view: RolloutView, name: string, now: Instant): Pick {
  const left = [...view.pops.values()].filter((pop) => !pop.deleting && !view.assigned.has(pop.name));
  const judged = left.map((pop) => ({ pop, eligibility: eligibilityOf(view, pop, now) }));
  const lifted = liftedFor(view, name);
  const eligible = judged.flatMap(({ pop, eligibility }) =>
    eligibility.kind === "Eligible"
      ? [
          {
            pop,
            start: undefined,
            ...firstStart(view, pop, lifted, now),
            ...(eligibility.retry === undefined ? {} : { retry: eligibility.retry }),
          },
        ]
      : [],
  );
  const others = judged.flatMap(({ pop, eligibility }) => (eligibility.kind === "Eligible" ? [] : [{ pop, eligibility }]));
  const room = MOST_POPS - view.assignments.length;
  if (name === EXPOSED)
    return {
      members: ordered(
        view,
        "EarliestWindow",
        eligible.filter(({ pop }) => isExposed(view, pop)),
      ).slice(0, room),
      others: [],
    };
  const index = view.spec.waves.findIndex((wave) => wave.name === name);
  const wave = view.spec.waves[index];
  if (wave === undefined) return { members: [], others: [] };
  const last = index === view.spec.waves.length - 1;
  const members = chosen(view, wave, index, ordered(view, wave.pick ?? (last ? "StableHash" : "EarliestWindow"), eligible)).slice(0, room);
  const belongs = (pop: RolloutPop) => (wave.pops.matchLabels ? hasLabels(pop, wave.pops.matchLabels) : last);
  return { members, others: others.filter(({ pop }) => belongs(pop)).slice(0, room - members.length) };
}

function chosen(view: RolloutView, { pops }: RolloutWave, index: number, inOrder: readonly Picked[]): readonly Picked[] {
  const before = reachedBefore(view, index, inOrder);
  if (pops.matchLabels) return inOrder.filter(({ pop }) => hasLabels(pop, pops.matchLabels!));
  if (pops.count !== undefined) return before.slice(0, pops.count);
  const taken = view.assignments.filter(({ state, reason }) => state !== "Skipped" && reason !== "AlreadyThere").length;
  const target = Math.ceil(((taken + inOrder.length) * pops.percent!) / 100);
  return before.slice(0, Math.max(0, target - taken));
}

/** Up to the wave that the faulty rollout had reached, its PoPs come first: nobody waits twice for a wave already baked (rule F5). */
function reachedBefore(view: RolloutView, index: number, inOrder: readonly Picked[]): readonly Picked[] {
  if (view.mends === undefined || index > reachedIndex(view)) return inOrder;
  const reached = new Set(view.mends.waves.flatMap(({ state, pops }) => (state === "Pending" ? [] : pops)));
  return [...inOrder.filter(({ pop }) => reached.has(pop.name)), ...inOrder.filter(({ pop }) => !reached.has(pop.name))];
}

export const hasLabels = (pop: RolloutPop, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(labels).every(([name, value]) => pop.labels[name] === value);

/** By stable hash, or first those whose window opens first from now on; within three hours the hash decides (rules F1, G7). */
function ordered(view: RolloutView, by: "EarliestWindow" | "StableHash", picked: readonly Picked[]): readonly Picked[] {
  const hashed = byStableHash(picked, ({ pop }) => pop.uid, [view.uid, view.version]);
  if (by === "StableHash" || !view.windowed) return hashed;
  const byStart = [...hashed].sort((a, b) => (a.opens ?? Infinity) - (b.opens ?? Infinity) || 0);
  const rank = new Map(hashed.map(({ pop }, index) => [pop.uid, index]));
  const groups: Picked[][] = [];
  for (const one of byStart) {
    const group = groups.at(-1);
    const opens = group?.[0]?.opens;
    const together = opens === undefined ? group !== undefined && one.opens === undefined : (one.opens ?? Infinity) < opens + TOGETHER;
    if (group && together) group.push(one);
    else groups.push([one]);
  }
  return groups.flatMap((group) => group.sort((a, b) => rank.get(a.pop.uid)! - rank.get(b.pop.uid)!));
}
