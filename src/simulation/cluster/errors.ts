import { ApiError, type Kind } from "../../control/ports.ts";

/** The answers of an API server that are no success: code and reason are those of the real one, the sentences are ours. */

export type Cause = ApiError["causes"][number];

/** `daemonsets.apps "x"`, as kubectl users know it. */
export function titleOf(kind: Kind, name: string): string {
  const group = kind.apiVersion.includes("/") ? `.${kind.apiVersion.split("/")[0]}` : "";
  return `${kind.plural}${group} "${name}"`;
}

export const notFound = (kind: Kind, name: string): ApiError => new ApiError(404, "NotFound", `${titleOf(kind, name)} not found`);

export const alreadyExists = (kind: Kind, name: string): ApiError =>
  new ApiError(409, "AlreadyExists", `${titleOf(kind, name)} already exists`);

export const conflict = (kind: Kind, name: string, why: string): ApiError =>
  new ApiError(409, "Conflict", `${titleOf(kind, name)} was not written: ${why}`);

export const badRequest = (message: string): ApiError => new ApiError(400, "BadRequest", message);

export function invalid(kind: Kind, name: string, causes: readonly Cause[]): ApiError {
  const list = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message)).join("; ");
  return new ApiError(422, "Invalid", `${titleOf(kind, name)} is invalid: ${list}`, undefined, causes);
}

export const patchFailed = (message: string): ApiError => new ApiError(422, "Invalid", message);

export function disruptionRefused(cause: string, retryAfterMilliseconds?: number): ApiError {
  const message = `The pod was not evicted, a disruption budget forbids it: ${cause}`;
  return new ApiError(429, "TooManyRequests", message, retryAfterMilliseconds, [{ message: cause }]);
}
