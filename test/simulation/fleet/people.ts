import type { ApprovalSpec } from "../../../src/api/approval.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { APPROVAL, POP_ROLLOUT } from "../../../src/api/resources.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { stageQuery } from "./fleet-invariants.ts";
import { DAY, type FleetScenario } from "./fleet-scenario.ts";

export const REQUESTER = "release-train@example.com";
export const APPROVER = "second@example.com";

/** A person asks for a rollout; `spec` says what of it differs from two waves at the next departure. */
export async function ask(scenario: FleetScenario, name: string, spec: object): Promise<void> {
  await scenario.create(POP_ROLLOUT, {
    apiVersion: POP_ROLLOUT.apiVersion,
    kind: "PoPRollout",
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: {
      requestedBy: REQUESTER,
      waves: [
        { name: "canary", pops: { count: 2 }, bake: "20m" },
        { name: "rest", pops: { percent: 100 }, bake: "20m" },
      ],
      ...spec,
    },
  });
}

/** A stage that asks the monitoring system whether the version has passed there. */
export const stageOf = (name: string) => ({
  name,
  check: {
    prometheus: {
      server: { url: "http://prometheus.simulation:9090" },
      query: stageQuery(name, "${version}"),
      passIf: ">= 1",
    },
  },
});

/** The monitoring system says from now on that the stage passes. */
export function passes(scenario: FleetScenario, stage: string, version: string): void {
  const query = stageQuery(stage, version);
  scenario.world.prometheus.replies.set(query, 1);
  scenario.invariants.passes(query);
}

let decisions = 0;

export async function decideOn(
  scenario: FleetScenario,
  rollout: PopRollout,
  digest: string,
  changes: Partial<ApprovalSpec> = {},
): Promise<void> {
  await scenario.create(APPROVAL, {
    apiVersion: APPROVAL.apiVersion,
    kind: "Approval",
    metadata: { name: `decision-${++decisions}`, namespace: FLEET_NAMESPACE },
    spec: {
      for: { kind: "PoPRollout", name: rollout.metadata.name, uid: rollout.metadata.uid, digest },
      actions: ["Promote"],
      decision: "Approve",
      reason: "the numbers are good",
      approvedBy: APPROVER,
      expiresAt: new Date(scenario.world.clock.now() + 3 * DAY).toISOString(),
      ...changes,
    },
  });
}

/** Approves, with the digests that stand there, whatever of the rollout waits for a person. */
export async function approve(scenario: FleetScenario, rollout: PopRollout, changes: Partial<ApprovalSpec> = {}): Promise<void> {
  const { status, spec } = rollout;
  if (!status?.holds?.some(({ reason }) => reason === "AwaitingApproval")) return;
  if (spec.class === "Emergency" && !status.emergency && status.digest)
    return decideOn(scenario, rollout, status.digest, { actions: ["Emergency"], ...changes });
  const wave = status.waves?.find(({ state, digest }) => state === "Pending" && digest !== undefined);
  if (wave?.digest) await decideOn(scenario, rollout, wave.digest, changes);
}
