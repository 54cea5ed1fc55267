import { canonicalJson } from "../core/canonical-json.ts";
import { ApiError, isInvalid } from "./ports.ts";

/**
 * A status that the schema refuses (422) is a fault of ours and no conflict: the same write would be tried again at once, for ever and
 * unheard. As an error it is told, and backs off.
 */
export async function unlessRefused<T>(what: string, write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ApiError && error.code === 422)
      throw new Error(`the API server refuses the status of ${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** An effect that the server takes for invalid (422 with causes): told by what it was, on what, with the server's words. It backs off. */
export async function unlessInvalid<T>(effect: string, what: string, done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    if (!isInvalid(error)) throw error;
    const { message } = error as ApiError;
    throw new Error(
      `${effect} for ${what} is invalid to the API server, and nothing of it was done: ${message}; it is tried again ever more seldom; ` +
        "mend what it names: a schema, or the policy or webhook that refuses it",
      { cause: error },
    );
  }
}

/**
 * The status as the server keeps it. One that it refuses, or keeps otherwise than it was written (a CRD older than the operator drops
 * its new fields, a webhook edits it), would be decided and written again at once, for ever. As an error it is told, and backs off.
 */
export async function asWritten<Written extends { readonly status?: object }>(
  what: string,
  status: object,
  write: Promise<Written>,
): Promise<Written> {
  const written = await unlessRefused(what, write);
  const kept: object = written.status ?? {};
  if (canonicalJson(kept) === canonicalJson(status)) return written;
  const fields = [...new Set([...Object.keys(status), ...Object.keys(kept)])].filter(
    (field) => canonicalJson(valueOf(status, field)) !== canonicalJson(valueOf(kept, field)),
  );
  throw new Error(
    `the API server keeps the status of ${what} otherwise than it was written (${fields.map((field) => `status.${field}`).join(", ")}); ` +
      "apply the CRDs of this operator's version (rollward crds), or look for a webhook that edits it",
  );
}

const valueOf = (object: object, field: string): unknown => (object as Record<string, unknown>)[field] ?? null;
