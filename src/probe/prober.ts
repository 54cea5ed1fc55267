import { lookup as lookUp, type LookupAddress } from "node:dns";
import { connect, type LookupFunction } from "node:net";
import { Agent, request } from "undici";
import type { DataPlaneAnswer, Prober } from "../control/ports.ts";
import { forbiddenText, isForbidden } from "./forbidden-addresses.ts";

/** Of an answer at most this many bytes are kept, unless the call says otherwise. */
const DEFAULT_BYTES = 64 * 1024;
const CONNECTIONS_PER_ORIGIN = 4;
const KEEP_ALIVE_MILLISECONDS = 10_000;
const MAXIMUM_AGENTS = 64;

/** Codes of an answer that is a no: somebody was there. Everything else without an answer is silence. */
const REFUSALS = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "UND_ERR_SOCKET", "HPE_INVALID_CONSTANT"]);

/** A prober that also gives its connections back. */
export interface ClosableProber extends Prober {
  close(): Promise<void>;
}

/**
 * The Prober port on undici: pooled connections of its own (a probe never waits behind the API server's), HTTP/1.1, one deadline over
 * connecting, headers and body, no redirects, no link-local address whatever a name resolves to, and never more in memory than asked for.
 * Nothing here throws: a call that got no answer is `status: 0` with what was found in `body`. `resolve`: the machine's, unless a test
 * has another.
 */
export function createProber(resolve: Resolve = lookUp): ClosableProber {
  const lookup = guarded(resolve);
  const agents = new Map<string, Agent>();
  const agentFor = (ca: string | undefined, fresh: boolean): Agent => {
    const key = `${fresh} ${ca ?? ""}`;
    const known = agents.get(key);
    if (known !== undefined) return known;
    // An authority that is rotated must not leave a pool behind each time. What still runs on the oldest one may finish.
    const oldest = agents.size < MAXIMUM_AGENTS ? undefined : agents.entries().next().value;
    if (oldest !== undefined && agents.delete(oldest[0])) void oldest[1].close();
    const agent = new Agent({
      allowH2: false,
      connections: fresh ? null : CONNECTIONS_PER_ORIGIN,
      // 0: the connection closes after its answer.
      pipelining: fresh ? 0 : 1,
      keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
      connect: { lookup, ...(ca === undefined ? {} : { ca }) },
    });
    agents.set(key, agent);
    return agent;
  };
  return {
    http: (call) => http(agentFor(call.ca, call.fresh === true), call),
    tcp: (host, port, timeoutMilliseconds) => tcp(host, port, timeoutMilliseconds, lookup),
    close: async () => {
      const all = [...agents.values()];
      agents.clear();
      await Promise.all(all.map((agent) => agent.destroy()));
    },
  };
}

/** As node:dns resolves a name to all its addresses. */
export type Resolve = (
  name: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Resolves a name once, and refuses it when one of its addresses is forbidden: the connection goes to what was looked at. Literal
 * addresses are never looked up; `http` and `tcp` look at them themselves.
 */
const guarded =
  (resolve: Resolve): LookupFunction =>
  (name, options, callback) =>
    resolve(name, { ...options, all: true }, (error, addresses) => {
      // Where it failed there are no addresses, whatever the types say.
      if (error !== null) return callback(error, []);
      const [first] = addresses;
      if (first === undefined || addresses.some(({ address }) => isForbidden(address)))
        return callback(Object.assign(new Error(forbiddenText(name)), { code: FORBIDDEN }), []);
      if (options.all === true) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });

const FORBIDDEN = "ERR_FORBIDDEN_ADDRESS";

/** The host of an address without brackets, as the parser of addresses writes it: 2852039166 is 169.254.169.254 there. */
const hostOf = (url: string): string => (URL.canParse(url) ? new URL(url).hostname.replace(/^\[|\]$/g, "") : "");

async function http(dispatcher: Agent, call: Parameters<Prober["http"]>[0]): Promise<DataPlaneAnswer> {
  const started = performance.now();
  const milliseconds = (): number => performance.now() - started;
  const host = hostOf(call.url);
  if (isForbidden(host)) return { status: 0, body: forbiddenText(host), milliseconds: 0 };
  const deadline = AbortSignal.timeout(call.timeoutMilliseconds);
  try {
    const response = await request(call.url, {
      dispatcher,
      method: call.method,
      signal: deadline,
      headersTimeout: 0,
      bodyTimeout: 0,
      headers: { ...(call.body === undefined ? {} : { "content-type": "application/json" }), ...call.headers },
      body: call.body === undefined ? null : JSON.stringify(call.body),
    });
    const { text, truncated } = await readBody(response.body, call.maximumBytes ?? DEFAULT_BYTES);
    return { status: response.statusCode, body: text, milliseconds: milliseconds(), ...(truncated ? { truncated } : {}) };
  } catch (error) {
    if (deadline.aborted) return { status: 0, body: `no answer within ${call.timeoutMilliseconds} ms`, milliseconds: milliseconds() };
    const refused = REFUSALS.has(codeOf(error));
    return { status: 0, body: describe(error), milliseconds: milliseconds(), ...(refused ? { refused } : {}) };
  }
}

/** Reads at most `maximum` bytes; the rest is not awaited, for it may never end. */
async function readBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maximum: number,
): Promise<{ text: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > maximum) {
      body.destroy();
      break;
    }
  }
  return { text: Buffer.concat(chunks).subarray(0, maximum).toString("utf8"), truncated: length > maximum };
}

function tcp(host: string, port: number, timeoutMilliseconds: number, lookup: LookupFunction): Promise<number | "Refused" | undefined> {
  const started = performance.now();
  return new Promise((resolve) => {
    if (!Number.isInteger(port) || port < 1 || port > 65_535 || isForbidden(host)) return resolve(undefined);
    const socket = connect({ host, port, lookup });
    const answer = (found: number | "Refused" | undefined): void => {
      clearTimeout(deadline);
      socket.destroy();
      resolve(found);
    };
    // The socket's own timeout starts again with each packet; this one does not.
    const deadline = setTimeout(() => answer(undefined), timeoutMilliseconds);
    socket.on("connect", () => answer(performance.now() - started));
    socket.on("error", (error) => answer(REFUSALS.has(codeOf(error)) ? "Refused" : undefined));
  });
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  if (typeof code === "string") return code;
  // A name with several addresses fails with all their errors in one.
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : cause;
  return inner === undefined || inner === null ? "" : codeOf(inner);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection closed before the answer",
  UND_ERR_SOCKET: "connection closed before the answer",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no route to the network",
  ENOTFOUND: "the host name does not resolve",
};

function describe(error: unknown): string {
  const code = codeOf(error);
  return WORDS[code] ?? (error instanceof Error && error.message !== "" ? error.message : code);
}
