import { expect, test } from "vitest";
import { RANGE_PATTERN } from "./cel.ts";
import { popRolloutSpec } from "./pop-rollout.ts";
import { APPROVAL, POP_ROLLOUT, TUNNEL_SITE } from "./resources.ts";
import type { StructuralSchema } from "./structural-schema.ts";
import { rangeProblem } from "./version.ts";

const accepted = (range: string): boolean => new RegExp(RANGE_PATTERN).test(range);

test("[F8] the API server lets every range through that is read, and no words", () => {
  for (const range of [
    ">=2026.11.2 <2026.11.3",
    ">= 2026.11.2 < 2026.11.3",
    "2026.11.x",
    "^5.10.0 || ~6.1",
    "2026.11.2.1",
    "1.x||2.*",
    "<2026.11.3-rc.1",
    "*",
  ]) {
    expect(rangeProblem(range), range).toBeUndefined();
    expect(accepted(range), range).toBe(true);
  }
  for (const range of ["", "newer than 2026.11.2", "latest", ">=v2026.11.2", "2026.11.2, 2026.11.3"])
    expect(accepted(range), range).toBe(false);
});

test("what a person must write of a PoPRollout is version, requestedBy and waves; the rest has defaults", () => {
  const spec = { version: "2026.11.2", requestedBy: "release-engineer@example.com", waves: [{ name: "rest", pops: { percent: 100 } }] };
  expect(popRolloutSpec.parse(spec)).toMatchObject({
    class: "Regular",
    stages: [],
    failureBudget: { pops: 0 },
    onFailure: "RollBackAll",
    lateJoinersPercent: 5,
    paused: false,
    waves: [{ approval: "None" }],
  });
});

/** Paths of fields that a person writes and that `kubectl explain` would show without a word. */
function undescribed(schema: StructuralSchema, path: string): string[] {
  const fields = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(field.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(field, `${path}.${name}`),
  ]);
  return [...fields, ...(schema.items ? undescribed(schema.items, `${path}[]`) : [])];
}

test.for([POP_ROLLOUT, APPROVAL, TUNNEL_SITE])("kubectl explain says something of every field of a $kind's spec", (resource) => {
  const [version] = resource.crd().spec["versions"] as [{ schema: { openAPIV3Schema: StructuralSchema } }];
  expect(undescribed(version.schema.openAPIV3Schema.properties!["spec"]!, "spec")).toEqual([]);
});
