import type { ClientSystem } from "../../api/client-rollout.ts";
import { answer, stageReaching } from "../../core/client/answer.ts";
import type { AccountView, CheckIn } from "../../core/client/check-in.ts";
import { userKey } from "../../core/client/cohort.ts";
import { deviceIs, readReported } from "../../core/client/device-version.ts";
import type { ClientAnswer, FleetView } from "../../core/client/no-update.ts";
import { isPilot } from "../../core/client/policy.ts";
import type { ClientRolloutView } from "../../core/client/rollout-view.ts";
import type { Instant } from "../../core/decision.ts";
import type { ClientAttempt, ClientReport, Directory, KnownClient } from "../client-inventory.ts";

/** What one Client said in one request; texts are stripped and capped (rule G12). */
export interface ClientCall {
  readonly account: string;
  readonly device: string;
  readonly os: ClientSystem;
  /** Absent, or zeros: a new installation. */
  readonly version?: string;
  /** Who uses it, as it says itself; an imported directory knows better. */
  readonly user?: string;
  readonly requestId?: string;
  /** Absent: it asks for nothing, it reports. */
  readonly asks?: { readonly targetVersionPrefix?: string; readonly updatesDisabled: boolean };
  readonly said?: NonNullable<ClientReport["said"]>;
}

/** What a gateway has in memory, at the moment of the answer. */
export interface ClientSight {
  /** Of `clientViews`. */
  readonly rollouts: readonly ClientRolloutView[];
  /** With the policy for the Client's system. */
  readonly account: AccountView;
  readonly fleet: FleetView;
  /** Absent: none was imported. */
  readonly directory?: Directory;
}

/** Which part of the fleet a Client belongs to; clients of the protocol keep it and show it, and nobody trusts it. */
export type ClientTrack =
  | { readonly kind: "Managed" | "Waiting" }
  | { readonly kind: "Reached"; readonly version: string; readonly stage: string };

export interface AnsweredCall {
  /** Absent: it did not ask. */
  readonly answer?: ClientAnswer;
  readonly track: ClientTrack;
  /** What the inventory is told, in this order: one report, or two where it runs one rollout's version and is offered another's. */
  readonly reports: readonly ClientReport[];
}

type Reached = NonNullable<ClientReport["reached"]>;

/**
 * One check-in, from what is known of the device to what it is answered and what is kept of it. Pure: the gateway brings it over the wire,
 * the simulation without one. A failure told in this very request counts already (rule G8).
 */
export function checkIn(call: ClientCall, known: KnownClient | undefined, sight: ClientSight, now: Instant): AnsweredCall {
  const device = completed(call, known, sight.directory);
  const pilot = isPilot(sight.account.policy, device.user, device.groups);
  const answered = call.asks && answer(device, sight.account, sight.rollouts, sight.fleet, now);
  const reachedBy = (rollout: ClientRolloutView, by?: string): Reached | undefined => {
    const before = known?.attempts.find((attempt) => attempt.rollout === rollout.uid);
    // A device keeps the stage that reached it first, whatever opened since.
    const stage = before?.stage ?? by ?? stageReaching(rollout, device, sight.account);
    return stage === undefined ? undefined : { rollout: rollout.uid, revision: rollout.revision, stage, pilot: before?.pilot ?? pilot };
  };
  const offered = answered?.kind === "Offer" ? reachedBy(answered.rollout, answered.stage) : undefined;
  const running = rolloutOf(device, sight.rollouts);
  const runs = running && reachedBy(running);
  const owner = { account: call.account, device: call.device, at: now, os: call.os, ...(device.user ? { user: device.user } : {}) };
  const report: ClientReport = {
    ...owner,
    ...(call.version === undefined ? {} : { version: call.version }),
    ...(call.requestId === undefined ? {} : { requestId: call.requestId }),
    ...(call.said === undefined ? {} : { said: call.said }),
    ...(offered === undefined && runs === undefined ? {} : { reached: offered ?? runs! }),
    offered: offered !== undefined,
  };
  return {
    ...(answered === undefined ? {} : { answer: answered }),
    track: trackOf(answered?.rollout ?? running ?? newestOf(call.os, sight.rollouts), reachedBy, sight),
    reports: offered !== undefined && runs !== undefined && !isKnownOf(known, runs) ? [confirmation(report, runs), report] : [report],
  };
}

