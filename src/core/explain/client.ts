import type { AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientPolicies, ClientPolicy } from "../../api/client-policy.ts";
import { CLIENT_SYSTEMS, type ClientRollout } from "../../api/client-rollout.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { answer } from "../client/answer.ts";
import { type Cohort, cohortOf } from "../client/cohort.ts";
import { failedPilotsOf } from "../client/failed-pilots.ts";
import type { ClientAttempt, KnownClient } from "../client/known-client.ts";
import type { ClientAnswer } from "../client/no-update.ts";
import { isPilot, policyFor, selects } from "../client/policy.ts";
import { clientViews, type ClientRolloutView } from "../client/rollout-view.ts";
import { reachingPhase } from "../client/stage.ts";
import type { Instant } from "../decision.ts";
import { formatInstant } from "../time/instant.ts";
import { explanation, type Explanation } from "./explanation.ts";
import { holdLines } from "./hold-lines.ts";
import { momentText } from "./moment.ts";

/** As the inventory keeps it, with the groups that the directory names. */
export interface ExplainedDevice extends Omit<KnownClient, "account" | "device"> {
  readonly groups: readonly string[];
}

/** Everything that is known about one Client at one moment. */
export interface ExplainedClient {
  readonly account: string;
  readonly device: string;
  /** Absent: nobody asked the inventory. */
  readonly known?: ExplainedDevice;
  /** Of the account's namespace. */
  readonly labels: Readonly<Record<string, string>>;
  /** `spec.clients` of its AccountPolicy; absent: it has none, so every system is Managed. */
  readonly policies?: ClientPolicies;
  /** Of that AccountPolicy: what became of the account's own pilots. */
  readonly status?: AccountPolicyStatus;
  readonly rollouts: readonly ClientRollout[];
  readonly fleetPaused: boolean;
  /** UIDs of the rollouts whose file no live gateway can read; absent: nobody asked the inventory. */
  readonly missing?: ReadonlySet<string>;
  /** The zone in which people read instants. */
  readonly zone: string;
}

/**
 * One Client: what runs, what comes, why not yet and when. Nothing of a Client stands in the cluster, so it is asked what its next check-in
 * would be answered, by the same pure function (rules C1–C8), and when the phase opens that reaches its user.
 */
export function explainClient(seen: ExplainedClient, now: Instant): Explanation {
  const { known } = seen;
  return known === undefined ? withoutInventory(seen) : explainKnown(seen, known, now);
}

function explainKnown(seen: ExplainedClient, known: ExplainedDevice, now: Instant): Explanation {
  const { account, device, zone } = seen;
  const policy = policyFor(seen.policies, known.os);
  const views = clientViews(seen.rollouts);
  const failures = failuresOf(known.attempts);
  const said = answer(
    {
      account,
      device,
      os: known.os,
      ...(known.version === undefined ? {} : { version: known.version }),
      ...(known.user === undefined ? {} : { user: known.user }),
      groups: known.groups,
      failures,
    },
    { labels: seen.labels, ...(policy === undefined ? {} : { policy }), failedPilots: failedPilotsOf(seen.status, seen.rollouts) },
    views,
    { fresh: true, paused: seen.fleetPaused, ...(seen.missing === undefined ? {} : { missing: seen.missing }) },
    now,
  );
  const about = said.rollout ?? views.find(({ os, problem }) => os === known.os && problem === undefined);
  const rollout = seen.rollouts.find(({ metadata }) => metadata.uid === about?.uid);
  const moment = (instant: Instant): string => momentText(formatInstant(instant), zone);
  return explanation(`Client ${account}/${device} (${known.os}) ${headline(known, said)}`, [
    ["Attention", [...missingLines(seen), ...(said.kind === "Offer" ? fileLines(rollout) : [])]],
    [
      "Runs",
      [
        `${known.version === undefined || known.version === "" ? "It reports no version" : `It reports ${known.version}`}, last heard of ${moment(known.seenAt)}, first ${moment(known.firstSeenAt)}.`,
        known.user === undefined
          ? "No user of it is known, so it counts as its own user."
          : `Its user is ${known.user}${known.groups.length === 0 ? ", in no group of the directory" : `, in ${known.groups.join(", ")}`}.`,
      ],
    ],
    ["Comes", comesLines(seen, known, said, about, rollout)],
    ["Why not yet", said.kind === "Offer" ? [] : whyLines(said, rollout, zone)],
    ["Who comes when", cohortLines(seen, known, about, rollout, policy)],
    ["Attempts", known.attempts.map((attempt) => attemptLine(attempt, seen.rollouts, moment))],
  ]);
}

