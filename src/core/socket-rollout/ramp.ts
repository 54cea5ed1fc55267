import type { RampLedger, SocketRolloutSpec } from "../../api/socket-rollout.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf, hold, run, STOPPED } from "../rollout/timer.ts";
import { SECOND } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import { formatInstant } from "../time/instant.ts";

type Steps = SocketRolloutSpec["ramp"];

export interface Ramp {
  readonly ledger: RampLedger;
  /** The last step is open and has lasted its time. */
  readonly through: boolean;
  /** When the next step opens, or the last one is through, as far as nobody pauses it. */
  readonly wakeAt?: Instant;
}

/**
 * The position of the ramp (rules S10, G5, I11): a step opens when the one before has lasted its time, which stands still while the
 * rollout is held. It only grows: a step that was edited to a smaller share takes nothing back. Where an edit left no step at or below the
 * share that is reached, none has to last any more: the first of the new steps opens at once, as in a ramp that begins.
 */
export function ramped(before: RampLedger | undefined, steps: Steps, held: boolean, now: Instant): Ramp | undefined {
  if (before === undefined) return held ? undefined : ramped(opened(undefined, steps[0]!.percent, now), steps, held, now);
  const position = steps.findLastIndex(({ percent }) => percent <= before.percent);
  const step = Math.max(0, position);
  const length = position < 0 ? 0 : (parseDuration(steps[step]!.for) ?? Infinity);
  const timer = held ? hold(before.timer, now) : run(before.timer, now);
  const left = length - elapsedOf(timer, now);
  const next = steps.find(({ percent }) => percent > before.percent);
  if (!held && left <= 0 && next !== undefined) return ramped(opened(before, next.percent, now), steps, held, now);
  const ledger = { ...before, step, ...(timer === undefined ? {} : { timer }) };
  const through = next === undefined && left <= 0;
  return { ledger, through, ...(held || through ? {} : { wakeAt: now + left }) };
}

function opened(before: RampLedger | undefined, percent: number, now: Instant): RampLedger {
  const opens = [...(before?.opened ?? []), { percent, at: formatInstant(Math.ceil(now / SECOND) * SECOND) }];
  return { step: 0, percent, opened: opens, timer: STOPPED };
}

/** When the whole ramp is open, if nobody pauses it. */
export function openAt({ ledger, wakeAt }: Ramp, steps: Steps, now: Instant): Instant | undefined {
  const later = steps.filter(({ percent }) => percent > ledger.percent);
  if (later.length === 0) return Date.parse(ledger.opened.at(-1)!.at);
  const between = later.slice(0, -1).reduce((sum, step) => sum + (parseDuration(step.for) ?? 0), 0);
  return wakeAt === undefined ? undefined : Math.max(wakeAt, now) + between;
}
