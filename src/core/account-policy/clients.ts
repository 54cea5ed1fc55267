import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientPolicy } from "../../api/client-policy.ts";
import type { ClientNumbers } from "../../api/client-rollout.ts";
import { compareVersions, parseVersion } from "../../api/version.ts";
import { accountReached, cohortOf } from "../client/cohort.ts";
import { ownPilotFailed, pauseInForce, pilotOverruled, policyFor, policyKey } from "../client/policy.ts";
import { stageName } from "../client/stage.ts";
import type { Instant } from "../decision.ts";
import { ACKNOWLEDGED_AFTER } from "../rollout/pause.ts";
import { cleanText } from "../text.ts";
import { SECOND } from "../time/civil.ts";
import { formatInstant, parseInstant } from "../time/instant.ts";
import type { AccountPolicyObservation, AccountRollout, SeenClients } from "./observation.ts";

type AccountClients = NonNullable<AccountPolicyStatus["clients"]>[number];

const MOST_ROLLOUTS = 32;
const MESSAGE_LIMIT = 1024;

/**
 * What an account sees of the versions on their way to its Clients (rules C2, C5, I15): of its own systems alone, with its own numbers, and
 * of the others nothing but how far a rollout has come. `effective` is the strictest word of all, and an own pause counts only when every
 * live gateway answers by it.
 */
export function clientsOf(seen: AccountPolicyObservation, now: Instant): { readonly clients: AccountClients[]; readonly wakeAt?: Instant } {
  const { clients, account, policy } = seen;
  if (clients === undefined || account === undefined) return { clients: [] };
  const shown = clients.rollouts
    .filter((rollout) => concerns(rollout, seen))
    .toSorted((one, other) => Number(isOver(one)) - Number(isOver(other)) || newestFirst(one, other))
    .slice(0, MOST_ROLLOUTS);
  const told = shown.map((rollout) => {
    const before = policy.status.clients?.find(({ uid }) => uid === rollout.metadata.uid);
    return entryOf(rollout, { seen, clients, account, before }, now);
  });
  const wakes = told.flatMap(({ wakeAt }) => (wakeAt === undefined || wakeAt <= now ? [] : [wakeAt]));
  return { clients: told.map(({ entry }) => entry), ...(wakes.length === 0 ? {} : { wakeAt: Math.min(...wakes) }) };
}

/** Of a system that the account names or has Clients of. */
function concerns({ metadata, spec, numbers }: AccountRollout, { policy, clients }: AccountPolicyObservation): boolean {
  if (policyFor(policy.spec.clients, spec.os) !== undefined) return true;
  // While nobody counts, what was told stays.
  if (clients?.devices === undefined && policy.status.clients?.some(({ uid }) => uid === metadata.uid) === true) return true;
  return (clients?.devices?.get(spec.os) ?? 0) > 0 || (numbers !== undefined && numbers.all.eligible + numbers.all.attempted > 0);
}

const isOver = ({ status }: AccountRollout): boolean => status?.stopped !== undefined;

function newestFirst(one: AccountRollout, other: AccountRollout): number {
  const [left, right] = [parseVersion(one.spec.version), parseVersion(other.spec.version)];
  const byName = one.metadata.name < other.metadata.name ? -1 : 1;
  return left !== undefined && right !== undefined ? compareVersions(right, left) || byName : byName;
}

interface Around {
  readonly seen: AccountPolicyObservation;
  readonly clients: SeenClients;
  readonly account: string;
  readonly before: AccountClients | undefined;
}

function entryOf(rollout: AccountRollout, around: Around, now: Instant): { readonly entry: AccountClients; readonly wakeAt?: Instant } {
  const { metadata, spec, status } = rollout;
  const { account, before, seen } = around;
  const policy = policyFor(seen.policy.spec.clients, spec.os);
  const numbers = rollout.numbers?.all ?? before?.numbers;
  const pilot = rollout.numbers?.pilots ?? before?.pilot;
  const own = ownHold(rollout, policy, pilot, around, now);
  const general = status?.effective ?? "Run";
  const effective = general === "Run" && own.obeyed ? "Paused" : general;
  const reasons = [...managed(rollout, policy, around), ...generalReasons(rollout), ...own.reasons];
  const { reached } = status ?? {};
  const inPhase = reached?.stage === "Phase" && accountReached(cohortOf({ account, device: "" }, spec), reached);
  const nextAt = reasons.length > 0 ? undefined : nextOf(rollout, now);
  const entry: AccountClients = {
    rollout: metadata.name,
    uid: metadata.uid,
    os: spec.os,
    version: cleanText(spec.version, 64),
    ...(reached === undefined ? {} : { stage: stageName(reached) }),
    inPhase,
    ...(pilot === undefined || hasNoPilots(policy, pilot) ? {} : { pilot }),
    ...(numbers === undefined ? {} : { numbers }),
    effective,
    ...(reasons.length === 0 ? {} : { reasons: reasons.map((reason) => cleanText(reason, MESSAGE_LIMIT)) }),
    ...(own.held === undefined ? {} : { held: own.held }),
    ...(nextAt === undefined ? {} : { nextAt }),
    ...(status?.support === undefined ? {} : { supportWeeksLeft: status.support.weeksLeft }),
  };
  return { entry, ...(own.wakeAt === undefined ? {} : { wakeAt: own.wakeAt }) };
}

