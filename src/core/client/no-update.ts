import type { ClientPolicy } from "../../api/client-policy.ts";
import type { WaitingReason } from "../../api/reasons.ts";
import { compareVersions } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import { pauseInForce } from "./policy.ts";
import type { ClientRolloutView } from "./rollout-view.ts";
import type { Cell, CellAnswer } from "./table.ts";

/** What the gateway knows beside the rollouts. */
export interface FleetView {
  /** Its look at the cluster is younger than 10 s (rule G15). */
  readonly fresh: boolean;
  readonly paused: boolean;
  /** UIDs of the rollouts whose file is not to be had here; absent: it can be fetched of all of them. */
  readonly missing?: { has(uid: string): boolean };
}

/** Why nothing is offered: a waiting reason, or one that is nothing to wait for. */
export type NoUpdateReason = WaitingReason | "UpToDate" | "NothingAnnounced" | "RefusedByClient" | "ViewTooOld";

export type ClientAnswer =
  | {
      readonly kind: "Offer";
      readonly rollout: ClientRolloutView;
      /** The stage by which the device gets it: `exposed`, `pilot`, `phase-2`. */
      readonly stage: string;
      readonly experience: ClientPolicy["experience"];
    }
  | {
      readonly kind: "NoUpdate";
      readonly reason: NoUpdateReason;
      readonly message: string;
      /** The rollout that it is about: the newest one that still counts. */
      readonly rollout?: ClientRolloutView;
      readonly until?: Instant;
    };

type NoUpdate = Extract<ClientAnswer, { kind: "NoUpdate" }>;

export const no = (reason: NoUpdateReason, message: string, rollout?: ClientRolloutView, until?: Instant): NoUpdate => ({
  kind: "NoUpdate",
  reason,
  message,
  ...(rollout === undefined ? {} : { rollout }),
  ...(until === undefined ? {} : { until }),
});

/** As it stands behind the sentence, in whole seconds. */
export const untilText = (until: Instant | undefined): string => (until === undefined ? "" : ` (until ${formatInstant(until)})`);

interface Asked {
  readonly rollout: ClientRolloutView;
  readonly cell: Cell;
  readonly policy: ClientPolicy | undefined;
}

/** What a cell of the table says in a sentence, with what only this account and this stage can tell (rules C2, C5, C6). */
export function noUpdate(said: Exclude<CellAnswer, "Offer">, asked: Asked, now: Instant): NoUpdate {
  const { rollout } = asked;
  const { version, reason, superseded } = rollout;
  const why = reason === undefined ? "" : `: ${reason}`;
  switch (said) {
    case "UpToDate":
      return no(said, `it runs ${version}`, rollout);
    case "OlderVersion":
      return no(said, `it runs a newer version than ${version}, and nobody is taken back`, rollout);
    case "Superseded":
      return no(said, superseded ?? `${version} was superseded`, rollout);
    case "Stopped":
      return no(said, `${version} was stopped${why}`, rollout);
    case "Paused":
      return rollout.provider === "Run"
        ? no("FleetPaused", "the Fleet is paused", rollout)
        : no(said, `${version} is paused${why}`, rollout);
    case "PausedByMonitoring":
      return no(said, `${version} paused itself: too many failures, or a figure of monitoring`, rollout);
    case "PausedByAccount":
      return heldByAccount(asked, now);
    case "BelowFloor":
      return no(said, `it has to go to ${highestFloor(rollout)} or a newer version before ${version}`, rollout);
    case "ArtifactMissing":
      return no(said, `the file of ${version} is not to be had at this moment`, rollout);
    default:
      return rollout.reached === undefined
        ? no("NoticeNotElapsed", `${version} is announced for later`, rollout, rollout.announcedAt)
        : notInPhase(said, asked, now);
  }
}

/** Its own pause, or its own pilots. */
function heldByAccount({ rollout, policy }: Asked, now: Instant): NoUpdate {
  const pause = pauseInForce(policy, rollout.version, now);
  if (pause === undefined) {
    return no("PilotFailed", `the account's own pilots of ${rollout.version} failed; it may overrule them in its policy`, rollout);
  }
  const until = pause.until === undefined ? undefined : parseInstant(pause.until);
  return no("PausedByAccount", `the account paused ${rollout.version}: ${pause.reason}`, rollout, until);
}

function notInPhase(said: WaitingReason, { rollout, cell }: Asked, now: Instant): NoUpdate {
  const { version, generalFrom = 0, pilotsUntil = 0, faulty, name } = rollout;
  switch (rollout.reached?.stage) {
    case "Exposed":
      return no(said, `devices on ${faulty.join(", ")} get ${version} first`, rollout);
    case "Pilot":
      // The later of the two: at the other one nothing can happen yet.
      if (generalFrom > now && generalFrom >= pilotsUntil)
        return no("NoticeNotElapsed", `pilots have ${version}; the general rollout begins later`, rollout, generalFrom);
      if (pilotsUntil > now) return no("AwaitingEvidence", `pilots have ${version}, and their time is not over`, rollout, pilotsUntil);
      return no("AwaitingEvidence", `pilots have ${version}; the general rollout begins when their evidence is there`, rollout);
    default:
      return cell.accountInPhase === "No"
        ? no(said, `no phase of ${name} has reached the account yet`, rollout)
        : no(said, `a phase of ${name} has reached the account, and this user not yet`, rollout);
  }
}

const highestFloor = ({ order }: ClientRolloutView): string =>
  order.floors.toSorted(compareVersions).at(-1)?.text ?? "a version in between";
