import type { z } from "zod";
import type { CelRule } from "./cel.ts";
import { API_VERSION, GROUP, VERSION } from "./common.ts";
import { structuralSchema, type StructuralSchema } from "./structural-schema.ts";

/** A column of `kubectl get`; priority 1 shows with `-o wide`. */
export interface PrinterColumn {
  readonly name: string;
  readonly jsonPath: string;
  /** Without it: string. Never `date` for an instant to come: kubectl shows how long ago it was. */
  readonly type?: "string" | "integer" | "number" | "boolean" | "date";
  readonly description?: string;
  readonly priority?: number;
}

export const AGE_COLUMN: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };
export const acceptedColumn = (): PrinterColumn => ({ name: "Accepted", jsonPath: '.status.conditions[?(@.type=="Accepted")].status' });

/** What distinguishes a kind beside its schemas. All kinds are namespaced and have a status subresource. */
export interface ResourceDefinition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly PrinterColumn[];
  /** Rules of the whole object: of its name, of spec and status together. */
  readonly rules?: readonly CelRule[];
  /** Paths of scalar spec fields that `--field-selector` understands. */
  readonly selectableFields?: readonly string[];
}

/**
 * A kind of ours as a controller needs it (the shape is that of `Kind` in control/ports), and its CRD. The CRD is computed on
 * demand: the operator starts without it.
 */
export interface Resource<T> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  readonly project?: (object: T) => T;
  readonly crd: () => CustomResourceDefinition;
}

export interface CustomResourceDefinition {
  readonly apiVersion: "apiextensions.k8s.io/v1";
  readonly kind: "CustomResourceDefinition";
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly names: { readonly kind: string; readonly plural: string; readonly [name: string]: unknown };
    readonly [field: string]: unknown;
  };
}

/** Describes a kind. `crd()` throws, naming the field, when a schema says what a CRD cannot (see structuralSchema). */
export function defineResource<T>(definition: ResourceDefinition): Resource<T> {
  const { kind, plural } = definition;
  return { apiVersion: API_VERSION, kind, plural, namespaced: true, crd: () => customResourceDefinition(definition) };
}

function customResourceDefinition(definition: ResourceDefinition): CustomResourceDefinition {
  const { kind, plural, shortNames, columns, selectableFields } = definition;
  const singular = kind.toLowerCase();
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["rollward"] },
      scope: "Namespaced",
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns.map((column) => ({ type: "string", ...column })),
          ...(selectableFields ? { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) } : {}),
          schema: { openAPIV3Schema: objectSchema(definition) },
        },
      ],
    },
  };
}

function objectSchema({ kind, description, spec, status, rules }: ResourceDefinition): StructuralSchema {
  return {
    description,
    type: "object",
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      spec: structuralSchema(spec, `${kind}.spec`),
      status: { description: "Written by the operator alone.", ...structuralSchema(status, `${kind}.status`, { listType: "atomic" }) },
    },
    ...(rules ? { "x-kubernetes-validations": rules } : {}),
  };
}
