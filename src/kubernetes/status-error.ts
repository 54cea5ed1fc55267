import { ApiError } from "../control/ports.ts";

/** The Status object of the API, as far as it tells failures apart. */
interface Status {
  readonly kind?: string;
  readonly code?: number;
  readonly reason?: string;
  readonly message?: string;
  readonly details?: {
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly field?: string; readonly message?: string }[];
  };
}

/** Names for answers that carry no Status (a proxy's, or of flow control, which answers in plain text). */
const REASONS: Readonly<Record<number, string>> = {
  400: "BadRequest",
  401: "Unauthorized",
  403: "Forbidden",
  404: "NotFound",
  409: "Conflict",
  410: "Expired",
  415: "UnsupportedMediaType",
  422: "Invalid",
  429: "TooManyRequests",
  500: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

const LONGEST_MESSAGE = 1_024;

/**
 * The one place where a Status becomes an ApiError. `what`: what was tried, on what, where (`patch Node fra1-2 at the hub`);
 * `body`: the answer's text.
 */
export function errorOfAnswer(what: string, code: number, body: string, retryAfter: string | undefined, wallClock: number): ApiError {
  return errorOfStatus(
    what,
    parseStatus(body) ?? { message: body.trim().slice(0, 200) },
    code,
    retryAfterMilliseconds(retryAfter, wallClock),
  );
}

/** The same for a Status that came as an object: the ERROR event of a watch. */
export function errorOfStatus(what: string, status: unknown, code?: number, retryAfter?: number): ApiError {
  const { reason, message, details, code: ownCode } = (status ?? {}) as Status;
  const httpCode = code ?? ownCode ?? 500;
  const wait = retryAfter ?? (details?.retryAfterSeconds ? details.retryAfterSeconds * 1_000 : undefined);
  const causes = (details?.causes ?? []).map((cause) => ({
    ...(cause.field === undefined ? {} : { field: cause.field }),
    message: cause.message ?? cause.reason ?? "",
  }));
  const name = reason || REASONS[httpCode] || `Status${httpCode}`;
  const text = `${what}: the server answered ${httpCode} ${name}${message ? `: ${message}` : ""}`;
  return new ApiError(httpCode, name, text.slice(0, LONGEST_MESSAGE), wait, causes);
}

function parseStatus(body: string): Status | undefined {
  if (!body.startsWith("{")) return undefined;
  try {
    const status = JSON.parse(body) as Status;
    return status.kind === "Status" ? status : undefined;
  } catch {
    return undefined;
  }
}

/** Retry-After: seconds, or a date, which is compared with our own wall clock as the only thing there is. */
export function retryAfterMilliseconds(header: string | undefined, wallClock: number): number | undefined {
  if (header === undefined || header === "") return undefined;
  if (/^[0-9]+$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - wallClock);
}
