import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { berlin } from "../core/socket-site/socket-site.examples.ts";
import { accountPolicySpec } from "./account-policy.ts";
import { socketRolloutSpec, socketRolloutStatus } from "./socket-rollout.ts";
import { socketSiteSpec, socketSiteStatus } from "./socket-site.ts";

const SAMPLES = join(import.meta.dirname, "../../config/samples/sockets");
const SPECS = { AccountPolicy: accountPolicySpec, SocketRollout: socketRolloutSpec, SocketSite: socketSiteSpec };

test("every sample of the kinds of Sockets is what its schema says, and no field of it is unknown", () => {
  const files = readdirSync(SAMPLES, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml"));
  const texts = files.flatMap((file) => readFileSync(join(SAMPLES, file), "utf8").split(/^---$/m));
  const samples = texts.map((text) => parse(text) as { kind: keyof typeof SPECS; spec: Record<string, unknown> });
  expect(new Set(samples.map(({ kind }) => kind))).toEqual(new Set(Object.keys(SPECS)));
  for (const { kind, spec } of samples) expect(SPECS[kind].strict().parse(spec), kind).toMatchObject(spec);
});

test("what a person must write of a SocketRollout is version, announcedAt and artifact; the ramp is 5, 25, 100, week by week", () => {
  const { ramp, expected, failureBudget } = socketRolloutSpec.parse({
    version: "18.3.3",
    announcedAt: "2026-11-20T09:00:00Z",
    artifact: { url: "socket.swu", sha256: "a".repeat(64), size: 1 },
  });
  expect(ramp.map((step) => [step.percent, step.for])).toEqual([
    [5, "168h"],
    [25, "168h"],
    [100, "168h"],
  ]);
  expect(expected).toEqual({ download: "5m", install: "20m", failover: "2m", verify: "10m" });
  expect(failureBudget).toEqual({ attemptedAtLeast: 50, failedPercent: 2 });
});

test("an AccountPolicy that says nothing means standby first, and that mixed pairs are mended by themselves", () => {
  expect(accountPolicySpec.parse({})).toEqual({ sockets: { order: "StandbyFirst", haRemediation: "Automatic" } });
});

test("the examples that other tests begin with keep to the schemas", () => {
  const { site, rollouts } = berlin();
  expect(socketSiteStatus.parse(site.status)).toEqual(site.status);
  expect(socketSiteSpec.parse(site.spec)).toEqual(site.spec);
  for (const { ramp } of rollouts) expect(socketRolloutStatus.parse({ ramp })).toEqual({ ramp });
});
