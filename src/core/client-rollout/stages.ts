import {
  type ClientNumbers,
  type ClientRolloutSpec,
  defaultGate,
  type Inherited,
  type ReachedLedger,
  type StageRecord,
} from "../../api/client-rollout.ts";
import { NOBODY, notYetOpened, sumOf } from "../client/numbers.ts";
import { firstPhase, stageName } from "../client/stage.ts";
import type { Instant } from "../decision.ts";
import { DAY } from "../time/civil.ts";
import { parseDuration } from "../time/duration.ts";
import type { Gate } from "./gate.ts";

/** What a stage asks for before the next one opens. */
export interface Step {
  readonly name: string;
  /** Milliseconds that it lasts at least. */
  readonly lasts: number;
  /** Nothing follows before this. */
  readonly notBefore?: Instant;
  readonly gate: Gate;
}

/** The stage that is open, as the spec has it now (rules C2, C4, C6). */
export function stepOf(reached: ReachedLedger, spec: ClientRolloutSpec, generalFrom: Instant | undefined): Step {
  const name = stageName(reached);
  if (reached.stage === "Exposed") return { name, lasts: 0, gate: { ...(spec.exposedGate ?? defaultGate), emptyAfter: DAY } };
  if (reached.stage === "Pilot") {
    const { minimumDevices, minimumDays, failedPercentAtMost, patience } = spec.pilot;
    // Nobody in a pilot is no evidence of pilots: a person decides.
    const gate = { attemptedAtLeast: minimumDevices, failedPercentAtMost, patience };
    return { name, lasts: minimumDays * DAY, ...(generalFrom === undefined ? {} : { notBefore: generalFrom }), gate };
  }
  const phase = spec.phases[Math.min(reached.phase ?? 1, spec.phases.length) - 1]!;
  const lasts = parseDuration(phase.for) ?? Infinity;
  return { name, lasts, gate: { ...phase.gate, emptyAfter: lasts } };
}

/**
 * What opens after a stage (rules C3, C6); undefined: nothing, everybody is reached. Both shares only grow. A fixed version goes on with the
 * first phase that has at least the shares which the faulty one reached, and through the pilot only where that one never left it.
 */
export function nextOf(
  { stage, accountsPercent, usersPercent }: ReachedLedger,
  { phases }: ClientRolloutSpec,
  inherited: Inherited | undefined,
): ReachedLedger | undefined {
  if (stage === "Exposed" && inherited?.pilotPassed !== true) {
    return { stage: "Pilot", accountsPercent, usersPercent, timer: { accumulated: inherited?.pilotElapsed ?? 0 } };
  }
  const index =
    stage === "Exposed"
      ? firstPhase(phases, inherited) - 1
      : phases.findIndex((phase) => phase.accountsPercent > accountsPercent || phase.usersPercent > usersPercent);
  const phase = phases[index];
  if (phase === undefined) return undefined;
  return {
    stage: "Phase",
    phase: index + 1,
    accountsPercent: Math.max(phase.accountsPercent, accountsPercent),
    usersPercent: Math.max(phase.usersPercent, usersPercent),
    timer: { accumulated: 0 },
  };
}

/** Of all stages together, of which those of the ledger have opened. */
export function totalOf(numbers: ReadonlyMap<string, ClientNumbers>, stages: readonly StageRecord[]): ClientNumbers {
  const opened = new Set(stages.map(({ name }) => name));
  return [...numbers].map(([stage, counted]) => (opened.has(stage) ? counted : notYetOpened(counted))).reduce(sumOf, NOBODY);
}
