import type { Assignment } from "../../api/pop-rollout.ts";
import type { Hold, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { parseDuration } from "../time/duration.ts";
import { firstStart } from "./first-start.ts";
import { liftedFor } from "./freezes-lifted.ts";
import { pauseHold } from "./gates.ts";
import { frozen, unreadableFreezes, whyNoWindow } from "./no-window.ts";
import type { RolloutPop } from "./observation.ts";
import { iso, type Outcome } from "./outcome.ts";
import { isEnding, isOver, membersOf, moves, type RolloutView } from "./view.ts";
import { counted } from "../text.ts";

/** What an open wave waits for (rules F1, P8): windows of its PoPs, their bake, or a person. Why a PoP does not start is told by the PoP. */
export function waiting(view: RolloutView, now: Instant): Outcome | undefined {
  if (isEnding(view)) return undefined;
  const paused = view.ledger.outcome === undefined || view.ledger.standing ? pauseHold(view) : undefined;
  if (paused) return { holds: [paused] };
  const holds = view.waves.flatMap(({ name, state, bakesFrom }) => (state === "Open" ? holdsOf(view, name, bakesFrom, now) : []));
  return holds.length === 0 ? undefined : { holds };
}

function holdsOf(view: RolloutView, wave: string, bakesFrom: string | undefined, now: Instant): Hold[] {
  const members = membersOf(view, wave);
  const named = (state: string) => members.filter((one) => one.state === state).map(({ pop }) => pop);
  const stopped = named("Stopped");
  if (stopped.length > 0) {
    const message = `wave ${wave} waits for ${listText(stopped)}, where a person or a newer version stopped it; spec.requests.retry goes on there`;
    return [{ rule: "F1", reason: "Stopped", message }];
  }
  if (bakesFrom !== undefined) {
    const bake = parseDuration(view.spec.waves.find(({ name }) => name === wave)?.bake ?? "") ?? 0;
    return [{ rule: "P15", reason: "Baking", message: `wave ${wave} bakes since ${bakesFrom}`, until: Date.parse(bakesFrom) + bake }];
  }
  if (members.every(isOver) || members.some(moves)) return [];
  const held = view.windowed ? [] : frozenHold(view, wave, now);
  const baking = members.filter(({ state }) => state === "Baking");
  if (baking.length > 0) return [bakeHold(view, wave, baking), ...held];
  return view.windowed ? windowHold(view, wave, now) : held;
}

/** Until the last of them has baked, where each PoP's ledger says when: a bake that stands still for want of health has no end yet. */
function bakeHold(view: RolloutView, wave: string, baking: readonly Assignment[]): Hold {
  const ends = baking.map(({ pop }) => view.pops.get(pop)?.run?.bakesUntil);
  const known = ends.flatMap((end) => (end === undefined ? [] : Date.parse(end)));
  const message = `wave ${wave} waits for the bake of ${listText(baking.map(({ pop }) => pop))}`;
  return { rule: "F1", reason: "Baking", message, ...(known.length < ends.length ? {} : { until: Math.max(...known) }) };
}

/** The PoPs of the wave that have not begun. */
const waitingPops = (view: RolloutView, wave: string): RolloutPop[] =>
  membersOf(view, wave).flatMap(({ state, pop }) => (state === "Assigned" ? (view.pops.get(pop) ?? []) : []));

/** No window binds content and an emergency, and freezes do (rules F8, P15): told where one holds every PoP that has not begun. */
function frozenHold(view: RolloutView, wave: string, now: Instant): Hold[] {
  const unreadable = unreadableFreezes(view);
  const pops = waitingPops(view, wave);
  if (pops.length === 0) return [];
  if (unreadable !== undefined) return [{ rule: "W10", reason: "WindowInvalid", message: `wave ${wave} waits: ${unreadable}` }];
  const lifted = liftedFor(view, wave);
  const holds = pops.flatMap((pop) => {
    const hold = frozen(view, pop, lifted, now);
    return hold === undefined ? [] : [{ pop: pop.name, hold }];
  });
  if (holds.length < pops.length) return [];
  const { pop, hold } = holds.toSorted((a, b) => (a.hold.until ?? Infinity) - (b.hold.until ?? Infinity))[0]!;
  const which = pops.length === 1 ? `PoP ${pop}` : `${pops.length} PoPs, of which ${pop} is free first`;
  return [{ ...hold, message: `wave ${wave} waits for ${which}: ${hold.message}; an Approval can lift a freeze by name` }];
}

/** Nobody of the wave has begun, and every window is still to come. */
function windowHold(view: RolloutView, wave: string, now: Instant): Hold[] {
  const pops = waitingPops(view, wave);
  const lifted = liftedFor(view, wave);
  const starts = pops.map((pop) => ({ pop, start: firstStart(view, pop, lifted, now)?.start ?? Infinity }));
  const [first] = starts.toSorted((a, b) => a.start - b.start);
  if (first === undefined || first.start <= now) return [];
  const waits = `wave ${wave} waits for the windows of ${counted(pops.length, "PoP")}`;
  if (!Number.isFinite(first.start)) {
    const message = `${waits}; none of them has a usable one left: ${whyNoWindow(view, pops)}`;
    return [{ rule: "F1", reason: "OutsideWindow", message }];
  }
  const freeze = frozen(view, first.pop, lifted, now);
  const message = `${waits}; the first is that of ${first.pop.name} at ${iso(first.start)}${freeze === undefined ? "" : `; ${freeze.message}`}`;
  return [{ rule: "F1", reason: "OutsideWindow", message, until: first.start }];
}
