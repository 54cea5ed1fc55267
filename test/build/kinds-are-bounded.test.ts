import { expect, it } from "vitest";
import { allResources } from "../../src/api/resources.ts";

interface Schema {
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

/** Where a schema takes as much as somebody sends. */
function boundless(schema: Schema, path: string): string[] {
  const { type, format, properties = {}, items, additionalProperties } = schema;
  const text = type === "string" && schema.enum === undefined && format !== "date-time" && schema.maxLength === undefined;
  const list = type === "array" && schema.maxItems === undefined;
  const map = additionalProperties !== undefined && additionalProperties !== false && schema.maxProperties === undefined;
  return [
    ...(text || list || map ? [path] : []),
    ...Object.entries(properties).flatMap(([name, one]) => boundless(one, `${path}.${name}`)),
    ...(items === undefined ? [] : boundless(items, `${path}[]`)),
    ...(typeof additionalProperties === "object" ? boundless(additionalProperties, `${path}{}`) : []),
  ];
}

it.for(allResources.map((resource) => [resource.kind, resource] as const))(
  "[I19] every text, list and map of a %s has a limit, in its spec and in its status",
  ([kind, resource]) => {
    const { spec } = resource.crd() as unknown as { spec: { versions: { schema: { openAPIV3Schema: Schema } }[] } };
    for (const { schema } of spec.versions)
      for (const part of ["spec", "status"])
        expect(boundless(schema.openAPIV3Schema.properties?.[part] ?? {}, `${kind} ${part}`)).toEqual([]);
  },
);
