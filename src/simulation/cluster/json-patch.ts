import type { JsonPatchOperation } from "../../control/ports.ts";
import { patchFailed } from "./errors.ts";
import { sameJson } from "./objects.ts";

/*
 * RFC 6902 as the API server does it, which is not quite the RFC; the packages on npm (fast-json-patch, rfc6902 …) follow the RFC,
 * and our fences (rule G5a) lean on just the differences:
 * - `test` of an absent member with value null passes, but only when its parent is there: `/metadata/annotations/x` of an object without
 *   any annotation fails, whatever the value;
 * - `replace` of an absent member adds it;
 * - negative array indexes count from the end.
 * The conformance suite replays each of these on a real API server.
 */

/** Applies all operations to the document, in place, or throws a 422 and leaves it half-written: hand in a copy. */
export function applyJsonPatch(document: object, operations: readonly JsonPatchOperation[]): void {
  for (const operation of operations) {
    const [parent, key] = locate(document, operation.path);
    if (parent === undefined) throw patchFailed(`${operation.op} ${operation.path}: its parent is not there`);
    if (Array.isArray(parent)) applyToList(parent, key, operation);
    else applyToMap(parent, key, operation);
  }
}

type Members = Record<string, unknown>;

/** The container that holds the last part of the path, undefined when the way to it is not there. */
function locate(document: object, path: string): [Members | unknown[] | undefined, string] {
  const parts = path.split("/").slice(1).map(unescape);
  const key = parts.pop();
  if (key === undefined) return [undefined, ""];
  let current: unknown = document;
  for (const part of parts) {
    if (Array.isArray(current)) current = current[indexOf(part, current.length - 1) ?? -1];
    else if (isMembers(current) && Object.hasOwn(current, part)) current = current[part];
    else return [undefined, key];
  }
  return [isMembers(current) || Array.isArray(current) ? current : undefined, key];
}

const isMembers = (value: unknown): value is Members => typeof value === "object" && value !== null && !Array.isArray(value);

/** `~1` first, then `~0` (RFC 6901): the other order would read `~01` as a slash. */
const unescape = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");

/** A whole number between -(last + 1) and last, as an index from the start; undefined for anything else. */
function indexOf(part: string, last: number): number | undefined {
  if (!/^[+-]?\d+$/.test(part)) return undefined;
  const index = Number(part);
  if (index > last || index < -(last + 1)) return undefined;
  return index < 0 ? index + last + 1 : index;
}

function applyToMap(map: Members, key: string, operation: JsonPatchOperation): void {
  const present = Object.hasOwn(map, key) && map[key] !== null;
  switch (operation.op) {
    case "test":
      if (present ? !sameJson(map[key], operation.value) : operation.value !== null) throw patchFailed(testFailed(operation.path));
      return;
    case "remove":
      if (!Object.hasOwn(map, key)) throw patchFailed(`remove ${operation.path}: it is not there`);
      delete map[key];
      return;
    case "add":
    case "replace":
      map[key] = structuredClone(operation.value);
  }
}

function applyToList(list: unknown[], key: string, operation: JsonPatchOperation): void {
  const missing = (): never => {
    throw patchFailed(`${operation.op} ${operation.path}: the list has ${list.length} items`);
  };
  if (operation.op === "add") {
    const at = key === "-" ? list.length : indexOf(key, list.length);
    list.splice(at ?? missing(), 0, structuredClone(operation.value));
    return;
  }
  const index = indexOf(key, list.length - 1) ?? missing();
  switch (operation.op) {
    case "test":
      if (!sameJson(list[index], operation.value)) throw patchFailed(testFailed(operation.path));
      return;
    case "remove":
      list.splice(index, 1);
      return;
    case "replace":
      list[index] = structuredClone(operation.value);
  }
}

const testFailed = (path: string): string => `test ${path}: it has another value`;
