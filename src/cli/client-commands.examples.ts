import { ACCOUNT_POLICY, type AccountPolicy, accountPolicySpec, accountPolicyStatus } from "../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout, clientRolloutSpec, clientRolloutStatus } from "../api/client-rollout.ts";
import { API_VERSION } from "../api/common.ts";
import type { Terminal } from "./cli.examples.ts";

/** Calendar milliseconds: a rollout that was announced three weeks ago is in its first phase. */
export const NOW = Date.parse("2026-11-24T12:00:00Z");
export const DIGEST = `sha256:${"a".repeat(64)}`;
export const numbers = (eligible: number, failed = 0) => ({
  eligible,
  offered: eligible,
  attempted: eligible,
  confirmed: eligible - failed,
  failed,
  unreachable: 2,
});

/** Of a rollout in its first phase, the second one to open on Thursday. */
export const STATUS = {
  effective: "Run",
  reached: { stage: "Phase", phase: 1, accountsPercent: 5, usersPercent: 20, timer: { accumulated: 0 } },
  stages: [
    { name: "pilot", openedAt: "2026-11-02T09:00:00Z", endedAt: "2026-11-23T09:00:00Z", outcome: "Passed", numbers: numbers(80) },
    { name: "phase-1", openedAt: "2026-11-23T09:00:00Z", numbers: numbers(300, 1) },
  ],
  numbers: numbers(380, 1),
  forecast: { phases: [{ phase: 2, at: "2026-11-26T09:00:00Z" }], standsAt: "2026-12-08T09:00:00Z" },
  support: { endsAt: "2027-11-01T00:00:00Z", weeksLeft: 48 },
  holds: [{ rule: "C4", reason: "AwaitingEvidence", message: "stage phase-1 lasts until then", until: "2026-11-26T09:00:00Z" }],
};

export function givenRollout(
  terminal: Terminal,
  spec: object = {},
  status: object = STATUS,
  name = "windows-5-12-3",
): Promise<ClientRollout> {
  const artifact = { url: "client.msi", sha256: "a".repeat(64), size: 10 };
  const whole = clientRolloutSpec.parse({
    os: "Windows",
    version: "5.12.3",
    announcedAt: "2026-11-02T09:00:00Z",
    generalAfter: "504h",
    artifact,
    ...spec,
  });
  const draft = { apiVersion: API_VERSION, kind: "ClientRollout" as const, metadata: { name, namespace: "fleet" }, spec: whole };
  return terminal.given<ClientRollout>(CLIENT_ROLLOUT, draft, clientRolloutStatus.parse(status));
}

export function givenPolicy(
  terminal: Terminal,
  spec: object = { windows: { upgrade: "Automatic" } },
  status?: object,
  namespace = "acme",
): Promise<AccountPolicy> {
  const draft = {
    apiVersion: API_VERSION,
    kind: "AccountPolicy" as const,
    metadata: { name: "account", namespace },
    spec: accountPolicySpec.parse({ clients: spec }),
  };
  return terminal.given<AccountPolicy>(ACCOUNT_POLICY, draft, status === undefined ? undefined : accountPolicyStatus.parse(status));
}

/** What an account sees of that rollout. */
export const reads = (uid: string, more: object = {}) => ({
  rollout: "windows-5-12-3",
  uid,
  os: "Windows",
  version: "5.12.3",
  stage: "phase-1",
  inPhase: true,
  numbers: numbers(40, 1),
  effective: "Run",
  nextAt: "2026-11-26T09:00:00Z",
  supportWeeksLeft: 48,
  ...more,
});
