import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { CRD_FIELDS, fieldsOf, grown, losses, recorded } from "./crd-fields.ts";

const ROOT = join(import.meta.dirname, "..");
const committed = readdirSync(join(ROOT, "crds")).map((name) => readFileSync(join(ROOT, "crds", name), "utf8"));

const kind = (bake: string, rest = "") => `
spec:
  names: { kind: Sample }
  versions:
    - name: v1alpha1
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            spec:
              type: object
              properties:
                bake: { ${bake} }
                mode: { type: string, enum: [Auto, Manual] }
                ${rest}
`;
const before = fieldsOf([kind('type: string, default: "10m"')]);

it("[I21] no field that a kind ever had is gone, none is required that was not, and no default means another thing", () => {
  expect(losses(recorded(readFileSync(join(ROOT, CRD_FIELDS), "utf8")), fieldsOf(committed))).toEqual([]);
});

it("[I21] names a field with its type, whether it is required, its default and its choices, below lists and maps too", () => {
  const fields = fieldsOf([
    kind(
      "type: integer",
      "waves: { type: array, items: { type: object, properties: { pops: { type: object, additionalProperties: { type: string } } } } }",
    ),
  ]);
  expect(fields).toEqual([
    "Sample v1alpha1 spec.bake: integer",
    "Sample v1alpha1 spec.mode: string of Auto|Manual",
    "Sample v1alpha1 spec.waves: array",
    "Sample v1alpha1 spec.waves[].pops: object",
    "Sample v1alpha1 spec.waves[].pops{}: string",
    "Sample v1alpha1 spec.waves[]: object",
    "Sample v1alpha1 spec: object (required)",
  ]);
  expect(before).toContain('Sample v1alpha1 spec.bake: string = "10m"');
});

const without = (field: string, crd: string) => crd.replace(new RegExp(` +${field}:.*\\n`), "");

it.for([
  ["a field that is gone", without("bake", kind("type: string")), true],
  ["a default that is another", kind('type: string, default: "5m"'), true],
  ["a default that is gone", kind("type: string"), true],
  ["another type", kind('type: integer, default: "10m"'), true],
  ["a field that is new and may be left out", kind('type: string, default: "10m"', "soak: { type: string }"), false],
] as const)("[I21] %s", ([, crd, isLoss]) => {
  const today = fieldsOf([crd]);
  const found = losses(before, today);
  expect(found).toHaveLength(isLoss ? 1 : 0);
  if (isLoss) expect(found[0]).toMatch(/^Sample v1alpha1 spec\.bake /);
  // What is lost stays in the record, so that it is told again at each look.
  expect(losses(recorded(grown(before, today)), today)).toEqual(found);
});

it("[I21] a field that becomes required, or is new and required below what stands already, refuses stored objects", () => {
  const now = fieldsOf([
    kind('type: string, default: "10m"', "soak: { type: string }").replace(
      "spec:\n              type: object",
      "spec:\n              type: object\n              required: [mode, soak]",
    ),
  ]);
  expect(losses(before, now)).toEqual([
    "Sample v1alpha1 spec.mode is required and was not: objects without it are refused",
    "Sample v1alpha1 spec.soak is new and required: objects that stand already are refused",
  ]);
});

it("[I21] a choice that is taken away refuses stored objects; one more does not", () => {
  const taking = (choices: string) => fieldsOf([kind('type: string, default: "10m"').replace("[Auto, Manual]", choices)]);
  expect(losses(before, taking("[Auto]"))).toEqual(["Sample v1alpha1 spec.mode takes Manual no more: objects that say so are refused"]);
  expect(losses(before, taking("[Auto, Manual, Never]"))).toEqual([]);
  expect(recorded(grown(before, taking("[Auto, Manual, Never]")))).toContain("Sample v1alpha1 spec.mode: string of Auto|Manual|Never");
});
