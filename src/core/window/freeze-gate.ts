import type { Freeze } from "../../api/common.ts";
import type { Hold, Instant } from "../decision.ts";
import { describeInstant } from "../time/format.ts";
import { activeFreeze, frozenSpans, type FrozenAct } from "./freeze.ts";
import { freezeProblems, zoneProblemAt } from "./parse.ts";

export interface FreezeQuestion {
  readonly freezes: readonly Freeze[];
  /** The zone of the thing frozen, for freezes without one of their own. */
  readonly zone: string;
  readonly now: Instant;
  readonly act: FrozenAct;
}

/**
 * The freezes alone, for acts that no window binds: content (rule P15) and emergencies (rule F8). Held until the last of the freezes
 * that follow each other without a break has ended.
 */
export function freezeGate({ freezes, zone, now, act }: FreezeQuestion): Hold | undefined {
  const problems = [...freezeProblems(freezes, "freezes"), ...[zoneProblemAt("timeZone", zone)].filter((problem) => problem !== undefined)];
  if (problems.length > 0) {
    return { rule: "W10", reason: "WindowInvalid", message: `${problems.join("; ")}; nothing starts until that is corrected` };
  }
  const spans = frozenSpans(freezes, zone, now, act);
  const active = activeFreeze(spans, now);
  if (active === undefined) return undefined;
  let until = active.to;
  for (let next = activeFreeze(spans, until); next !== undefined; next = activeFreeze(spans, until)) until = next.to;
  const { name, reason } = active.freeze;
  const why = reason === undefined ? "" : ` (${reason})`;
  const message = `freeze ${name}${why} holds; it ends ${describeInstant(until, active.freeze.timeZone ?? zone)}`;
  return { rule: "W6", reason: "Frozen", message, until };
}
