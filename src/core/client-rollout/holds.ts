import type { ClientRolloutSpec } from "../../api/client-rollout.ts";
import type { Hold, Instant } from "../decision.ts";
import type { Evidence } from "../health/evidence.ts";
import type { ClientRolloutObservation } from "./observation.ts";
import type { Progress } from "./progress.ts";

/** Files that gateways cannot read (rule C7): nobody else in the cluster would learn it, and devices alone would wait. */
export const fileHolds = ({ missing = [] }: Pick<ClientRolloutObservation, "missing">): readonly Hold[] =>
  missing.map(({ gateway, problem }) => ({
    rule: "C7",
    reason: "ArtifactMissing",
    message: `gateway ${gateway} offers it to nobody: ${problem}`,
  }));

/** Why the next stage does not open yet (rules C2, C4, C6), in the order in which people should look at it. */
export function stageHolds(
  { open, reached }: Progress,
  spec: ClientRolloutSpec,
  figure: Evidence | undefined,
  now: Instant,
): readonly Hold[] {
  if (open === undefined || reached === undefined) return [];
  const { step, due } = open;
  return [
    ...evidenceHolds(open, reached.stage === "Pilot", now),
    ...(figure === undefined || figure.verdict === "Passed"
      ? []
      : [{ rule: "G9", reason: "HealthUnknown", message: `no phase opens without it: ${figure.evidence}` } as const]),
    ...(now >= due ? [] : [timeHold(step.name, step.notBefore === due, spec, due)]),
  ];
}

function timeHold(stage: string, notice: boolean, { version }: ClientRolloutSpec, until: Instant): Hold {
  if (notice) return { rule: "C2", reason: "NoticeNotElapsed", message: `the general rollout of ${version} was promised for later`, until };
  return { rule: "C4", reason: "AwaitingEvidence", message: `stage ${stage} lasts until then, and is judged at its end`, until };
}

function evidenceHolds(
  { step, verdict, digest, ruling, due }: NonNullable<Progress["open"]>,
  pilot: boolean,
  now: Instant,
): readonly Hold[] {
  const rule = pilot ? "C2" : "C4";
  switch (verdict.state) {
    case "Passed":
      return [];
    case "Unknown":
      return [
        {
          rule: "G9",
          reason: "InventoryUnavailable",
          message: `the devices of stage ${step.name} are not counted, so nothing is concluded`,
        },
      ];
    case "Failed": {
      const message = `${verdict.found}; write a version that supersedes it, or another limit`;
      return [{ rule, reason: pilot ? "PilotFailed" : "GateFailed", message: `stage ${step.name}: ${message}` }];
    }
    case "Waits":
      // Before the stage is over its time alone is told: too few attempted is nothing to worry about then.
      return now < due
        ? []
        : [
            {
              rule,
              reason: "AwaitingEvidence",
              message: `stage ${step.name}: ${verdict.found}; that is too few so far`,
              until: now + verdict.left,
            },
          ];
    case "Undecided": {
      const refused = ruling?.decision === "Refuse" ? `; refused by ${ruling.text}` : "";
      const asked = `${verdict.found}; that is too few to judge, so a person decides: an Approval of ${digest} with Promote${refused}`;
      return ruling?.decision === "Approve" ? [] : [{ rule, reason: "AwaitingEvidence", message: `stage ${step.name}: ${asked}` }];
    }
  }
}