const isKnownOf = (known: KnownClient | undefined, { rollout }: Reached): boolean =>
  known?.attempts.some((attempt) => attempt.rollout === rollout) === true;

/**
 * It runs one version that nobody knew it was reached by, and is offered a newer one: both are told, this one without the request id, of
 * which the other report is counted once. It comes first, because what has no request id counts only if it is newer than all before.
 */
function confirmation({ account, device, at, os, version, user }: ClientReport, reached: Reached): ClientReport {
  return {
    account,
    device,
    at,
    os,
    ...(version === undefined ? {} : { version }),
    ...(user === undefined ? {} : { user }),
    reached,
    offered: false,
  };
}

/** As `answer` wants it: whose computer it is, in which groups, and what failed on it. */
function completed(call: ClientCall, known: KnownClient | undefined, directory: Directory | undefined): CheckIn {
  const { account, device, os, version, asks, said } = call;
  const user = directory?.owners.get(userKey(device)) ?? call.user;
  return {
    account,
    device,
    os,
    ...(version === undefined ? {} : { version }),
    ...(user === undefined ? {} : { user }),
    groups: (user === undefined ? undefined : directory?.groups.get(userKey(user))) ?? [],
    ...(asks?.targetVersionPrefix === undefined ? {} : { targetVersionPrefix: asks.targetVersionPrefix }),
    ...(asks?.updatesDisabled === true ? { updatesDisabled: true } : {}),
    failures: failuresOf(known, said?.meaning === "Failed"),
  };
}

function failuresOf(known: KnownClient | undefined, failsNow: boolean): ReadonlyMap<string, number> {
  const failures = new Map<string, number>();
  const attempts = known?.attempts ?? [];
  for (const { revision, failures: count } of attempts) failures.set(revision, Math.max(count, failures.get(revision) ?? 0));
  const last = failsNow ? lastOffered(attempts) : undefined;
  if (last !== undefined) failures.set(last.revision, (failures.get(last.revision) ?? 0) + 1);
  return failures;
}

const lastOffered = (attempts: readonly ClientAttempt[]): ClientAttempt | undefined =>
  attempts
    .filter(({ offeredAt }) => offeredAt !== undefined)
    .toSorted((one, other) => one.offeredAt! - other.offeredAt!)
    .at(-1);

const ofSystem = (os: ClientSystem, rollouts: readonly ClientRolloutView[]): readonly ClientRolloutView[] =>
  rollouts.filter((rollout) => rollout.os === os && rollout.problem === undefined && rollout.reached !== undefined);

const newestOf = (os: ClientSystem, rollouts: readonly ClientRolloutView[]): ClientRolloutView | undefined => ofSystem(os, rollouts)[0];

/** The rollout whose version the device says it runs (as rule S12: nothing else proves it). */
function rolloutOf({ os, version }: CheckIn, rollouts: readonly ClientRolloutView[]): ClientRolloutView | undefined {
  const reported = readReported(version);
  if (reported === "None" || reported === "Unreadable") return undefined;
  return ofSystem(os, rollouts).find((rollout) => deviceIs(reported, rollout) === "Target");
}

function trackOf(
  rollout: ClientRolloutView | undefined,
  reachedBy: (rollout: ClientRolloutView) => Reached | undefined,
  { account }: ClientSight,
): ClientTrack {
  if (account.policy?.upgrade !== "Automatic") return { kind: "Managed" };
  const reached = rollout && reachedBy(rollout);
  return rollout === undefined || reached === undefined
    ? { kind: "Waiting" }
    : { kind: "Reached", version: rollout.version, stage: reached.stage };
}
