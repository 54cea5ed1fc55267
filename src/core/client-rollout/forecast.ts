import type { ClientRolloutSpec, ClientRolloutStatus, ReachedLedger } from "../../api/client-rollout.ts";
import type { Instant } from "../decision.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import type { Progress } from "./progress.ts";
import { nextOf, stepOf } from "./stages.ts";

const wholeSecond = (instant: Instant): Instant => Math.ceil(instant / SECOND) * SECOND;

/**
 * When each coming phase opens and everybody is reached (rule F7 for Clients), if nothing fails, nobody pauses it and each gate has its
 * evidence in time: by the same steps as the rollout itself, in absolute instants, so that waiting writes nothing (G11). Undefined where
 * only people or devices know: while it is held, its gate failed or waits for a person, or devices on a faulty version come first.
 */
export function forecastOf(
  { reached, open }: Progress,
  spec: ClientRolloutSpec,
  around: { readonly inherited: ClientRolloutStatus["inherited"]; readonly generalFrom: Instant | undefined; readonly held: boolean },
  now: Instant,
): ClientRolloutStatus["forecast"] {
  if (around.held || reached === undefined || open === undefined || reached.stage === "Exposed") return undefined;
  const first = firstDue(open, now);
  if (first === undefined) return undefined;
  const phases: { phase: number; at: string }[] = [];
  let at = wholeSecond(first);
  let stage: ReachedLedger = reached;
  for (;;) {
    const next = nextOf(stage, spec, around.inherited);
    if (next === undefined) return { phases, standsAt: formatInstant(at) };
    phases.push({ phase: next.phase ?? 1, at: formatInstant(at) });
    stage = next;
    at += stepOf(next, spec, around.generalFrom).lasts;
  }
}

/** Of the open stage: its time, or the end of its gate's patience where the time is over and too few attempted. */
function firstDue({ verdict, due }: NonNullable<Progress["open"]>, now: Instant): Instant | undefined {
  if (verdict.state === "Failed" || verdict.state === "Undecided") return undefined;
  return verdict.state === "Waits" && now >= due ? now + verdict.left : due;
}
