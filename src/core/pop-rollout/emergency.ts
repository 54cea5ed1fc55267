import type { Instant } from "../decision.ts";
import { cleanText } from "../text.ts";
import { decidedText, ignoredText, rulingOf } from "./approvals.ts";
import { rolloutDigest } from "./digest.ts";
import { nobodyHold } from "./gates.ts";
import { iso, type Outcome } from "./outcome.ts";
import { isEnding, type RolloutView } from "./view.ts";

/** An emergency begins on an Approval by somebody other than who asked for it; once used, it stays used (rule F8). */
export function emergency(view: RolloutView, now: Instant): Outcome | undefined {
  if (!view.emergency || view.ledger.emergency !== undefined || isEnding(view)) return undefined;
  const digest = rolloutDigest(view);
  const ruling = rulingOf(view, "Emergency", digest, now);
  const { name } = view.seen.rollout;
  if (ruling.decision === "Approved") {
    const { approval } = ruling;
    return {
      ledger: { ...view.ledger, emergency: { approval: approval!.name, by: cleanText(approval!.spec.approvedBy, 256), at: iso(now) } },
      events: [
        {
          type: "Warning",
          reason: "EmergencyApproved",
          action: "Approve",
          message: `PoPRollout ${name} begins as an emergency, without windows and notice: ${cleanText(view.spec.reason ?? "", 300)}; approved by ${decidedText(approval!)}`,
        },
      ],
    };
  }
  // Nobody is asked to approve what has nowhere to go; who would get it, and why nobody does, is told instead.
  if (ruling.decision === "None" && nobodyHold(view, now) !== undefined) return undefined;
  const message =
    ruling.decision === "Refused"
      ? `the emergency is refused by ${decidedText(ruling.approval!)}`
      : `an emergency begins on an Approval with action Emergency by somebody other than ${cleanText(view.spec.requestedBy, 128)}, for digest ${digest}${ignoredText(ruling)}`;
  return { holds: [{ rule: "F8", reason: "AwaitingApproval", message }] };
}
