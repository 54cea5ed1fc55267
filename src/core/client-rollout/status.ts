import type { Condition } from "../../api/common.ts";
import { type ClientRolloutStatus, clientRolloutStatus } from "../../api/client-rollout.ts";
import { type ConditionUpdate, is, setCondition } from "../conditions.ts";
import type { Hold, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { laterFields } from "../later-fields.ts";
import { cleanText } from "../text.ts";
import { writtenHolds } from "../written-holds.ts";
import type { Effective } from "./effective.ts";
import type { ClientRolloutObservation } from "./observation.ts";

const MOST_HOLDS = 16;
const MESSAGE_LIMIT = 1024;

/** The parts of a status that the decision has settled. */
export interface Settled {
  readonly ledger: Omit<ClientRolloutStatus, "observedGeneration" | "holds" | "conditions" | "effective" | "reasons" | "pause" | "stopped">;
  readonly problem: Hold | undefined;
  readonly effective: Effective;
  readonly holds: readonly Hold[];
}

/** The status of a rollout: its ledger, honest numbers, and the conditions made of them (rule G1). */
export function statusOf(
  seen: ClientRolloutObservation,
  { ledger, problem, effective, holds }: Settled,
  now: Instant,
): ClientRolloutStatus {
  const { generation, status } = seen.rollout;
  const updates = [accepted(problem), progressing(seen, ledger, effective, holds), paused(effective), succeeded(seen, ledger, effective)];
  return {
    ...laterFields(clientRolloutStatus, status),
    observedGeneration: generation,
    ...ledger,
    effective: effective.effective,
    ...(effective.reasons.length === 0
      ? {}
      : { reasons: effective.reasons.map(({ by, message }) => ({ by, message: cleanText(message, MESSAGE_LIMIT) })) }),
    ...(effective.pause === undefined ? {} : { pause: effective.pause }),
    ...(effective.stopped === undefined ? {} : { stopped: effective.stopped }),
    ...(holds.length === 0 ? {} : { holds: writtenHolds(holds, MOST_HOLDS) }),
    conditions: updates.reduce<Condition[]>((all, update) => setCondition(all, update, generation, now), [...(status.conditions ?? [])]),
  };
}

function accepted(problem: Hold | undefined): ConditionUpdate {
  if (problem === undefined) return is("Accepted", "True", "Accepted", "the rollout can be carried out");
  const reason = problem.reason === "AnnouncedTwice" ? "VersionAnnouncedTwice" : problem.reason;
  return is("Accepted", "False", reason, problem.message);
}

function progressing(
  { rollout: { spec } }: ClientRolloutObservation,
  { reached, standingSince, inherited }: Settled["ledger"],
  { stopped }: Effective,
  holds: readonly Hold[],
): ConditionUpdate {
  const { version, os } = spec;
  if (stopped !== undefined) return is("Progressing", "False", stopped.by === "Superseded" ? "Superseded" : "Stopped", stopped.message);
  // What ends by itself is no reason to say that it stands still.
  const braking = holds.find(({ until }) => until === undefined);
  if (braking !== undefined) return is("Progressing", "False", braking.reason, braking.message);
  if (standingSince !== undefined)
    return is("Progressing", "True", "Standing", `Clients on ${os} go to ${version}; who comes later follows`);
  switch (reached?.stage) {
    case undefined:
      return is("Progressing", "False", holds[0]?.reason ?? "Idle", holds[0]?.message ?? "nothing is open yet");
    case "Exposed":
      return is(
        "Progressing",
        "True",
        "Exposed",
        `devices on ${inherited?.versions.join(", ") ?? "the faulty version"} get ${version} first`,
      );
    case "Pilot":
      return is("Progressing", "True", "Piloting", `pilots have ${version}`);
    default: {
      const share = `${reached!.usersPercent} % of the users of ${reached!.accountsPercent} % of the accounts`;
      return is("Progressing", "True", "Rolling", `phase ${reached!.phase ?? 1} has reached ${share}`);
    }
  }
}

function paused({ wanted, effective, reasons, unconfirmed, pause }: Effective): ConditionUpdate {
  if (wanted === "Run") return is("Paused", "False", "NotPaused", "nobody paused it");
  const why = reasons.map(({ message }) => message).join("; ");
  const reason = reasons[0]?.by === "Monitoring" ? "PausedByMonitoring" : "PausedByPerson";
  if (effective !== "Run") return is("Paused", "True", reason, why);
  const waits =
    unconfirmed.length === 0 ? `acknowledged 10 seconds after ${pause?.since ?? "now"}` : `not confirmed yet by ${listText(unconfirmed)}`;
  return is("Paused", "False", "PauseRequested", `${why}; it is obeyed, and ${waits}`);
}

function succeeded(
  { rollout: { spec } }: ClientRolloutObservation,
  { standingSince, numbers }: Settled["ledger"],
  { stopped }: Effective,
): ConditionUpdate {
  const run = numbers === undefined ? spec.version : `${numbers.confirmed} of ${numbers.eligible} devices run ${spec.version}`;
  if (stopped !== undefined) return is("Succeeded", "False", "Failed", stopped.message);
  if (standingSince !== undefined) return is("Succeeded", "True", "Completed", run);
  return is("Succeeded", "Unknown", "InProgress", run);
}
