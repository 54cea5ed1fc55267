import type { Hold, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { parseDuration } from "../time/duration.ts";
import { firstStart } from "./first-start.ts";
import { liftedFor } from "./freezes-lifted.ts";
import { pauseHold } from "./gates.ts";
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
  const baking = named("Baking");
  if (baking.length > 0) return [{ rule: "F1", reason: "Baking", message: `wave ${wave} waits for the bake of ${listText(baking)}` }];
  return windowHold(view, wave, now);
}

/** Nobody of the wave has begun, and every window is still to come. */
function windowHold(view: RolloutView, wave: string, now: Instant): Hold[] {
  const assigned = membersOf(view, wave).filter(({ state }) => state === "Assigned");
  const lifted = liftedFor(view, wave);
  const starts = assigned.flatMap(({ pop }) => {
    const seen = view.pops.get(pop);
    return seen === undefined ? [] : [{ pop, start: firstStart(view, seen, lifted, now)?.start ?? Infinity }];
  });
  const [first] = starts.toSorted((a, b) => a.start - b.start);
  if (first === undefined || first.start <= now) return [];
  const begin = Number.isFinite(first.start)
    ? `the first is that of ${first.pop} at ${iso(first.start)}`
    : "none of them has a usable one left";
  const message = `wave ${wave} waits for the windows of ${counted(assigned.length, "PoP")}; ${begin}`;
  return [{ rule: "F1", reason: "OutsideWindow", message, ...(Number.isFinite(first.start) ? { until: first.start } : {}) }];
}