/** A name that no namespace bears is nobody's account: then nothing is offered, whatever its policy would say. */
const missingLines = ({ account, labels }: Pick<ExplainedClient, "account" | "labels">): string[] =>
  labels[ACCOUNT_LABEL] === undefined
    ? [`No namespace is labelled ${ACCOUNT_LABEL}=${account}, so the account has no policy and nothing is offered to it.`]
    : [];

/** Some gateway can read the file, and those that cannot answer another way. */
const fileLines = (rollout: ClientRollout | undefined): string[] =>
  (rollout?.status?.holds ?? []).filter(({ reason }) => reason === "ArtifactMissing").map(({ message }) => `${message}.`);

function headline({ version }: ExplainedDevice, said: ClientAnswer): string {
  const runs = version === undefined || version === "" ? "is a new installation" : `runs ${version}`;
  if (said.kind === "Offer") return `${runs}; its next check-in is offered ${said.rollout.version}`;
  return said.reason === "UpToDate" ? `${runs}, which is what it should run` : `${runs}; nothing is offered to it (${said.reason})`;
}

/** What comes, and when: an instant that the rollout's own forecast names, or what it depends on. */
function comesLines(
  { zone, ...seen }: ExplainedClient,
  known: ExplainedDevice,
  said: ClientAnswer,
  about: ClientRolloutView | undefined,
  rollout: ClientRollout | undefined,
): string[] {
  if (said.kind === "Offer") {
    const told = said.experience === "Notify" ? "; it tells its user first" : "";
    return [`${said.rollout.version} by ClientRollout ${said.rollout.name}, in stage ${said.stage}, at its next check-in${told}.`];
  }
  if (about === undefined || rollout === undefined || FINAL.has(said.reason)) return [];
  if (said.reason === "ArtifactMissing") {
    return [
      `${about.version} by ClientRollout ${about.name}: its turn has come, and it is offered as soon as a gateway can read the file.`,
    ];
  }
  const cohort = cohortOf({ account: seen.account, device: seen.device, ...(known.user === undefined ? {} : { user: known.user }) }, about);
  const when = phaseMoment(rollout, about, cohort, zone);
  const own = said.reason === "PausedByAccount" || said.reason === "PilotFailed" ? " The account's own hold has to end first." : "";
  return [`${about.version} by ClientRollout ${about.name}: ${when}${own}`];
}

/** Reasons after which no phase brings it: something else has to change first. */
const FINAL: ReadonlySet<string> = new Set([
  "UpToDate",
  "OlderVersion",
  "PolicyManaged",
  "RefusedByClient",
  "VersionUnreadable",
  "NothingAnnounced",
  "FailedBefore",
  "BelowFloor",
  "Superseded",
  "Stopped",
]);

function phaseMoment({ spec, status }: ClientRollout, view: ClientRolloutView, cohort: Cohort, zone: string): string {
  const phase = reachingPhase(cohort, view);
  if (phase === undefined) return "no phase reaches this user.";
  const reached = status?.reached;
  if (reached?.stage === "Phase" && (reached.phase ?? 0) >= phase) return `phase ${phase} has reached this user already.`;
  const foreseen = status?.forecast?.phases.find((one) => one.phase >= phase);
  // The forecast begins with the announcement.
  if (foreseen === undefined && reached === undefined && status?.holds?.some(({ reason }) => reason === "NoticeNotElapsed"))
    return `it is announced ${momentText(spec.announcedAt, zone)}; phase ${phase} reaches this user, at an instant that is foreseen from then on.`;
  if (foreseen === undefined)
    return `phase ${phase} reaches this user; when it opens is not known: ${status === undefined ? "no operator has looked at the rollout yet" : "something holds the rollout that no time ends"}.`;
  return `phase ${phase} reaches this user, ${momentText(foreseen.at, zone)}, if nothing fails and nobody pauses it.`;
}

function whyLines(said: Extract<ClientAnswer, { kind: "NoUpdate" }>, rollout: ClientRollout | undefined, zone: string): string[] {
  const until = said.until === undefined ? "" : `; until ${momentText(formatInstant(said.until), zone)}`;
  const holds = FINAL.has(said.reason) ? [] : (rollout?.status?.holds ?? []);
  return [
    `${said.reason}: ${said.message}${until}.`,
    ...(holds.length === 0 ? [] : [`What ClientRollout ${rollout!.metadata.name} itself waits for:`, ...holdLines(holds, zone)]),
  ];
}

