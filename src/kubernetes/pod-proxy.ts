import { ApiError, type DataPlaneAnswer } from "../control/ports.ts";

type Answered = Omit<DataPlaneAnswer, "milliseconds">;

/** `/api/v1/namespaces/NS/pods/SCHEME:NAME:PORT/proxy/PATH`, with the scheme, port, path and query of the URL. */
export function podProxyPath({ name, namespace }: { readonly name: string; readonly namespace: string }, url: string): string {
  const { protocol, port, pathname, search } = new URL(url);
  const scheme = protocol === "https:" ? "https" : "http";
  const asked = port === "" ? { http: "80", https: "443" }[scheme] : port;
  return `/api/v1/namespaces/${namespace}/pods/${scheme}:${name}:${asked}/proxy${pathname}${search}`;
}

/** What the server writes into its Status when it found no way to the pod, before the words of the network. */
const NO_WAY = "error trying to reach service: ";
const REFUSED = /connection refused|connection reset|EOF|broken pipe/;
const SILENT = /i\/o timeout|deadline exceeded|Timeout|no route to host|network is unreachable/;

/**
 * An answer through the proxy, or the error that came in its place: of the pod, or of the server instead of it. A pod that could write such a Status itself would only make
 * itself unknown: no answer with an error is ever taken for a success.
 */
export function podAnswer(answered: unknown, timeoutMilliseconds: number): Answered {
  if (!isAnswer(answered)) return unanswered(answered, timeoutMilliseconds);
  const { code, text, truncated } = answered;
  const said = code >= 400 ? statusOf(text) : undefined;
  if (said === undefined) return { status: code, body: text, ...(truncated ? { truncated } : {}) };
  const nothing = (body: string, known: Partial<Answered>): Answered => ({ status: 0, body, ...known });
  if (said.message.includes(NO_WAY)) {
    const why = said.message.slice(said.message.indexOf(NO_WAY) + NO_WAY.length);
    if (REFUSED.test(why)) return nothing(why, { refused: true });
    return SILENT.test(why) ? nothing(why, {}) : nothing(why, { unreadable: true });
  }
  if (code === 404 && said.kind === "pods") return nothing("the pod is not there any more", {});
  const grant = code === 403 ? "; grant get and create of pods/proxy in that namespace" : "";
  return nothing(`the API server answers ${code} instead of the pod: ${said.message}${grant}`, { unreadable: true });
}

const isAnswer = (found: unknown): found is { readonly code: number; readonly text: string; readonly truncated: boolean } =>
  typeof found === "object" && found !== null && !(found instanceof Error) && "text" in found;

/** No answer within the time may be the pod's silence or the server's: only the pod's is asked for, so it is the pod's until a watch says otherwise. */
function unanswered(error: unknown, timeoutMilliseconds: number): Answered {
  if (error instanceof ApiError && error.reason === "Timeout") return { status: 0, body: `no answer within ${timeoutMilliseconds} ms` };
  return { status: 0, body: error instanceof Error ? error.message : String(error), unreadable: true };
}

/** The server's own Status, where the body is one. */
function statusOf(text: string): { readonly message: string; readonly kind: string | undefined } | undefined {
  try {
    const { kind, apiVersion, message, details } = JSON.parse(text) as Record<string, unknown>;
    if (kind !== "Status" || apiVersion !== "v1") return undefined;
    const of = (details as { readonly kind?: unknown } | undefined)?.kind;
    return { message: typeof message === "string" ? message : "", kind: typeof of === "string" ? of : undefined };
  } catch {
    return undefined;
  }
}
