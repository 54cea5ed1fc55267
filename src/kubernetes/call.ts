import { ApiError } from "../control/ports.ts";

export interface Call {
  /** For messages and metrics: get, list, watch, create, update, patch, delete, evict. */
  readonly verb: string;
  /** For metrics: the kind, never an object's name. */
  readonly kind: string;
  /** For messages: `Node fra1-2`. */
  readonly title: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Another form of the answer than the whole object. */
  readonly accept?: string;
  readonly deadlineMilliseconds?: number;
  /** False: also a 429 is reported at once (an eviction's 429 is an answer, not a request to wait). */
  readonly retry?: boolean;
}

/** An open stream of a watch. `close` ends it at once; the bytes end with an ApiError when the connection broke. */
export interface Stream {
  readonly bytes: AsyncIterable<Uint8Array>;
  close(): void;
}

/** TCP keep-alive probes begin after this much silence: shorter than what load balancers on the way forget. */

const RETRIED_CODES = new Set([0, 429, 500, 502, 503, 504]);

/** A 429 was not executed. Of anything else a write cannot know, and a blind repetition could do it twice. */
export function mayRepeat(call: Call, error: ApiError): boolean {
  if (call.retry === false || (error.code === 0 && error.reason === "Timeout")) return false;
  if (call.method === "GET") return RETRIED_CODES.has(error.code);
  return error.code === 429 && error.retryAfterMilliseconds !== undefined;
}

/** The query of a call as it is written behind its path. */
export function queryString(query: Call["query"]): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** The parsed body of an answer; `what` says of which call. Throws ApiError. */
export function parseBody<T>(what: string, text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(
      0,
      "Unreachable",
      `${what}: the answer is no JSON (it begins with ${JSON.stringify(text.slice(0, 40))}); something between us and the server answers`,
    );
  }
}
