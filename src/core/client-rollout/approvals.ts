import { createHash } from "node:crypto";
import { canonicalJson } from "../canonical-json.ts";
import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import type { GateVerdict } from "./gate.ts";
import type { ClientRolloutObservation } from "./observation.ts";

/**
 * What an Approval names that opens the next stage without its evidence (rules C4, F8): the rollout, the stage and what its gate found.
 * Never times, nor numbers that move: waiting changes nothing of it.
 */
export function stageDigest({ rollout: { uid, spec } }: ClientRolloutObservation, stage: string, { state }: GateVerdict): string {
  const subject = { rollout: uid, os: spec.os, version: spec.version, stage, evidence: state };
  return `sha256:${createHash("sha256").update(canonicalJson(subject)).digest("hex")}`;
}

export interface Ruling {
  readonly decision: "Approve" | "Refuse";
  readonly name: string;
  /** Who and why. */
  readonly text: string;
}

/**
 * The newest decision on the digest that counts: of this UID, by somebody who may, and an approval not expired. A refusal counts as long as
 * it stands (rule F8).
 */
export function rulingOf(
  { rollout, approvals, approvers = [] }: ClientRolloutObservation,
  digest: string,
  now: Instant,
): Ruling | undefined {
  const [newest] = approvals
    .filter(({ spec }) => spec.for.uid === rollout.uid && spec.for.digest === digest && spec.actions.includes("Promote"))
    .filter(({ spec }) => approvers.length === 0 || approvers.includes(spec.approvedBy))
    .filter(({ spec }) => spec.decision === "Refuse" || now < Date.parse(spec.expiresAt))
    // In doubt, no: a refusal of the same second goes before an approval.
    .toSorted(
      (a, b) =>
        Date.parse(b.createdAt) - Date.parse(a.createdAt) || Number(a.spec.decision === "Approve") - Number(b.spec.decision === "Approve"),
    );
  if (newest === undefined) return undefined;
  const { name, spec } = newest;
  return { decision: spec.decision, name, text: `${cleanText(spec.approvedBy, 128)} (Approval ${name}): ${cleanText(spec.reason, 300)}` };
}
