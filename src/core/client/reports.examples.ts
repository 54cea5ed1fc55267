import fc from "fast-check";
import { CLIENT_SYSTEMS } from "../../api/client-rollout.ts";
import { artifactRevision } from "../rollout/artifact-revision.ts";
import type { ClientReport } from "./known-client.ts";

/** Three versions on their way, so that devices meet several; stages and groups as a gateway would name them. */
const ROLLOUTS = ["5.12.3", "5.12.4", "5.13.0"].map((version) => ({
  rollout: `uid-${version}`,
  revision: artifactRevision({ version, artifact: { sha256: version.replaceAll(".", "").repeat(32) } }),
}));

const option = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
const present = <Shape extends object>(shape: Shape): Shape =>
  Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as Shape;

const report: fc.Arbitrary<ClientReport> = fc
  .record({
    account: fc.constantFrom("acme", "other"),
    device: fc.constantFrom("d-1", "d-2", "anna"),
    at: fc.integer({ min: 0, max: 20 }).map((minute) => Date.parse("2026-11-29T12:00:00Z") + minute * 60_000),
    os: fc.constantFrom(...CLIENT_SYSTEMS, "Windows" as const, "Windows" as const),
    version: option(fc.constantFrom("5.11.0", "5.12.3", "5.12.4", "5.12.4.0", "5.13.0", "", "none")),
    user: option(fc.constantFrom("anna", "Anna", "bert", " ")),
    requestId: option(fc.constantFrom("a", "b", "c", "d", "e", "f")),
    reached: option(
      fc
        .tuple(fc.constantFrom(...ROLLOUTS), fc.constantFrom("pilot", "phase-1", "phase-2"), fc.boolean())
        .map(([rollout, stage, pilot]) => ({ ...rollout, stage, pilot })),
    ),
    offered: fc.boolean(),
    said: option(
      fc
        .record({ meaning: fc.constantFrom("Began", "Installed", "Failed", "Cancelled"), errorCode: option(fc.constant(1603)) })
        .map(present),
    ),
  })
  .map((one) => present({ ...one, offered: one.offered && one.reached !== undefined }) as ClientReport);

/** Of a few devices, in no order of time, with repeats. */
export const anyReports: fc.Arbitrary<readonly ClientReport[]> = fc.array(report, { minLength: 1, maxLength: 40 });
