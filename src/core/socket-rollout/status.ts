import type { Condition } from "../../api/common.ts";
import { type SocketRolloutStatus, socketRolloutStatus } from "../../api/socket-rollout.ts";
import { type ConditionUpdate, is, setCondition } from "../conditions.ts";
import type { Hold, Instant } from "../decision.ts";
import { laterFields } from "../later-fields.ts";
import { formatDuration, parseDuration } from "../time/duration.ts";
import { writtenHolds } from "../written-holds.ts";
import type { SocketRolloutObservation } from "./observation.ts";

const MOST_HOLDS = 16;
const MOST_REASONS = 32;

/** The parts of a status that the decision has settled. */
export interface Settled {
  readonly ledger: Pick<
    SocketRolloutStatus,
    "seenAt" | "announcedAt" | "revision" | "ramp" | "lateJoiners" | "standingSince" | "stopped" | "pausedAt" | "handled" | "forecast"
  >;
  readonly problem: Hold | undefined;
  /** What was edited and changes nothing, as a sentence. */
  readonly earlier: string | undefined;
  readonly paused: ConditionUpdate;
  readonly holds: readonly Hold[];
}

/** The status of a rollout: its ledger, honest numbers, and the conditions made of them (rule G1). */
export function statusOf(
  seen: SocketRolloutObservation,
  { ledger, problem, earlier, paused, holds }: Settled,
  now: Instant,
): SocketRolloutStatus {
  const { generation, status } = seen.rollout;
  const measured = measuredOf(seen);
  const skipped = [...seen.waiting].filter(([, sites]) => sites > 0).toSorted(([a, one], [b, other]) => other - one || (a < b ? -1 : 1));
  const updates = [accepted(problem, earlier), progressing(seen, ledger, problem, holds), paused, succeeded(seen, ledger)];
  return {
    ...laterFields(socketRolloutStatus, status),
    observedGeneration: generation,
    ...ledger,
    numbers: seen.numbers,
    ...(measured === undefined ? {} : { measured }),
    ...(skipped.length === 0 ? {} : { skipped: skipped.slice(0, MOST_REASONS).map(([reason, sites]) => ({ reason, sites })) }),
    ...(holds.length === 0 ? {} : { holds: writtenHolds(holds, MOST_HOLDS) }),
    conditions: updates.reduce<Condition[]>((all, update) => setCondition(all, update, generation, now), [...(status.conditions ?? [])]),
  };
}

/** From so many confirmed upgrades on measured times count. */
const ENOUGH = 20;

/** Measured times, where they are longer than expected (rule W4). While the inventory is away the last ones stand. */
function measuredOf({ rollout: { spec, status }, measured }: SocketRolloutObservation): SocketRolloutStatus["measured"] {
  if (measured === undefined || measured.upgrades < ENOUGH) return status.measured;
  const longer = (["download", "install", "failover"] as const).flatMap((name) => {
    const found = measured[name];
    return found !== undefined && found > (parseDuration(spec.expected[name]) ?? 0)
      ? [[name, formatDuration(minutes(found))] as const]
      : [];
  });
  return longer.length === 0 ? undefined : Object.fromEntries(longer);
}

/** Whole minutes, rounded up: a percentile that moves by seconds writes nothing (G11). */
const minutes = (milliseconds: number): number => Math.ceil(milliseconds / 60_000) * 60_000;

function accepted(problem: Hold | undefined, earlier: string | undefined): ConditionUpdate {
  const fine = `the rollout can be carried out${earlier === undefined ? "" : `; ${earlier}`}`;
  if (problem === undefined) return is("Accepted", "True", "Accepted", fine);
  const reason = problem.reason === "AnnouncedTwice" ? "VersionAnnouncedTwice" : "RangeInvalid";
  return is("Accepted", "False", reason, problem.message);
}

function progressing(
  { rollout, numbers }: SocketRolloutObservation,
  ledger: Settled["ledger"],
  problem: Hold | undefined,
  holds: readonly Hold[],
): ConditionUpdate {
  const { version } = rollout.spec;
  if (ledger.stopped?.by === "Superseded") return is("Progressing", "False", "Superseded", ledger.stopped.message);
  if (ledger.stopped !== undefined) return is("Progressing", "False", "Stopped", ledger.stopped.message);
  const first = problem ?? holds[0];
  if (first !== undefined && ledger.standingSince === undefined) return is("Progressing", "False", first.reason, first.message);
  if (ledger.standingSince !== undefined) return is("Progressing", "True", "Standing", `sites that join later follow to ${version}`);
  const share = `${ledger.ramp?.percent ?? 0} % of the sites`;
  return is(
    "Progressing",
    "True",
    "Rolling",
    `the ramp has reached ${share}; ${numbers.confirmed} of ${numbers.sites} sites run ${version}`,
  );
}

function succeeded({ numbers, rollout }: SocketRolloutObservation, { stopped, standingSince }: Settled["ledger"]): ConditionUpdate {
  const { version } = rollout.spec;
  const message = `${numbers.confirmed} of ${numbers.sites} sites run ${version}`;
  if (stopped?.by === "Failures" || stopped?.by === "Person") return is("Succeeded", "False", "Failed", stopped.message);
  if (standingSince !== undefined || stopped !== undefined) return is("Succeeded", "True", "Completed", message);
  return is("Succeeded", "Unknown", "InProgress", message);
}
