import { expect, test } from "vitest";
import { z } from "zod";
import { ATOMIC_LIST, mapList, rules, SET_LIST } from "./cel.ts";
import { allResources } from "./resources.ts";
import { structuralSchema, type StructuralSchema } from "./structural-schema.ts";

const TWIN = rules({ rule: "self.a != self.b", message: "write two different names" });
const pair = z.object({ a: z.string().max(8), b: z.string().max(8) });
const different = ({ a, b }: { a: string; b: string }): boolean => a !== b;

test("a refinement without its CEL twin is refused, naming the field; with it the rule is there", () => {
  expect(() => structuralSchema(z.object({ pair: pair.refine(different) }), "spec")).toThrow(
    /spec\.properties\.pair: a refinement has no CEL twin/,
  );
  expect(() =>
    structuralSchema(
      pair.superRefine(() => {}),
      "spec",
    ),
  ).toThrow(/no CEL twin/);
  expect(structuralSchema(pair.meta(TWIN).refine(different), "spec")).toMatchObject(TWIN);
});

test("a twin on another node than the refinement is none", () => {
  expect(() => structuralSchema(z.object({ pair: pair.refine(different).optional().meta(TWIN) }), "spec")).toThrow(/no CEL twin/);
});

test.for([
  [
    "a transform",
    z
      .string()
      .max(8)
      .transform((text) => text.length),
    /transforms and coercion/,
  ],
  ["a trimmed string", z.string().trim().max(8), /transforms and coercion/],
  ["coercion", z.coerce.number(), /transforms and coercion/],
  ["a string without a bound", z.string(), /add \.max\(n\)/],
  ["a list without a bound", z.array(z.boolean()).meta(ATOMIC_LIST), /add \.max\(n\)/],
  ["a list without a list type", z.array(z.boolean()).max(3), /list type/],
  ["a set of objects", z.array(pair).max(3).meta(SET_LIST), /a set holds scalars/],
  ["a map list with an optional key", z.array(pair.partial()).max(3).meta(mapList("a")), /list key a must be a required field/],
  ["a map without a bound", z.record(z.string(), z.boolean()), /maxProperties/],
  ["a union of objects", z.union([pair, z.object({ c: z.boolean() })]), /integer \| string/],
  ["integer | string without rules", z.union([z.int(), z.string().max(4)]), /needs CEL rules/],
  ["a nullable field", z.boolean().nullable(), /nullable/],
  ["an object that allows no other field", z.strictObject({ a: z.boolean() }), /strictObject/],
  ["a reference", pair.meta({ id: "Pair" }), /(\$ref|id)/],
  [
    "look-ahead in a pattern",
    z
      .string()
      .max(8)
      .regex(/^(?!a)/),
    /look-around/,
  ],
  ["a format that the server does not check", z.cidrv4().max(20), /does not check format/],
  ["a duration as ISO means it", z.iso.duration().max(20), /does not check format/],
] as const)("refused: %s", ([, schema, expected]) => {
  expect(() => structuralSchema(z.object({ field: schema as z.ZodType }), "spec")).toThrow(expected);
});

test("looseObject keeps unknown fields, defaults do not become required, integers lose JavaScript's bounds", () => {
  const schema = z.looseObject({
    count: z.int().default(3),
    port: z.int().min(1).max(65_535),
    at: z.iso.datetime({ offset: true }).max(40).optional(),
  });
  expect(structuralSchema(schema, "spec")).toEqual({
    type: "object",
    "x-kubernetes-preserve-unknown-fields": true,
    required: ["port"],
    properties: {
      count: { type: "integer", default: 3, format: "int64" },
      port: { type: "integer", minimum: 1, maximum: 65_535, format: "int64" },
      at: { type: "string", maxLength: 40, format: "date-time" },
    },
  });
});

test("where rules state the form of a string, no pattern and no short bound hides their sentence", () => {
  const time = z
    .string()
    .min(5)
    .max(5)
    .regex(/^[0-9:]{5}$/)
    .meta(rules({ rule: "self.matches('^[0-9:]{5}$')", message: "write 01:00" }));
  expect(structuralSchema(time, "spec")).toEqual({
    type: "string",
    maxLength: 64,
    "x-kubernetes-validations": [{ rule: "self.matches('^[0-9:]{5}$')", message: "write 01:00" }],
  });
});

const walk = (schema: StructuralSchema, path: string, visit: (schema: StructuralSchema, path: string) => void): void => {
  visit(schema, path);
  for (const [name, property] of Object.entries(schema.properties ?? {})) walk(property, `${path}.${name}`, visit);
  if (schema.items) walk(schema.items, `${path}[]`, visit);
  if (schema.additionalProperties) walk(schema.additionalProperties, `${path}.*`, visit);
};

test.for(allResources.map((resource) => [resource.kind, resource] as const))(
  "%s: every rule has a message, every list a list type, every string and list a bound",
  ([kind, resource]) => {
    const [version] = resource.crd().spec.versions as [{ schema: { openAPIV3Schema: StructuralSchema } }];
    for (const part of ["spec", "status"]) {
      walk(version.schema.openAPIV3Schema.properties![part]!, `${kind}.${part}`, (schema, path) => {
        for (const { message } of (schema["x-kubernetes-validations"] ?? []) as { message: string }[])
          expect(message, path).toMatch(/\w{3,}/);
        if (schema.type === "string") expect(schema.maxLength ?? schema.enum, path).toBeDefined();
        if (schema.type === "array") expect([schema["x-kubernetes-list-type"], schema.maxItems], path).not.toContain(undefined);
      });
    }
  },
);

test.for(allResources.map((resource) => [resource.kind, resource] as const))(
  "%s: kubectl shows the columns of a kind that people look for",
  ([, resource]) => {
    const { names, versions } = resource.crd().spec as {
      names: { categories?: string[]; shortNames?: string[] };
      versions?: [{ subresources: object; additionalPrinterColumns: { name: string; type: string }[] }];
    };
    expect(names.categories).toEqual(["rollward"]);
    expect(versions![0].subresources).toEqual({ status: {} });
    expect(versions![0].additionalPrinterColumns.at(-1)).toMatchObject({ name: "Age", type: "date" });
  },
);
