import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { accountPolicySpec, accountPolicyStatus } from "./account-policy.ts";
import { clientRolloutSpec } from "./client-rollout.ts";

const SAMPLES = join(import.meta.dirname, "../../config/samples/clients");
const SPECS = { AccountPolicy: accountPolicySpec, ClientRollout: clientRolloutSpec };

test("every sample of the kinds of Clients is what its schema says, and no field of it is unknown", () => {
  const files = readdirSync(SAMPLES).filter((file) => file.endsWith(".yaml"));
  const texts = files.flatMap((file) => readFileSync(join(SAMPLES, file), "utf8").split(/^---$/m));
  const samples = texts.map((text) => parse(text) as { kind: keyof typeof SPECS; spec: Record<string, unknown> });
  expect(new Set(samples.map(({ kind }) => kind))).toEqual(new Set(Object.keys(SPECS)));
  for (const { kind, spec } of samples) expect(SPECS[kind].strict().parse(spec), kind).toMatchObject(spec);
});

test("what a person must write of a ClientRollout is os, version, announcedAt, generalAfter and artifact", () => {
  const { phases, pilot, requested, health } = clientRolloutSpec.parse({
    os: "Windows",
    version: "5.12.3",
    announcedAt: "2026-11-02T09:00:00Z",
    generalAfter: "504h",
    artifact: { url: "client.msi", sha256: "a".repeat(64), size: 1 },
  });
  expect(phases.map((phase) => [phase.accountsPercent, phase.usersPercent, phase.for, phase.gate.attemptedAtLeast])).toEqual([
    [5, 20, "72h", 200],
    [25, 50, "120h", 200],
    [100, 100, "168h", 200],
  ]);
  expect(pilot).toEqual({ minimumDevices: 50, minimumDays: 14, failedPercentAtMost: 1, patience: "504h" });
  expect([requested, health]).toEqual(["Run", { failedPercentAtMost: 2 }]);
});

test("[C1] a system of the account's policy says how it is upgraded, and shows no user's Client anything unless asked", () => {
  expect(accountPolicySpec.parse({ clients: { windows: { upgrade: "Automatic" } } }).clients).toEqual({
    windows: { upgrade: "Automatic", experience: "Silent" },
  });
  expect(accountPolicySpec.safeParse({ clients: { windows: {} } }).success).toBe(false);
});

test("[I15] what an account sees of its Clients stands in its own status", () => {
  const numbers = { eligible: 9, offered: 8, attempted: 7, confirmed: 6, failed: 1, unreachable: 1 };
  const one = {
    rollout: "windows-5-12-3",
    uid: "u-1",
    os: "Windows",
    version: "5.12.3",
    stage: "phase-1",
    inPhase: true,
    pilot: numbers,
    numbers,
  };
  const clients = [{ ...one, effective: "Paused" as const, reasons: ["the account paused 5.12.3: audit"], supportWeeksLeft: 12 }];
  expect(accountPolicyStatus.parse({ clients })).toEqual({ clients });
});
