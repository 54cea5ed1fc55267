import { clientPolicy, type ClientPolicy } from "../../api/client-policy.ts";
import { type ClientRollout, clientRolloutSpec, type ClientRolloutStatus } from "../../api/client-rollout.ts";
import type { AccountView, CheckIn } from "./check-in.ts";

/** 5.12.3 for Windows, announced on Monday, general after three weeks, made when it was announced. */
export const ANNOUNCED = "2026-11-02T09:00:00Z";

export function clientRollout(
  given: { name?: string; uid?: string; spec?: Readonly<Record<string, unknown>>; status?: ClientRolloutStatus } = {},
): ClientRollout {
  const { name = "windows-5-12-3", uid = `uid-${name}`, spec = {}, status } = given;
  const general = "supersedes" in spec ? {} : { generalAfter: "504h" };
  return {
    apiVersion: "rollward.dev/v1alpha1",
    kind: "ClientRollout",
    metadata: { name, uid, resourceVersion: "1", generation: 1, creationTimestamp: ANNOUNCED },
    spec: clientRolloutSpec.parse({
      os: "Windows",
      version: "5.12.3",
      announcedAt: ANNOUNCED,
      ...general,
      artifact: { url: "https://artifacts.example.com/client-5.12.3.msi", sha256: "9f86d081".repeat(8), size: 48_000_000 },
      ...spec,
    }),
    ...(status === undefined ? {} : { status }),
  };
}

/** The ledger of a rollout that has come so far. */
export const inPhase = (phase: number, accountsPercent: number, usersPercent: number): ClientRolloutStatus => ({
  reached: { stage: "Phase", phase, accountsPercent, usersPercent, timer: { accumulated: 0 } },
});
export const inStage = (stage: "Exposed" | "Pilot"): ClientRolloutStatus => ({
  reached: { stage, accountsPercent: 0, usersPercent: 0, timer: { accumulated: 0 } },
});

/** Anna's computer in the account acme, on 5.11.0. */
export const checkIn = (given: Partial<CheckIn> = {}): CheckIn => ({
  account: "acme",
  user: "anna@acme.example",
  device: "d-1",
  os: "Windows",
  version: "5.11.0",
  groups: [],
  failures: new Map(),
  ...given,
});

/** An account whose Windows Clients are upgraded automatically; its group `it` is the pilot group. */
export const account = (policy: Partial<ClientPolicy> = {}, given: Partial<AccountView> = {}): AccountView => ({
  labels: { "rollward.dev/account": "acme" },
  policy: clientPolicy.parse({ upgrade: "Automatic", pilotGroup: { groups: ["it"] }, ...policy }),
  failedPilots: new Set(),
  ...given,
});
