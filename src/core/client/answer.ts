import type { Version } from "../../api/version.ts";
import type { Instant } from "../decision.ts";
import { type AccountView, type CheckIn, FAILED_CHECK_INS } from "./check-in.ts";
import { accountReached, type Cohort, cohortOf, userReached } from "./cohort.ts";
import { deviceIs, readReported } from "./device-version.ts";
import { type ClientAnswer, type FleetView, no, noUpdate } from "./no-update.ts";
import { isPilot, pauseInForce, pilotOverruled, selects } from "./policy.ts";
import type { ClientRolloutView } from "./rollout-view.ts";
import { reachingPhase } from "./stage.ts";
import { answerOf, type Cell } from "./table.ts";

/**
 * The answer to one check-in (rules C1–C8, G15): pure, and from memory alone. `rollouts` are those of `clientViews`, the newest first; the
 * newest one that offers wins, so that an older one that stands is the step below a floor, and what is left where the newest is paused.
 * What is said where nothing is offered is of the newest that counts.
 */
export function answer(
  device: CheckIn,
  account: AccountView,
  rollouts: readonly ClientRolloutView[],
  fleet: FleetView,
  now: Instant,
): ClientAnswer {
  if (!fleet.fresh) return no("ViewTooOld", "the gateway has not seen the cluster for 10 seconds, so it offers nothing");
  if (account.policy?.upgrade !== "Automatic") return no("PolicyManaged", `the account manages Clients on ${device.os} itself`);
  if (device.updatesDisabled === true) return no("RefusedByClient", "updates are switched off on the device");
  const announced = rollouts.filter(({ os, problem }) => os === device.os && problem === undefined);
  const wanted = announced.filter(({ reached }) => reached !== undefined);
  const reported = readReported(device.version);
  if (reported === "Unreadable") {
    return no("VersionUnreadable", "what the device reports is no version, so it cannot be told from a newer one", wanted[0]);
  }
  const asked = { device, reported, account, fleet, now };
  const answers = wanted.map((rollout) => answerOfOne(rollout, asked));
  const offer = answers.find(({ kind }) => kind === "Offer");
  if (offer !== undefined) return offer;
  const counting = answers.find((one) => one.kind === "NoUpdate" && one.reason !== "Superseded" && one.reason !== "Stopped");
  return counting ?? comesLater(announced, asked) ?? answers[0] ?? no("NothingAnnounced", `no version is announced for ${device.os}`);
}

/**
 * Where nothing else counts: the first that comes, with the instant from which it is announced, or what will hold it even then (rule C2);
 * or that was to come and was paused before it opened.
 */
function comesLater(announced: readonly ClientRolloutView[], asked: Asked): ClientAnswer | undefined {
  const isPaused = ({ provider }: ClientRolloutView): boolean => provider === "Paused" || (provider === "Run" && asked.fleet.paused);
  const later = announced.filter(
    (one) => one.reached === undefined && one.announcedAt !== undefined && (one.announcedAt > asked.now || isPaused(one)),
  );
  const next = later.toSorted((one, other) => one.announcedAt! - other.announcedAt!)[0];
  return next && answerOfOne(next, asked);
}

interface Asked {
  readonly device: CheckIn;
  readonly reported: Version | "None";
  readonly account: AccountView;
  readonly fleet: FleetView;
  readonly now: Instant;
}

function answerOfOne(rollout: ClientRolloutView, asked: Asked): ClientAnswer {
  const { device, account, now } = asked;
  const found = deviceIs(asked.reported, rollout);
  // Before it is announced it comes first to nobody.
  const runs = rollout.reached === undefined && found === "Faulty" ? "Older" : found;
  const cohort = cohortOf(device, rollout);
  const cell = cellOf(rollout, asked, runs, cohort);
  const said = answerOf(cell);
  if (said !== "Offer") return noUpdate(said, { rollout, cell, policy: account.policy }, now);
  if (device.targetVersionPrefix !== undefined && !rollout.version.startsWith(device.targetVersionPrefix)) {
    return no("RefusedByClient", `the device wants versions that begin with ${device.targetVersionPrefix} only`, rollout);
  }
  if ((device.failures.get(rollout.revision) ?? 0) >= FAILED_CHECK_INS) {
    const message = `${rollout.version} failed on this device at ${FAILED_CHECK_INS} check-ins; it is not tried again`;
    return no("FailedBefore", message, rollout);
  }
  return { kind: "Offer", rollout, stage: stageOf(rollout, cell, cohort), experience: account.policy!.experience };
}

/** The ten facts of rule C7. Pilots count from the stage Pilot on: where a version is mended, devices on the faulty one come first. */
function cellOf(rollout: ClientRolloutView, { device, account, fleet, now }: Asked, runs: Cell["device"], cohort: Cohort): Cell {
  const { labels, policy, failedPilots } = account;
  const reached = rollout.reached ?? NOBODY_YET;
  const failed = failedPilots.has(rollout.uid) && !pilotOverruled(policy, rollout.version);
  const held = failed || pauseInForce(policy, rollout.version, now) !== undefined;
  const open = rollout.reached !== undefined && reached.stage !== "Exposed";
  const member = open && (isPilot(policy, device.user, device.groups) || selects(rollout.pilotAccounts, labels));
  return {
    policy: policy?.upgrade ?? "Managed",
    device: runs,
    superseded: rollout.superseded === undefined ? "No" : "Yes",
    provider: rollout.provider === "Run" && fleet.paused ? "Paused" : rollout.provider,
    monitoring: rollout.monitoring,
    account: held ? "Paused" : "Run",
    pilot: member ? "Member" : "Other",
    accountInPhase: accountReached(cohort, reached) ? "Yes" : "No",
    userInPhase: userReached(cohort, reached) ? "Yes" : "No",
    file: fleet.missing?.has(rollout.uid) === true ? "Missing" : "There",
  };
}

/** Announced for later. */
const NOBODY_YET: NonNullable<ClientRolloutView["reached"]> = { stage: "Pilot", accountsPercent: 0, usersPercent: 0 };

/**
 * The stage by which a rollout has reached a device, whatever holds either of them now; undefined: none has yet (rule C3). What runs on the
 * device is no question here, but for a faulty version, whose devices come first.
 */
export function stageReaching(rollout: ClientRolloutView, device: CheckIn, account: AccountView): string | undefined {
  if (rollout.reached === undefined || account.policy?.upgrade !== "Automatic") return undefined;
  const reported = readReported(device.version);
  const runs = reported !== "Unreadable" && deviceIs(reported, rollout) === "Faulty" ? "Faulty" : "Older";
  const cohort = cohortOf(device, rollout);
  const cell = cellOf(rollout, { device, reported: "None", account, fleet: { fresh: true, paused: false }, now: 0 }, runs, cohort);
  const reaches = runs === "Faulty" || cell.pilot === "Member" || (cell.accountInPhase === "Yes" && cell.userInPhase === "Yes");
  return reaches ? stageOf(rollout, cell, cohort) : undefined;
}

/** By which stage a device gets it, for the numbers of the stage: the first that reaches it. */
function stageOf(rollout: ClientRolloutView, { device, pilot }: Cell, cohort: Cohort): string {
  if (device === "Faulty") return "exposed";
  if (pilot === "Member") return "pilot";
  return `phase-${reachingPhase(cohort, rollout) ?? rollout.reached!.phase ?? 1}`;
}