/** No pilots are not "none of 0": an account that the provider names for the pilot has no group of its own to be counted. */
const hasNoPilots = (policy: ClientPolicy | undefined, { eligible, attempted }: ClientNumbers): boolean =>
  policy?.pilotGroup === undefined && eligible === 0 && attempted === 0;

/** The next phase of the rollout, or its announcement. */
function nextOf({ spec, status }: AccountRollout, now: Instant): string | undefined {
  const announced = parseInstant(spec.announcedAt);
  if (announced !== undefined && announced > now) return formatInstant(announced);
  return status?.forecast?.phases.find(({ at }) => (parseInstant(at) ?? 0) > now)?.at;
}

function managed({ spec }: AccountRollout, policy: ClientPolicy | undefined, { clients }: Around): string[] {
  if (clients.policyTwice)
    return ["the account has AccountPolicies in two namespaces, so none counts: delete one; nothing is offered until then"];
  return policy?.upgrade === "Automatic" ? [] : [`the account upgrades Clients on ${spec.os} itself; nothing is offered to them`];
}

/** The words of the fleet. Why monitoring paused counts devices of all accounts, so that it did is all that an account is told (I15). */
function generalReasons({ status }: AccountRollout): string[] {
  return (status?.reasons ?? []).map(({ by, message }) =>
    by === "Monitoring" ? "it paused itself: too many failures, or a figure of monitoring" : message,
  );
}

interface OwnHold {
  readonly reasons: readonly string[];
  readonly held?: NonNullable<AccountClients["held"]>;
  /** By every live gateway. */
  readonly obeyed: boolean;
  readonly wakeAt?: Instant;
}

/** The account's own pause, and its own failed pilots; gateways obey both at once, and are known to only a little later. */
function ownHold(
  { spec }: AccountRollout,
  policy: ClientPolicy | undefined,
  pilot: ClientNumbers | undefined,
  { seen, clients, before }: Around,
  now: Instant,
): OwnHold {
  const pause = pauseInForce(policy, spec.version, now);
  const failed =
    pilot !== undefined && ownPilotFailed(pilot, spec.pilot.failedPercentAtMost) && !pilotOverruled(policy, spec.version)
      ? pilot
      : undefined;
  if (policy?.upgrade !== "Automatic" || (pause === undefined && failed === undefined)) return { reasons: [], obeyed: false };
  const overrule = `clients.${policyKey(spec.os)}.overrulePilot goes on all the same`;
  const reasons = [
    ...(pause === undefined ? [] : [`the account paused ${spec.version}: ${pause.reason}`]),
    ...(failed === undefined ? [] : [`${failed.failed} of ${failed.attempted} own pilots failed; ${overrule}`]),
  ];
  const by = pause === undefined ? "Pilot" : "Pause";
  const { generation } = seen.policy;
  const known = before?.held?.by === by && (by === "Pilot" || before.held.generation === generation) ? before : undefined;
  // Rounded up: instants in status have whole seconds, and ten are promised.
  const held = known?.held ?? { by, since: formatInstant(Math.ceil(now / SECOND) * SECOND), generation };
  const { obeyed, wakeAt } = obedience(held, known?.effective === "Paused", clients, now);
  const until = pause?.until === undefined ? undefined : parseInstant(pause.until);
  const wakes = [wakeAt, until].filter((wake) => wake !== undefined);
  return { reasons, held, obeyed, ...(wakes.length === 0 ? {} : { wakeAt: Math.min(...wakes) }) };
}

/**
 * Whether every gateway obeys (rules C5, G15). A pause is confirmed by the generation of the policy that each live replica answers by; one
 * that has been silent for more than ten seconds is not fresh, and offers nothing. Failed pilots stand in status, which has no generation:
 * there ten seconds count, after which a replica has seen it or is not fresh. Obeyed once, it stays so: who starts later reads what is now.
 */
function obedience(
  { by, since, generation }: NonNullable<AccountClients["held"]>,
  before: boolean,
  { replicas }: SeenClients,
  now: Instant,
): { readonly obeyed: boolean; readonly wakeAt?: Instant } {
  if (before) return { obeyed: true };
  const due = (parseInstant(since) ?? now) + ACKNOWLEDGED_AFTER;
  if (by === "Pilot" || replicas === undefined) return now >= due ? { obeyed: true } : { obeyed: false, wakeAt: due };
  const waits = replicas.some((one) => one.generation !== generation && one.silentMilliseconds <= ACKNOWLEDGED_AFTER);
  return waits ? { obeyed: false, wakeAt: now + SECOND } : { obeyed: true };
}
