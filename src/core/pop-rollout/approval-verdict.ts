import type { Approval, ApprovalSpec, ApprovalStatus } from "../../api/approval.ts";
import type { Condition } from "../../api/common.ts";
import type { CONDITION_REASONS } from "../../api/conditions.ts";
import type { PopRolloutSpec, PopRolloutStatus } from "../../api/pop-rollout.ts";
import { sameJson } from "../canonical-json.ts";
import { setCondition } from "../conditions.ts";
import type { Announcement, Decision, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { cleanText } from "../text.ts";
import { actionsText, flawOf, type Use, usedIn } from "./approvals.ts";
import { hasFailed } from "./view.ts";

type Action = ApprovalSpec["actions"][number];

/** One Approval with what it names, as plain data. */
export interface ApprovalObservation {
  readonly approval: Approval;
  /** The PoPRollout of the name that it gives; absent: there is none. */
  readonly rollout?: {
    readonly name: string;
    readonly uid: string;
    readonly spec: Pick<PopRolloutSpec, "class" | "requestedBy" | "waves">;
    readonly status: PopRolloutStatus;
  };
  /** The PoPRollouts that there are. */
  readonly rollouts: readonly string[];
  readonly approvers: readonly string[];
  /** The names of the freezes of the Fleet and of the windows of its PoPs. */
  readonly freezes: readonly string[];
}

interface Verdict {
  readonly status: Condition["status"];
  readonly reason: keyof (typeof CONDITION_REASONS)["Accepted"];
  readonly message: string;
}

const MOST_USES = 32;

/**
 * What an Approval is good for, said on itself (rule F8): what it was used for, that it counts, or why it does not and what to write
 * instead. It decides nothing: a rollout reads Approvals by their spec alone.
 */
export function decideApproval(seen: ApprovalObservation, now: Instant): Decision<ApprovalStatus, never> {
  const { approval } = seen;
  const before = approval.status ?? {};
  const isOver = approval.metadata.deletionTimestamp !== undefined;
  if (isOver || approval.spec.for.kind !== "PoPRollout") return { actions: [], events: [], probes: [], holds: [] };
  const used = usesOf(seen, before);
  const verdict = verdictOf(seen, used, now);
  const generation = approval.metadata.generation ?? 0;
  const status: ApprovalStatus = {
    observedGeneration: generation,
    ...(used.length === 0 ? {} : { used }),
    conditions: setCondition(before.conditions, { type: "Accepted", ...verdict }, generation, now),
  };
  const expires = Date.parse(approval.spec.expiresAt);
  const wakes = approval.spec.decision === "Approve" && used.length === 0 && expires > now;
  const rest = { actions: [], probes: [], holds: [], ...(wakes ? { wakeAt: expires } : {}) };
  if (sameJson(status, before)) return { ...rest, events: [] };
  return { ...rest, status, events: told(before, verdict) };
}

/** Somebody wrote it and thinks that it counts: that it does not is said once for each reason. */
function told(before: ApprovalStatus, { status, reason, message }: Verdict): Announcement[] {
  const known = before.conditions?.find(({ type }) => type === "Accepted")?.reason;
  return status === "False" && known !== reason ? [{ type: "Warning", reason, action: "Judge", message: cleanText(message, 1024) }] : [];
}

/** What it was used for by now; that stays when the rollout is deleted. */
function usesOf({ approval, rollout }: ApprovalObservation, { used = [] }: ApprovalStatus): Use[] {
  const mine = rollout && rollout.uid === approval.spec.for.uid ? (usedIn(rollout.status).get(approval.metadata.name) ?? []) : [];
  const fresh = mine.filter((use) => !used.some((one) => one.action === use.action && one.for === use.for));
  return [...used, ...fresh].slice(0, MOST_USES);
}

function verdictOf({ approval, rollout, rollouts, approvers, freezes }: ApprovalObservation, used: readonly Use[], now: Instant): Verdict {
  const { metadata, spec } = approval;
  const { name } = metadata;
  const no = (reason: Verdict["reason"], message: string): Verdict => ({ status: "False", reason, message });
  if (used.length > 0) {
    const uses = used.map((use) => `${use.action} of ${use.for} at ${use.at}`);
    return { status: "True", reason: "Used", message: `it was used: ${listText(uses, 8)}; that stays when it expires` };
  }
  if (rollout === undefined) {
    const there = rollouts.length === 0 ? "there is none in this namespace" : `there are ${listText(rollouts, 5)}`;
    return no("RolloutUnknown", `it names PoPRollout ${spec.for.name}, which does not exist (${there}); ${anew("NAME")}`);
  }
  const flaw = flawOf({ name, spec }, { ...rollout, requestedBy: rollout.spec.requestedBy, approvers });
  if (flaw !== undefined) {
    const instead = flaw.reason === "OtherObject" ? anew(rollout.name) : "it changes nothing; somebody who may has to write another one";
    return no(flaw.reason === "NotThis" ? "NothingWaits" : flaw.reason, `${flaw.message}; ${instead}`);
  }
  const all = subjectsOf(rollout, freezes);
  const subject = all.find(({ digest }) => digest === spec.for.digest);
  if (spec.decision === "Approve" && Date.parse(spec.expiresAt) <= now) {
    const other = subject === undefined ? ", and its digest is that of nothing any more" : "";
    return no("Expired", `it expired at ${spec.expiresAt} before anything used it${other}; now ${waitsText(all)}; ${anew(rollout.name)}`);
  }
  if (all.length === 0)
    return { status: "Unknown", reason: "NotYetLookedAt", message: `the operator has not looked at PoPRollout ${rollout.name} yet` };
  if (subject === undefined)
    return no(
      "OtherDigest",
      `its digest is that of nothing of PoPRollout ${rollout.name} now: members, evidence or version are others, or it never was; now ${waitsText(all)}; ${anew(rollout.name)}`,
    );
  const unknown = unknownFreezes(spec, subject, freezes);
  if (unknown !== undefined) return no("FreezeUnknown", `${unknown}; ${anew(rollout.name)}`);
  return matched(spec, subject, rollout.name);
}

/** It does nothing but lift freezes, and there is none of those names: a slip of the pen would else look like a decision. */
function unknownFreezes(
  { actions, decision, freezes = [] }: ApprovalSpec,
  { asks }: Subject,
  known: readonly string[],
): string | undefined {
  const lifts = actions.includes("LiftFreeze") && decision === "Approve" && !freezes.some((name) => known.includes(name));
  if (!lifts || actions.some((action) => action !== "LiftFreeze" && asks.includes(action))) return undefined;
  const there = known.length === 0 ? "there is none" : `there are ${listText(known, 8)}`;
  return `there is no freeze ${listText(freezes, 8)} that it could lift (${there})`;
}

/** Its digest is that of this: which of its actions does anything? */
function matched(spec: ApprovalSpec, { what, asks, idle, stoppable }: Subject, rollout: string): Verdict {
  const verb = spec.decision === "Approve" ? "approves" : "refuses";
  const counts = spec.actions.filter(
    (action) => asks.includes(action) || (spec.decision === "Refuse" && action === "Promote" && stoppable),
  );
  if (counts.length > 0) return { status: "True", reason: "Accepted", message: `it counts: it ${verb} ${listText(counts, 4)} of ${what}` };
  const silent = spec.actions.flatMap((action) => (idle[action] === undefined ? [] : `${action} of ${what}: ${idle[action]}`));
  if (silent.length > 0) return { status: "Unknown", reason: "NothingWaits", message: `it was looked up for ${listText(silent, 4)}` };
  const right = asks[0] ?? (Object.keys(idle) as Action[])[0] ?? "Promote";
  return {
    status: "False",
    reason: "WrongAction",
    message: `its digest is that of ${what}, which asks for ${listText([...asks, ...Object.keys(idle)], 4)}, and it has ${actionsText(spec.actions)}; write another one with actions: [${right}] (rollward approve popro/${rollout} --action ${right})`,
  };
}

interface Subject {
  readonly what: string;
  readonly digest: string;
  /** What an Approval of it does something with now. */
  readonly asks: readonly Action[];
  /** A refusal holds it, although no Approval is asked for. */
  readonly stoppable: boolean;
  /** What could be decided on it, and why nothing asks for that now. */
  readonly idle: Readonly<Partial<Record<Action, string>>>;
}

/** Everything of the rollout that has a digest, as its ledger says it. */
function subjectsOf({ spec, status }: NonNullable<ApprovalObservation["rollout"]>, freezes: readonly string[]): Subject[] {
  const frozen: string | true = freezes.length > 0 || "there is no freeze";
  const { digest, outcome, standing, emergency, stages = [], waves = [], assignments = [] } = status;
  const over = outcome !== undefined ? `the rollout is over (${outcome})` : standing ? "all of its waves are over" : undefined;
  const subject = (what: string, of: string | undefined, asked: Partial<Record<Action, string | true>>, stoppable = false): Subject[] => {
    if (of === undefined) return [];
    const actions = Object.keys(asked) as Action[];
    const idle = actions.flatMap((action): [Action, string][] => {
      const why = over ?? asked[action];
      return typeof why === "string" ? [[action, why]] : [];
    });
    const asks = actions.filter((action) => !idle.some(([one]) => one === action));
    return [{ what, digest: of, asks, idle: Object.fromEntries(idle), stoppable: stoppable && over === undefined }];
  };
  const failed = assignments.some((one) => hasFailed(one) || one.reason === "FailedBefore");
  return [
    ...subject("the rollout as a whole", digest, {
      ...(spec.class === "Emergency" ? { Emergency: emergency === undefined || `it began with Approval ${emergency.approval}` } : {}),
      RetryFailed: failed || "no PoP has failed; it counts for PoPs on which the version failed before their wave opens",
      LiftFreeze: frozen,
    }),
    ...stages.flatMap((stage) => subject(`evidence ${stage.name}`, stage.digest, { Promote: true })),
    ...waves.flatMap(({ name, digest: of, state, openedAt }) => {
      const required = spec.waves.find((wave) => wave.name === name)?.approval === "Required";
      const opened = state === "Pending" ? undefined : `it opened at ${openedAt}`;
      const promote = opened ?? (required || "it opens without an Approval");
      const isOver = state === "Passed" || state === "Skipped";
      return subject(`wave ${name}`, of, { Promote: promote, LiftFreeze: isOver ? "it is over" : frozen }, !isOver);
    }),
  ];
}

/** What could be decided on now, each with the digest that an Approval has to name. */
function waitsText(all: readonly Subject[]): string {
  const waiting = all.filter(({ asks }) => asks.length > 0);
  if (waiting.length === 0) return "nothing of it waits for a person";
  return `an Approval can name ${listText(
    waiting.map(({ what, digest, asks }) => `${what} (${listText(asks, 4)}: ${digest})`),
    6,
  )}`;
}

const anew = (rollout: string): string => `rollward approve popro/${rollout} writes one for what waits now`;
