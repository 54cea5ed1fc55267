import type { WaveStatus } from "../../api/pop-rollout.ts";
import type { Announcement, Instant } from "../decision.ts";
import { parseDuration } from "../time/duration.ts";
import { iso, type Outcome } from "./outcome.ts";
import { EXPOSED, hasPassed, isEnding, isOver, membersOf, type RolloutView } from "./view.ts";
import { counted } from "../text.ts";

/**
 * Keeps the list of waves and closes those that are done (rule F1): every member is over, at least one passed, and, for content, the
 * wave has baked; a PoP's own run bakes by itself. A wave of which nobody is left is Skipped (rule G4).
 */
export function waves(view: RolloutView, now: Instant): Outcome | undefined {
  const listed = listOf(view);
  const wakes: Instant[] = [];
  const events: Announcement[] = [];
  const next = listed.map((wave) => {
    const closed = wave.state === "Open" && view.ledger.halted === undefined ? closeOf(view, wave, now) : { wave };
    if (closed.wakeAt !== undefined) wakes.push(closed.wakeAt);
    if (closed.message !== undefined) events.push({ type: "Normal", reason: "WaveOver", action: "CloseWave", message: closed.message });
    return closed.wave;
  });
  const same = next.length === view.waves.length && next.every((wave, index) => wave === view.waves[index]);
  return same ? { wakes } : { ledger: { ...view.ledger, waves: next }, events, wakes };
}

/** Waves that opened stand as they are; of the others the spec has the say, until all are over. */
function listOf(view: RolloutView): readonly WaveStatus[] {
  if (view.ledger.outcome !== undefined || isEnding(view)) return view.waves;
  const written = [...(view.spec.supersedes === undefined ? [] : [EXPOSED]), ...view.spec.waves.map(({ name }) => name)];
  const gone = view.waves.filter(({ name, state }) => state !== "Pending" && !written.includes(name));
  return [...gone, ...written.map((name): WaveStatus => view.waves.find((wave) => wave.name === name) ?? { name, state: "Pending" })];
}

interface Closed {
  readonly wave: WaveStatus;
  readonly message?: string;
  readonly wakeAt?: Instant;
}

function closeOf(view: RolloutView, wave: WaveStatus, now: Instant): Closed {
  const members = membersOf(view, wave.name);
  const { bakesFrom, ...rest } = wave;
  if (!members.every((one) => isOver(one) && one.state !== "Stopped")) return { wave: bakesFrom === undefined ? wave : rest };
  const passed = members.filter(hasPassed).length;
  const said = (state: "Passed" | "Skipped", message: string): Closed => ({
    wave: { ...rest, state, endedAt: iso(now), message },
    message: `wave ${wave.name} of ${view.version}: ${message}`,
  });
  if (passed > 0) {
    const since = bakesFrom === undefined ? now : Date.parse(bakesFrom);
    const until = since + contentBake(view, wave.name);
    if (now < until) return { wave: bakesFrom === undefined ? { ...wave, bakesFrom: iso(now) } : wave, wakeAt: until };
    const others = members.length - passed;
    return said(
      "Passed",
      `${counted(passed, "PoP")} passed${others === 0 ? "" : `, ${others} were skipped or went back within the failure budget`}`,
    );
  }
  // One that failed alone is for the failure budget to judge.
  if (members.some(({ state }) => state !== "Skipped")) return { wave };
  return said("Skipped", "NoMembers: every PoP of it was skipped, so nothing was tried and nobody is asked");
}

/** Content bakes wave by wave (rule P15); a version bakes on each PoP, before the PoP calls itself Passed (rule P8). */
const contentBake = (view: RolloutView, name: string): number =>
  view.content ? (parseDuration(view.spec.waves.find((wave) => wave.name === name)?.bake ?? "") ?? 0) : 0;