/** Where account and user stand in the order of this version, so that somebody can check the sentence above. */
function cohortLines(
  seen: ExplainedClient,
  known: ExplainedDevice,
  about: ClientRolloutView | undefined,
  rollout: ClientRollout | undefined,
  policy: ClientPolicy | undefined,
): string[] {
  if (about === undefined || rollout === undefined) return [];
  const cohort = cohortOf(
    { account: seen.account, device: seen.device, ...(known.user === undefined ? {} : { user: known.user }) },
    { os: known.os, version: about.version },
  );
  const pilot = selects(rollout.spec.pilot.accounts, seen.labels)
    ? "one of the provider's own accounts, all of whose users are pilots"
    : isPilot(policy, known.user, known.groups)
      ? "in the account's pilot group"
      : undefined;
  return [
    ...(pilot === undefined ? [] : [`Its user is ${pilot}: it gets ${about.version} from the announcement on.`]),
    `Of ${about.version} the account stands at ${percentText(cohort.account)} of the accounts, the user at ${percentText(cohort.user)} of its users; a phase takes those below its percents.`,
  ];
}

const percentText = (fraction: number): string => `${(Math.floor(fraction * 10_000) / 100).toFixed(2)} %`;

function attemptLine(attempt: ClientAttempt, rollouts: readonly ClientRollout[], moment: (instant: Instant) => string): string {
  const rollout = rollouts.find(({ metadata }) => metadata.uid === attempt.rollout);
  const what =
    rollout === undefined
      ? `A rollout that is gone (${attempt.rollout})`
      : `${rollout.spec.version} (ClientRollout ${rollout.metadata.name})`;
  const code = attempt.errorCode === undefined ? "" : ` with error code ${attempt.errorCode}`;
  const steps = [
    attempt.offeredAt === undefined ? undefined : `offered ${moment(attempt.offeredAt)}`,
    attempt.attemptedAt === undefined ? undefined : `began ${moment(attempt.attemptedAt)}`,
    attempt.failedAt === undefined ? undefined : `failed ${moment(attempt.failedAt)}${code}, at ${attempt.failures} check-ins`,
    attempt.confirmedAt === undefined ? undefined : `confirmed ${moment(attempt.confirmedAt)}`,
  ].filter((step) => step !== undefined);
  return `${what}, stage ${attempt.stage}: ${steps.length === 0 ? "not offered yet" : steps.join("; ")}.`;
}

/** Failed check-ins by revision (rule G8), as the gateway counts them. */
function failuresOf(attempts: readonly ClientAttempt[]): ReadonlyMap<string, number> {
  const failures = new Map<string, number>();
  for (const { revision, failures: count } of attempts) failures.set(revision, Math.max(count, failures.get(revision) ?? 0));
  return failures;
}

/** What the cluster alone tells: nothing of the device itself, and of its account when each phase reaches it. */
function withoutInventory({ account, device, labels, policies, rollouts, zone }: ExplainedClient): Explanation {
  const upgraded = CLIENT_SYSTEMS.map((os) => `${os}: ${policyFor(policies, os)?.upgrade ?? "Managed"}`);
  const open = clientViews(rollouts).filter(({ problem, superseded, provider }) => !problem && !superseded && provider !== "Stopped");
  const lines = open.flatMap((view) => {
    const rollout = rollouts.find(({ metadata }) => metadata.uid === view.uid);
    if (rollout === undefined || policyFor(policies, view.os)?.upgrade !== "Automatic") return [];
    const cohort = cohortOf({ account, device }, view);
    const ofAccount = phaseMoment(rollout, view, { account: cohort.account, user: 0 }, zone).replaceAll(
      "this user",
      "the first of its users",
    );
    return [`${view.os} ${view.version} by ClientRollout ${view.name}: ${ofAccount}`, ...holdLines(rollout.status?.holds ?? [], zone)];
  });
  return explanation(`Client ${account}/${device}: only what the cluster tells of its account is known`, [
    ["Attention", missingLines({ account, labels })],
    [
      "Not known",
      [
        "Which system and version it runs, whose it is, when it was heard of last, what was tried on it: that stands in the inventory.",
        "Write --inventory with the URL that the operator has, or set ROLLWARD_INVENTORY.",
      ],
    ],
    ["Policy of the account", [`${upgraded.join(", ")}.`]],
    ["Comes to the account", lines],
  ]);
}
