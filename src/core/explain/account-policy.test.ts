import { expect, it } from "vitest";
import { type AccountPolicy, accountPolicySpec, accountPolicyStatus } from "../../api/account-policy.ts";
import { explainAccountPolicy } from "./account-policy.ts";

const numbers = { eligible: 40, offered: 40, attempted: 30, confirmed: 29, failed: 1, unreachable: 10 };
const seen = { rollout: "windows-5-12-3", uid: "u", os: "Windows", version: "5.12.3", inPhase: true, effective: "Run" };

function clientsOf(clients: object | undefined, status: readonly object[]): readonly string[] {
  const policy: AccountPolicy = {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "AccountPolicy",
    metadata: { name: "account", namespace: "acme", uid: "p", resourceVersion: "1" },
    spec: accountPolicySpec.parse(clients === undefined ? {} : { clients }),
    status: accountPolicyStatus.parse({ clients: status }),
  };
  return explainAccountPolicy(policy).sections.find(({ title }) => title === "Clients")?.lines ?? [];
}

it("[C1] [C5] an account's Clients: who upgrades them, who its pilots are, what it paused, and each version on its way", () => {
  const pause = { version: "5.12.3", reason: "the yearly audit", until: "2026-12-20T00:00:00Z" };
  const windows = { upgrade: "Automatic", experience: "Notify", pilotGroup: { groups: ["it"], users: ["anna", "bob"] }, pause };
  const rollout = {
    ...seen,
    stage: "phase-1",
    numbers,
    effective: "Paused",
    reasons: ["the yearly audit"],
    nextAt: "2026-11-26T09:00:00Z",
  };
  expect(clientsOf({ windows, linux: { upgrade: "Managed" } }, [rollout])).toEqual([
    "Windows: Automatic, Notify; pilots: group it, 2 users by name. 5.12.3 is paused until 2026-12-20T00:00:00Z: the yearly audit.",
    "macOS: Managed, nothing is offered.",
    "Linux: Managed, nothing is offered.",
    "Windows 5.12.3 (ClientRollout windows-5-12-3): in stage phase-1, a phase has reached the account; 29 of 40 devices have it, 1 failed, 10 unreachable; Paused: the yearly audit; the next phase opens 2026-11-26T09:00:00Z, if nothing fails.",
  ]);
});

it("an account that says nothing of Clients hears nothing of them", () => {
  expect(clientsOf(undefined, [])).toEqual([]);
  expect(clientsOf({ windows: { upgrade: "Automatic" } }, [{ ...seen, inPhase: false }]).slice(-1)).toEqual([
    "Windows 5.12.3 (ClientRollout windows-5-12-3): not begun, no phase has reached the account yet; not counted yet.",
  ]);
});
