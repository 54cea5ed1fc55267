// The same for Clients: states of their rollouts.
import { clientRolloutSpec, clientRolloutStatus, type ClientRollout } from "../../../src/api/client-rollout.ts";
import type { Provoked } from "./provoked.ts";

const AT = "2026-11-20T00:00:00Z";
const C2 = { kind: "ClientRollout", name: "c-2", instance: "a" };

const progressing = (reason: string, status: "True" | "False" = "False") => ({
  conditions: [{ type: "Progressing", status, reason, message: "", lastTransitionTime: AT }],
});

/** A rollout in its second phase, of which nothing is to be told. */
export const clientRollout = (status: object = {}): ClientRollout => ({
  apiVersion: "rollward.dev/v1alpha1",
  kind: "ClientRollout",
  metadata: { name: "c-2", namespace: "fleet", uid: "u5", resourceVersion: "1" },
  spec: clientRolloutSpec.parse({
    os: "Windows",
    version: "5.12.3",
    announcedAt: AT,
    generalAfter: "336h",
    artifact: { url: "client.msi", sha256: "a".repeat(64), size: 10 },
  }),
  status: clientRolloutStatus.parse({
    numbers: { eligible: 20_000, offered: 6_000, attempted: 5_500, confirmed: 5_400, failed: 30, unreachable: 800 },
    forecast: { phases: [{ phase: 3, at: "2026-12-01T00:00:00Z" }], standsAt: "2026-12-20T03:00:00Z" },
    ...progressing("Rolling", "True"),
    ...status,
  }),
});

export const clientVersions = [
  { account: "acme", os: "Windows", version: "5.12.3", devices: 5_400, users: 4_000 },
  { account: "acme", os: "Windows", version: "5.11.0", devices: 14_600, users: 12_000 },
  { account: "globex", os: "Linux", version: "", devices: 3, users: 3 },
] as const;

export const PROVOKED_CLIENTS: readonly Provoked[] = [
  {
    alert: "RollwardClientRolloutPaused",
    labels: { ...C2, state: "PausedByMonitoring" },
    summary: "ClientRollout c-2 has paused itself: too many failures, or a figure of monitoring.",
    minutes: 3,
    // A person paused it too, and that alone would wake nobody.
    once: ({ told }) =>
      told.clientRollout(clientRollout({ monitoring: { paused: { at: AT, by: "Failures", message: "" } }, ...progressing("Paused") })),
  },
  {
    alert: "RollwardClientRolloutHeld",
    labels: { ...C2, state: "PilotFailed" },
    summary: "A stage of ClientRollout c-2 failed its gate (PilotFailed).",
    minutes: 18,
    once: ({ told }) => told.clientRollout(clientRollout(progressing("PilotFailed"))),
  },
  {
    alert: "RollwardInventoryUnavailable",
    labels: {},
    summary: "The inventory of devices does not answer.",
    minutes: 13,
    once: ({ told }) => told.clientRollout(clientRollout({ holds: [{ rule: "G9", reason: "InventoryUnavailable", message: "" }] })),
  },
  {
    alert: "RollwardApprovalWaiting",
    labels: C2,
    summary: "ClientRollout c-2 has waited 3d 12h 0m 0s for an approval.",
    minutes: 3,
    once: ({ told }) => told.clientRollout(clientRollout({ digest: "sha256:1", ...progressing("AwaitingEvidence") })),
  },
];
