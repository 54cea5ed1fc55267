import type { ApprovalSpec } from "../../api/approval.ts";
import type { PopRolloutStatus } from "../../api/pop-rollout.ts";
import type { Instant } from "../decision.ts";
import { listText } from "../health/wording.ts";
import { cleanText } from "../text.ts";
import type { ObservedApproval } from "./observation.ts";
import type { RolloutView } from "./view.ts";

type Action = ApprovalSpec["actions"][number];

/** What people have decided on one thing (rule F8). */
export interface Ruling {
  readonly decision: "None" | "Approved" | "Refused";
  /** The Approval that says so. */
  readonly approval?: ObservedApproval;
  /** Why those that name it do not count, each a sentence. */
  readonly ignored: readonly string[];
}

/** What can be decided on a wave or a stage, and on a rollout as a whole: `LiftFreeze` on either. */
const ON_PART: readonly Action[] = ["Promote", "LiftFreeze"];
const ON_WHOLE: readonly Action[] = ["Emergency", "RetryFailed", "LiftFreeze"];

/**
 * The newest decision on this digest that counts (rule F8): bound to the UID, by somebody who may and who did not ask for the rollout. A
 * refusal counts as long as it stands; an approval is not used for the first time after it expired. What was used for something else is
 * passed over in silence; any other that does not count is told.
 */
export function rulingOf(view: RolloutView, action: Action, digest: string, now: Instant): Ruling {
  const { fleet, rollout, approvals } = view.seen;
  const approvers = fleet.found ? fleet.approvers : [];
  const used = usedIn(view.ledger);
  const about = approvals.filter(({ spec }) => spec.actions.includes(action) || spec.for.digest === digest);
  const judged = about.map((approval) => ({
    approval,
    flaw: flawOf(approval, { ...rollout, requestedBy: view.spec.requestedBy, approvers }) ?? problemOf(approval, action, digest, now),
  }));
  const ignored = judged.flatMap(({ approval: { name, spec }, flaw }) =>
    flaw === undefined || flaw.reason === "NotThis" || (used.has(name) && spec.for.digest !== digest) ? [] : flaw.message,
  );
  const counting = judged.filter(({ flaw }) => flaw === undefined).map(({ approval }) => approval);
  // In doubt, no: a refusal of the same second goes before an approval.
  const [newest] = counting.toSorted(
    (a, b) =>
      Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(a.spec.decision === "Approve") - Number(b.spec.decision === "Approve"),
  );
  if (newest === undefined) return { decision: "None", ignored };
  return { decision: newest.spec.decision === "Approve" ? "Approved" : "Refused", approval: newest, ignored };
}

/** Why an Approval does not count, as a reason and a sentence that begins with its name. */
export interface Flaw {
  readonly reason: "OtherObject" | "ByRequester" | "NotAnApprover" | "Expired" | "OtherDigest" | "WrongAction" | "NotThis";
  readonly message: string;
}

/** Why an Approval counts for nothing of the rollout that it names, whatever it is looked up for; undefined when it can count. */
export function flawOf(
  { name, spec }: Pick<ObservedApproval, "name" | "spec">,
  of: { readonly name: string; readonly uid: string; readonly requestedBy: string; readonly approvers: readonly string[] },
): Flaw | undefined {
  const by = cleanText(spec.approvedBy, 128);
  if (spec.for.uid !== of.uid)
    return {
      reason: "OtherObject",
      message: `Approval ${name} is for another PoPRollout that was called ${of.name} (UID ${spec.for.uid}, this one has ${of.uid})`,
    };
  if (by === cleanText(of.requestedBy, 128))
    return {
      reason: "ByRequester",
      message: `Approval ${name} is by ${by}, who asked for the rollout: a second person has to decide`,
    };
  if (of.approvers.length > 0 && !of.approvers.includes(spec.approvedBy))
    return {
      reason: "NotAnApprover",
      message: `Approval ${name} is by ${by}, who is not among the Fleet's approvers (${listText(of.approvers.map((one) => cleanText(one, 128)))})`,
    };
  return undefined;
}

/** Why an Approval does not decide this; undefined when it does. One for another part of the rollout is `NotThis`: nothing is wrong with it. */
function problemOf({ name, spec }: ObservedApproval, action: Action, digest: string, now: Instant): Flaw | undefined {
  const same = spec.for.digest === digest;
  const fits = spec.actions.includes(action);
  const known = action === "Promote" ? ON_PART : ON_WHOLE;
  if (!fits && (!same || spec.actions.some((one) => known.includes(one)))) return { reason: "NotThis", message: "" };
  if (spec.decision === "Approve" && Date.parse(spec.expiresAt) <= now)
    return { reason: "Expired", message: `Approval ${name} expired at ${spec.expiresAt}${same ? "" : ", and names another digest"}` };
  if (!same) return { reason: "OtherDigest", message: `Approval ${name} names another digest, so something else was approved` };
  if (!fits)
    return {
      reason: "WrongAction",
      message: `Approval ${name} names this digest with ${actionsText(spec.actions)}, and what is asked for is ${action}: write another one with actions: [${action}]`,
    };
  return undefined;
}

export const actionsText = (actions: readonly Action[]): string => `${actions.length === 1 ? "action" : "actions"} ${listText(actions, 4)}`;

/** What was done with Approvals, as the ledger of their rollout keeps it. */
export interface Use {
  readonly action: Action;
  readonly at: string;
  /** What it was used for: `wave rest`, `evidence ci`, `the rollout`. */
  readonly for: string;
}

/** Everything that Approvals were used for, by their names (rule F8). */
export function usedIn({ waves = [], stages = [], emergency, freezesLifted = [], assignments = [] }: PopRolloutStatus): Map<string, Use[]> {
  const found: (Use & { readonly approval: string })[] = [
    ...waves.flatMap(({ name, approval }) =>
      approval ? [{ approval: approval.name, action: "Promote" as const, at: approval.at, for: `wave ${name}` }] : [],
    ),
    ...stages.flatMap(({ name, approval, since }) =>
      approval === undefined ? [] : [{ approval, action: "Promote" as const, at: since, for: `evidence ${name}` }],
    ),
    ...(emergency ? [{ approval: emergency.approval, action: "Emergency" as const, at: emergency.at, for: "the rollout" }] : []),
    ...freezesLifted.map(({ approval, at, wave }) => ({
      approval,
      action: "LiftFreeze" as const,
      at,
      for: wave === undefined ? "the rollout" : `wave ${wave}`,
    })),
    ...assignments.flatMap(({ retriedBy, wave, retryAt }) =>
      retriedBy === undefined || retryAt === undefined
        ? []
        : [{ approval: retriedBy, action: "RetryFailed" as const, at: retryAt, for: `wave ${wave}` }],
    ),
  ];
  const uses = new Map<string, Use[]>();
  for (const { approval, ...use } of found) {
    const list = uses.get(approval) ?? [];
    if (!list.some((one) => one.action === use.action && one.for === use.for)) uses.set(approval, [...list, use]);
  }
  return uses;
}

/** Who decided and why, for a sentence. */
export const decidedText = ({ name, spec }: ObservedApproval): string =>
  `${cleanText(spec.approvedBy, 128)} (Approval ${name}): ${cleanText(spec.reason, 300)}`;

/** The sentences about Approvals that do not count, for the end of a message. */
export const ignoredText = ({ ignored }: Ruling): string => (ignored.length === 0 ? "" : `; ${listText(ignored, 4)}`);
