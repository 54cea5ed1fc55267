import fc from "fast-check";
import { expect, test } from "vitest";
import { VERSION_PATTERN } from "./cel.ts";
import { popClusterSpec } from "./pop-cluster.ts";
import { parseVersion } from "./version.ts";

const accepted = (text: string): boolean => new RegExp(VERSION_PATTERN).test(text);

test("[V1] the API server accepts exactly the versions that are read: 2 to 4 numbers, no leading zeros, a pre-release", () => {
  for (const text of ["17.0", "2026.11.2", "5.10.21.4306", "18.4.0-rc.1", "1.2-0", "1.2--"]) expect(accepted(text), text).toBe(true);
  for (const text of ["17", "v17.0", "2026.01.2", "1.2.3.4.5", "1.2+b", "1.2-", "1.2-01", "1.2-a..b", "1. 2", ""])
    expect(accepted(text), text).toBe(false);
  const nearly = fc.string({ unit: fc.constantFrom("0", "1", "9", ".", "-", "a"), maxLength: 12 });
  fc.assert(
    fc.property(nearly, (text) => {
      expect(accepted(text), text).toBe(parseVersion(text) !== undefined);
    }),
    { numRuns: 5000 },
  );
});

test("what a person must write of a PoPCluster is zone, nodes, window and template; the rest has defaults", () => {
  const spec = {
    timeZone: "Europe/Berlin",
    nodeSelector: {},
    windowRef: { name: "w" },
    template: { spec: { containers: [{ name: "c", image: "i" }] } },
  };
  expect(popClusterSpec.parse(spec)).toMatchObject({
    strategy: { maxUnavailable: 1, perNode: { expected: "8m", deadline: "15m", retries: 1 }, watch: "336h", onWindowEnd: "Hold" },
    health: { node: [], pop: [], minimumSamples: 30 },
    rollback: { automatic: true },
    deletionPolicy: "Orphan",
  });
});
