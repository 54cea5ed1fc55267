import { describe, expect, it } from "vitest";
import { type Approval, approvalSpec, approvalStatus } from "../../api/approval.ts";
import type { ClientRolloutStatus } from "../../api/client-rollout.ts";
import { inStage } from "../client/client.examples.ts";
import { type ClientApprovalObservation, decideClientApproval } from "./approval-verdict.ts";

const NOW = Date.parse("2026-11-23T12:00:00Z");
const [DIGEST, OTHER] = ["a", "b"].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string];
const WAITS: ClientRolloutStatus = { observedGeneration: 1, ...inStage("Pilot"), digest: DIGEST };

const approval = (given: object = {}): Approval => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "Approval",
  metadata: { name: "ok", uid: "u", resourceVersion: "1", generation: 1 },
  spec: approvalSpec.parse({
    for: { kind: "ClientRollout", name: "windows-5-12-3", uid: "uid", digest: DIGEST },
    actions: ["Promote"],
    decision: "Approve",
    reason: "looked at by hand",
    approvedBy: "second@example.com",
    expiresAt: "2026-11-24T00:00:00Z",
    ...given,
  }),
});
const seen = (given: Partial<ClientApprovalObservation> & { status?: ClientRolloutStatus } = {}): ClientApprovalObservation => ({
  approval: approval(),
  rollout: { name: "windows-5-12-3", uid: "uid", status: given.status ?? WAITS },
  rollouts: ["windows-5-12-3"],
  approvers: [],
  ...given,
});
const verdict = (observed: ClientApprovalObservation, now = NOW) => {
  const [accepted] = approvalStatus.parse(decideClientApproval(observed, now).status).conditions!;
  return [`${accepted!.status} ${accepted!.reason}`, accepted!.message] as const;
};

describe("[F8] an Approval of a ClientRollout says on itself", () => {
  it("that it counts, of which stage, and after its use for what it was used, also when the rollout is gone", () => {
    expect(verdict(seen())).toEqual(["True Accepted", "it counts: it approves that the stage after stage pilot opens"]);
    expect(decideClientApproval(seen(), NOW).wakeAt).toBe(Date.parse("2026-11-24T00:00:00Z"));
    const stage = {
      name: "pilot",
      openedAt: "2026-11-02T09:00:00Z",
      endedAt: "2026-11-23T11:00:00Z",
      outcome: "Approved" as const,
      approval: "ok",
    };
    const status = approvalStatus.parse(decideClientApproval(seen({ status: { observedGeneration: 1, stages: [stage] } }), NOW).status);
    expect(status.used).toEqual([{ action: "Promote", at: "2026-11-23T11:00:00Z", for: "stage pilot" }]);
    const { rollout: _, ...gone } = seen({ approval: { ...approval(), status } });
    expect(decideClientApproval(gone, NOW + 1).status).toBeUndefined();
  });

  it("why it does nothing, and what could be approved instead", () => {
    const other = { kind: "ClientRollout", name: "windows-5-12-3", uid: "uid", digest: OTHER };
    expect(verdict(seen({ approval: approval({ for: other }) }))).toEqual([
      "False OtherDigest",
      expect.stringContaining(`Promote: ${DIGEST}`),
    ]);
    expect(verdict(seen({ approval: approval({ for: { ...other, uid: "before" } }) }))[0]).toBe("False OtherObject");
    expect(verdict(seen({ approvers: ["chief@example.com"] }))).toEqual([
      "False NotAnApprover",
      expect.stringContaining("chief@example.com"),
    ]);
    expect(verdict(seen({ approval: approval({ actions: ["RetryFailed"] }) }))[0]).toBe("False WrongAction");
    expect(verdict(seen(), NOW + 86_400_000)[0]).toBe("False Expired");
    expect(verdict(seen({ status: {} }))[0]).toBe("Unknown NotYetLookedAt");
    const { rollout: _, ...unknown } = seen();
    expect(verdict(unknown)).toEqual(["False RolloutUnknown", expect.stringContaining("there are windows-5-12-3")]);
  });

  it("once, with an Event where somebody thinks that it counts", () => {
    const { rollout: _, ...unknown } = seen();
    const first = decideClientApproval(unknown, NOW);
    expect(first.events).toMatchObject([{ type: "Warning", reason: "RolloutUnknown" }]);
    const again = { ...unknown, approval: { ...approval(), status: first.status! } };
    expect(decideClientApproval(again, NOW + 1_000)).toMatchObject({ events: [] });
    expect(decideClientApproval(again, NOW + 1_000).status).toBeUndefined();
  });
});
