import type { ApprovalSpec } from "../../api/approval.ts";
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

/**
 * The newest decision on this digest that counts (rule F8): bound to the UID, by somebody who may and who did not ask for the rollout. A
 * refusal counts as long as it stands; an approval is not used for the first time after it expired.
 */
export function rulingOf(view: RolloutView, action: Action, digest: string, now: Instant): Ruling {
  const named = view.seen.approvals.filter(({ spec }) => spec.actions.includes(action));
  const judged = named.map((approval) => ({ approval, problem: problemOf(view, approval, digest, now) }));
  const ignored = judged.flatMap(({ problem }) => problem ?? []);
  const counting = judged.filter(({ problem }) => problem === undefined).map(({ approval }) => approval);
  // In doubt, no: a refusal of the same second goes before an approval.
  const [newest] = counting.toSorted(
    (a, b) =>
      Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(a.spec.decision === "Approve") - Number(b.spec.decision === "Approve"),
  );
  if (newest === undefined) return { decision: "None", ignored };
  return { decision: newest.spec.decision === "Approve" ? "Approved" : "Refused", approval: newest, ignored };
}

/** Why an Approval does not count for this digest; undefined when it does. */
function problemOf(view: RolloutView, { name, spec }: ObservedApproval, digest: string, now: Instant): string | undefined {
  const { fleet, rollout } = view.seen;
  const by = cleanText(spec.approvedBy, 128);
  if (spec.for.uid !== rollout.uid)
    return `Approval ${name} is for another PoPRollout that was called ${rollout.name} (UID ${spec.for.uid})`;
  if (by === cleanText(view.spec.requestedBy, 128))
    return `Approval ${name} is by ${by}, who asked for the rollout: a second person has to decide`;
  if (fleet.found && fleet.approvers.length > 0 && !fleet.approvers.includes(spec.approvedBy))
    return `Approval ${name} is by ${by}, who is not among the Fleet's approvers`;
  if (spec.for.digest !== digest) return `Approval ${name} names another digest, so something else was approved`;
  if (spec.decision === "Approve" && Date.parse(spec.expiresAt) <= now) return `Approval ${name} expired at ${spec.expiresAt}`;
  return undefined;
}

/** Who decided and why, for a sentence. */
export const decidedText = ({ name, spec }: ObservedApproval): string =>
  `${cleanText(spec.approvedBy, 128)} (Approval ${name}): ${cleanText(spec.reason, 300)}`;

/** The sentences about Approvals that do not count, for the end of a message. */
export const ignoredText = ({ ignored }: Ruling): string => (ignored.length === 0 ? "" : `; ${listText(ignored, 4)}`);
