import type { Approval, ApprovalStatus } from "../../api/approval.ts";
import type { Condition } from "../../api/common.ts";
import type { CONDITION_REASONS } from "../../api/conditions.ts";
import type { ClientRolloutStatus } from "../../api/client-rollout.ts";
import { sameJson } from "../canonical-json.ts";
import { stageName } from "../client/stage.ts";
import { setCondition } from "../conditions.ts";
import type { Announcement, Decision, Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { cleanText } from "../text.ts";

/** One Approval of a ClientRollout with what it names, as plain data. */
export interface ClientApprovalObservation {
  readonly approval: Approval;
  /** The ClientRollout of the name that it gives; absent: there is none. */
  readonly rollout?: { readonly name: string; readonly uid: string; readonly status: ClientRolloutStatus };
  /** The ClientRollouts that there are. */
  readonly rollouts: readonly string[];
  readonly approvers: readonly string[];
}

interface Verdict {
  readonly status: Condition["status"];
  readonly reason: keyof (typeof CONDITION_REASONS)["Accepted"];
  readonly message: string;
}

/**
 * What an Approval of a ClientRollout is good for, said on itself (rule F8): the stage that it opened, that it counts, or why it does not
 * and what to write instead. It decides nothing: a rollout reads Approvals by their spec alone.
 */
export function decideClientApproval(seen: ClientApprovalObservation, now: Instant): Decision<ApprovalStatus, never> {
  const { approval } = seen;
  const before = approval.status ?? {};
  const rest = { actions: [], probes: [], holds: [] };
  if (approval.metadata.deletionTimestamp !== undefined) return { ...rest, events: [] };
  const used = usesOf(seen, before);
  const verdict = verdictOf(seen, used, now);
  const generation = approval.metadata.generation ?? 0;
  const status: ApprovalStatus = {
    observedGeneration: generation,
    ...(used.length === 0 ? {} : { used: [...used] }),
    conditions: setCondition(before.conditions, { type: "Accepted", ...verdict }, generation, now),
  };
  const expires = Date.parse(approval.spec.expiresAt);
  const wakes = approval.spec.decision === "Approve" && used.length === 0 && expires > now;
  const next = { ...rest, ...(wakes ? { wakeAt: expires } : {}) };
  return sameJson(status, before) ? { ...next, events: [] } : { ...next, status, events: told(before, verdict) };
}

/** Somebody wrote it and thinks that it counts: that it does not is said once for each reason. */
function told(before: ApprovalStatus, { status, reason, message }: Verdict): Announcement[] {
  const known = before.conditions?.find(({ type }) => type === "Accepted")?.reason;
  return status === "False" && known !== reason ? [{ type: "Warning", reason, action: "Judge", message: cleanText(message, 1024) }] : [];
}

type Use = NonNullable<ApprovalStatus["used"]>[number];

/** The stages that it opened; that stays when the rollout is deleted. */
function usesOf({ approval, rollout }: ClientApprovalObservation, { used = [] }: ApprovalStatus): readonly Use[] {
  const mine = rollout?.uid === approval.spec.for.uid ? (rollout.status.stages ?? []) : [];
  const fresh = mine.flatMap(({ name, approval: by, endedAt }): Use[] =>
    by === approval.metadata.name && endedAt !== undefined && !used.some((use) => use.for === `stage ${name}`)
      ? [{ action: "Promote", at: endedAt, for: `stage ${name}` }]
      : [],
  );
  return [...used, ...fresh];
}

function verdictOf(seen: ClientApprovalObservation, used: readonly Use[], now: Instant): Verdict {
  const { approval, rollout, rollouts, approvers } = seen;
  const { metadata, spec } = approval;
  const no = (reason: Verdict["reason"], message: string): Verdict => ({ status: "False", reason, message });
  if (used.length > 0) {
    const uses = used.map((use) => `${use.action} of ${use.for} at ${use.at}`);
    return { status: "True", reason: "Used", message: `it was used: ${listText(uses, 8)}; that stays when it expires` };
  }
  if (rollout === undefined) {
    const there = rollouts.length === 0 ? "there is none in this namespace" : `there are ${listText(rollouts, 5)}`;
    return no("RolloutUnknown", `it names ClientRollout ${spec.for.name}, which does not exist (${there}); ${anew("NAME")}`);
  }
  if (spec.for.uid !== rollout.uid) {
    const other = `Approval ${metadata.name} is for another ClientRollout that was called ${rollout.name}`;
    return no("OtherObject", `${other} (UID ${spec.for.uid}, this one has ${rollout.uid}); ${anew(rollout.name)}`);
  }
  if (approvers.length > 0 && !approvers.includes(spec.approvedBy)) {
    const who = `${cleanText(spec.approvedBy, 128)}, who is not among the Fleet's approvers`;
    const those = listText(approvers.map((one) => cleanText(one, 128)));
    return no("NotAnApprover", `Approval ${metadata.name} is by ${who} (${those}); somebody who may has to write another one`);
  }
  if (spec.decision === "Approve" && Date.parse(spec.expiresAt) <= now) {
    return no(
      "Expired",
      `it expired at ${spec.expiresAt} before anything used it; now ${waitsText(rollout.status)}; ${anew(rollout.name)}`,
    );
  }
  return ofDigest(spec, rollout);
}

/** Somebody who may wrote it in time: is its digest that of what waits? */
function ofDigest(
  { for: { digest }, actions, decision }: Approval["spec"],
  { name, status }: NonNullable<ClientApprovalObservation["rollout"]>,
): Verdict {
  const waits = waitsText(status);
  if (status.observedGeneration === undefined)
    return { status: "Unknown", reason: "NotYetLookedAt", message: `the operator has not looked at ClientRollout ${name} yet` };
  if (digest !== status.digest) {
    const found = `its digest is that of nothing of ClientRollout ${name} now: stage or evidence are others, or it never was`;
    return { status: "False", reason: "OtherDigest", message: `${found}; now ${waits}; ${anew(name)}` };
  }
  if (!actions.includes("Promote")) {
    const instead = `${stageText(status)} asks for Promote, and it has ${listText(actions, 4)}; write another one with actions: [Promote]`;
    return { status: "False", reason: "WrongAction", message: instead };
  }
  const verb = decision === "Approve" ? "approves" : "refuses";
  return { status: "True", reason: "Accepted", message: `it counts: it ${verb} that the stage after ${stageText(status)} opens` };
}

const stageText = ({ reached }: ClientRolloutStatus): string =>
  reached === undefined ? "the announcement" : `stage ${stageName(reached)}`;

/** What could be decided on now, with the digest that an Approval has to name. */
const waitsText = (status: ClientRolloutStatus): string =>
  status.digest === undefined
    ? "nothing of it waits for a person"
    : `an Approval can name ${stageText(status)} (Promote: ${status.digest})`;

const anew = (rollout: string): string => `rollward approve cliro/${rollout} writes one for what waits now`;
