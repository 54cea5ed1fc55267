import type { Inherited, ReachedLedger, StageRecord } from "../../api/client-rollout.ts";
import { stageName } from "../client/stage.ts";
import type { Instant } from "../decision.ts";
import { elapsedOf, hold, run } from "../rollout/timer.ts";
import { MINUTE, SECOND } from "../time/civil.ts";
import { formatInstant } from "../time/instant.ts";
import { rulingOf, type Ruling, stageDigest } from "./approvals.ts";
import { gateOf, type GateVerdict } from "./gate.ts";
import type { ClientRolloutObservation } from "./observation.ts";
import { nextOf, type Step, stepOf } from "./stages.ts";

/** Where a rollout is, and what its open stage waits for. */
export interface Progress {
  /** Absent: nothing is open yet. */
  readonly reached?: ReachedLedger;
  readonly stages: readonly StageRecord[];
  /** Everybody is reached and judged: from then on it stands. */
  readonly through?: Instant;
  readonly open?: {
    readonly step: Step;
    readonly verdict: GateVerdict;
    /** When the stage has lasted its time, as far as nobody pauses it. */
    readonly due: Instant;
    /** What an Approval names that stands in for the evidence. */
    readonly digest?: string;
    readonly ruling?: Ruling;
  };
}

/** What lies around the ledger. */
export interface Brakes {
  /** Paused, or not carried out: the stage's time stands still. */
  readonly held: boolean;
  /** A figure of monitoring, where one is asked, passes: without that nothing follows (rule G9). */
  readonly promotes: boolean;
  readonly inherited: Inherited | undefined;
  readonly generalFrom: Instant | undefined;
}

const wholeSecond = (instant: Instant): Instant => Math.ceil(instant / SECOND) * SECOND;

/**
 * The stages, one after the other (rules C2–C4, C6): one opens when the one before has lasted its time, which stands still while the rollout
 * is held, and its gate has its evidence. A look that comes less than a minute late opens it at the instant that was foreseen, so that the
 * delays of many looks do not add up.
 */
export function progressed(seen: ClientRolloutObservation, brakes: Brakes, now: Instant): Progress {
  const progress = position(seen, brakes, now);
  return { ...progress, stages: withNumbers(progress.stages, seen) };
}

function position(seen: ClientRolloutObservation, brakes: Brakes, now: Instant): Progress {
  const { spec, status } = seen.rollout;
  const { reached, stages = [] } = status;
  if (reached !== undefined) {
    return status.standingSince === undefined ? advanced(seen, brakes, { reached, stages }, now) : { reached, stages };
  }
  if (brakes.held) return { stages };
  const stage = spec.supersedes === undefined ? "Pilot" : "Exposed";
  const first: ReachedLedger = { stage, accountsPercent: 0, usersPercent: 0, timer: { accumulated: 0 } };
  return advanced(seen, brakes, opened(stages, first, wholeSecond(now)), now);
}

type Position = Pick<Progress, "stages"> & { readonly reached: ReachedLedger };

function advanced(seen: ClientRolloutObservation, brakes: Brakes, { reached, stages }: Position, now: Instant): Progress {
  const step = stepOf(reached, seen.rollout.spec, brakes.generalFrom);
  const timer = brakes.held ? (hold(reached.timer, now) ?? reached.timer) : run(reached.timer, now);
  const elapsed = elapsedOf(timer, now);
  const due = Math.max(now + step.lasts - elapsed, step.notBefore ?? 0);
  const verdict = gateOf(step.gate, seen.numbers?.get(step.name), elapsed);
  const digest = verdict.state === "Undecided" ? stageDigest(seen, step.name, verdict) : undefined;
  const ruling = digest === undefined ? undefined : rulingOf(seen, digest, now);
  const outcome = verdict.state === "Passed" ? verdict.outcome : ruling?.decision === "Approve" ? "Approved" : undefined;
  if (brakes.held || !brakes.promotes || now < due || outcome === undefined) {
    const open = { step, verdict, due, ...(digest === undefined ? {} : { digest }), ...(ruling === undefined ? {} : { ruling }) };
    return { reached: { ...reached, timer }, stages, open };
  }
  const at = wholeSecond(now - due < MINUTE ? due : now);
  const over = ended(stages, step.name, at, outcome, ruling);
  const next = nextOf(reached, seen.rollout.spec, brakes.inherited);
  if (next === undefined) return { reached: { ...reached, timer: { accumulated: Math.floor(elapsed) } }, stages: over, through: at };
  return advanced(seen, brakes, opened(over, next, at), now);
}

function opened(stages: readonly StageRecord[], next: ReachedLedger, at: Instant): Position {
  const record = { name: stageName(next), openedAt: formatInstant(at) };
  const others = stages.filter(({ name }) => name !== record.name);
  return { reached: { ...next, timer: run(next.timer, at) }, stages: [...others, record] };
}

const ended = (
  stages: readonly StageRecord[],
  stage: string,
  at: Instant,
  outcome: NonNullable<StageRecord["outcome"]>,
  ruling: Ruling | undefined,
): readonly StageRecord[] =>
  stages.map((record) =>
    record.name === stage
      ? { ...record, endedAt: formatInstant(at), outcome, ...(outcome === "Approved" && ruling ? { approval: ruling.name } : {}) }
      : record,
  );

/** The newest numbers of each stage; while the inventory is away the last ones stand (rule G9). */
const withNumbers = (stages: readonly StageRecord[], { numbers }: ClientRolloutObservation): readonly StageRecord[] =>
  stages.map((record) => {
    const counted = numbers?.get(record.name);
    return counted === undefined ? record : { ...record, numbers: counted };
  });
