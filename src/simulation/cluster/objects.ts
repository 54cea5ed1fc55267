import type { KubernetesObject } from "../../control/ports.ts";

/** An object as the store works on it: any fields, and metadata that may still be written. */
export interface RawObject {
  [field: string]: unknown;
  apiVersion: string;
  kind: string;
  metadata: RawMeta;
}

export interface RawMeta {
  [field: string]: unknown;
  name: string;
  generateName?: string;
  namespace?: string;
  uid: string;
  resourceVersion: string;
  generation?: number;
  creationTimestamp: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** A deep copy as it would cross the wire: `undefined` fields vanish, NaN becomes null. The caller's object is never kept. */
export function wireCopy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Freezes to the leaves: what the store gives out is the very object it holds, so a caller who writes into it must hit an error. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

/** Equality of JSON values; the order of an object's fields does not matter. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && sameJson(left[key], right[key]));
}

/** Fields that are maps of strings or quantities wherever they occur: left out when empty, and a null in them is the empty string. */
const MAPS = new Set([
  "labels",
  "annotations",
  "nodeSelector",
  "matchLabels",
  "data",
  "binaryData",
  "capacity",
  "allocatable",
  "limits",
  "requests",
]);

/**
 * What decoding into typed structures with `omitempty` does to a built-in object: null fields, empty lists and empty maps are no fields.
 * It matters for patches: once its last label is gone, a node has no `/metadata/labels` into which one could be added.
 */
export function dropEmpty(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const fields = value as Record<string, unknown>;
  for (const [field, child] of Object.entries(fields)) {
    if (isEmpty(child) || (MAPS.has(field) && isEmptyMap(child))) delete fields[field];
    else if (MAPS.has(field)) nullsToText(child as Record<string, unknown>);
    else dropEmpty(child);
  }
}

function nullsToText(map: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(map)) if (value === null) map[key] = "";
}

const isEmpty = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0);
const isEmptyMap = (value: unknown): boolean => typeof value === "object" && value !== null && Object.keys(value).length === 0;

/** A scalar field as selectors and patterns see it; absent is the empty text. */
export function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** RFC 3339 in whole seconds, as the API server writes its time stamps. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString().replace(/\.\d+Z$/, "Z");

/** `namespace/name`, the order in which a list answers. */
export const keyOf = (name: string, namespace: string | undefined): string => `${namespace ?? ""}/${name}`;

export const asPublic = <T extends KubernetesObject>(object: RawObject): T => object as unknown as T;
