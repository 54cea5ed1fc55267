import type { Instant } from "../decision.ts";
import { versionInRevision, versionOfRevision } from "../rollout/artifact-revision.ts";
import type { ClientAttempt, ClientReport, KnownClient } from "./known-client.ts";
import { isSameVersion } from "./policy.ts";

/** A device with what is needed to take its next report; no port tells that. */
export interface KeptClient extends KnownClient {
  /** UID of the rollout that it was offered last: what it says is of that one. */
  readonly offered?: string;
  /** Its last request ids, the newest last: a request that comes twice counts once (rule G8). */
  readonly requests: readonly string[];
}

/** Older ones are forgotten, and their numbers with them: nobody decides by a version eight versions ago. */
const KEPT_ATTEMPTS = 8;
/** More than one: two gateways may take a device's requests in another order, and a batch that was not answered is written again. */
const KEPT_REQUESTS = 4;
/** A computer that waits for its restart goes on reporting the old version. */
const EFFECT_WITHIN_MS = 86_400_000;

/**
 * The device after one report, or `kept` itself where the report changes nothing: its request was applied before, or it has none and is
 * not newer than what is known. One that another gateway took before (`at` is ours, never the device's clock) moves neither version nor
 * user back, but what it says of an attempt counts: a failure that comes late is a failure.
 */
export function afterReport(kept: KeptClient | undefined, report: ClientReport): KeptClient {
  if (kept !== undefined && isKnown(kept, report)) return kept;
  const { account, device, at } = report;
  const attempts = confirmed(reached(said(kept?.attempts ?? [], kept?.offered, report), report), report);
  const requests = [...(kept?.requests ?? []), ...(report.requestId === undefined ? [] : [report.requestId])].slice(-KEPT_REQUESTS);
  if (kept !== undefined && at < kept.seenAt) return { ...kept, attempts, requests };
  const offered = report.offered ? (report.reached?.rollout ?? kept?.offered) : kept?.offered;
  const user = report.user ?? kept?.user;
  return {
    account,
    device,
    os: report.os,
    ...(report.version === undefined || report.version === "" ? {} : { version: report.version }),
    ...(user === undefined ? {} : { user }),
    firstSeenAt: kept?.firstSeenAt ?? at,
    seenAt: at,
    attempts,
    ...(offered === undefined ? {} : { offered }),
    requests,
  };
}

const isKnown = ({ requests, seenAt }: KeptClient, { requestId, at }: ClientReport): boolean =>
  requestId === undefined ? at <= seenAt : requests.includes(requestId);

type Attempts = readonly ClientAttempt[];

/** Of the rollout that it was offered last; of one that was never offered nothing is concluded. */
function said(attempts: Attempts, offered: string | undefined, report: ClientReport): Attempts {
  const { said: what, version, at } = report;
  if (what === undefined || what.meaning === "Cancelled") return attempts;
  return attempts.map((attempt) => {
    // A device that runs the version has not failed to install it, whatever it still sends.
    if (attempt.rollout !== offered || runs(attempt, version)) return attempt;
    if (what.meaning === "Failed") return failedAgain(attempt, at, what.errorCode);
    const begun = attempt.attemptedAt === undefined ? { ...attempt, attemptedAt: at } : attempt;
    return what.meaning === "Installed" && begun.installedAt === undefined ? { ...begun, installedAt: at } : begun;
  });
}

/** Failed at this instant; what it said before, that it is installed, is over. */
function failedAgain({ installedAt: _over, ...attempt }: ClientAttempt, at: Instant, errorCode: number | undefined): ClientAttempt {
  return {
    ...attempt,
    attemptedAt: attempt.attemptedAt ?? at,
    failedAt: later(attempt.failedAt, at),
    // A number from outside: one that no store holds is left out, the failure counts.
    ...(Number.isSafeInteger(errorCode) ? { errorCode: errorCode! } : {}),
    failures: attempt.failures + 1,
  };
}

/** Stage and group are those of the first time (rule C4): a phase that opens moves nobody. */
function reached(attempts: Attempts, { reached: by, offered, at, version }: ClientReport): Attempts {
  if (by === undefined) return attempts;
  if (!attempts.some(({ rollout }) => rollout === by.rollout)) {
    const attempt = { ...by, reachedAt: at, ...(offered ? { offeredAt: at } : {}), failures: 0 };
    return [...attempts, attempt].toSorted(byAge).slice(-KEPT_ATTEMPTS);
  }
  if (!offered) return attempts;
  return attempts.map((attempt) => {
    if (attempt.rollout !== by.rollout) return attempt;
    if (hasNoEffect(attempt, version, at)) return { ...failedAgain(attempt, at, undefined), installedAt: at };
    return attempt.offeredAt === undefined ? { ...attempt, offeredAt: at } : attempt;
  });
}

/** Installed, as it said, and a day later it has to be offered it again: it may wait for a restart, but not for ever. */
const hasNoEffect = (attempt: ClientAttempt, version: string | undefined, at: Instant): boolean =>
  attempt.installedAt !== undefined && at - attempt.installedAt >= EFFECT_WITHIN_MS && !runs(attempt, version);

const byAge = (one: ClientAttempt, other: ClientAttempt): number =>
  one.reachedAt - other.reachedAt || (one.rollout < other.rollout ? -1 : 1);

/** A Client runs what it says it runs: only that confirms, and whoever runs it did install it. */
const confirmed = (attempts: Attempts, { version, at }: ClientReport): Attempts =>
  attempts.map((attempt) => {
    if (isConfirmed(attempt) || !runs(attempt, version)) return attempt;
    const { installedAt: _over, ...known } = attempt;
    return { ...known, attemptedAt: attempt.attemptedAt ?? at, confirmedAt: later(attempt.confirmedAt, at) };
  });

const later = (one: Instant | undefined, other: Instant): Instant => Math.max(one ?? other, other);

function runs({ revision }: ClientAttempt, version: string | undefined): boolean {
  if (version === undefined) return false;
  const target = versionOfRevision(revision);
  return versionInRevision(version) === target || isSameVersion(version, target);
}

/** What it reported last of the two counts: a device that fell back after it ran the version, and fails again, has failed. */
export const isConfirmed = ({ confirmedAt, failedAt }: ClientAttempt): boolean =>
  confirmedAt !== undefined && (failedAt === undefined || failedAt <= confirmedAt);

export const isFailed = (attempt: ClientAttempt): boolean => attempt.failedAt !== undefined && !isConfirmed(attempt);
