import type { KubeConfig } from "@kubernetes/client-node";
import { Agent, type buildConnector, Client, type Dispatcher } from "undici";
import { ApiError } from "../control/ports.ts";
import { backoffDelay } from "../runtime/backoff.ts";
import { type Clock, sleep } from "../runtime/clock.ts";
import { type Call, mayRepeat, parseBody, queryString, type Stream } from "./call.ts";
import { type Credentials, CredentialSource } from "./credentials.ts";
import { errorOfAnswer } from "./status-error.ts";

export interface TransportSettings {
  readonly kubeconfig: KubeConfig;
  /** Names the server in messages: "the hub". */
  readonly name: string;
  /** `product/version`; the API server makes the field manager of it. */
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random?: () => number;
  /** Connections for calls, all together (default 16); each watch has one of its own besides. */
  readonly maximumConnections?: number;
  /** For a whole call with its retries, unless the call says otherwise (default 10 s). */
  readonly deadlineMilliseconds?: number;
  /** Called for every attempt, watches included; `code` is 0 when no answer came. Must not throw. */
  readonly observe?: (attempt: {
    readonly verb: string;
    readonly kind: string;
    readonly code: number;
    readonly milliseconds: number;
  }) => void;
}

const TCP_KEEP_ALIVE_MILLISECONDS = 30_000;
/** Below the API server's own 90 s, so that we close first and never write into a connection that it is just closing. */
const IDLE_CONNECTION_MILLISECONDS = 60_000;
const CONNECT_MILLISECONDS = 5_000;
const RETRY_BACKOFF = { minimumMilliseconds: 100, maximumMilliseconds: 2_000 };

interface Answer {
  readonly code: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Dispatcher.ResponseData["body"];
}

/**
 * Requests to one API server: HTTP/1.1 only (HTTP/2 requests were seen to hang after a GOAWAY), few kept connections for calls, one
 * of its own for each watch, a deadline on every call, and every failure an ApiError.
 * Reads are repeated on 429, 5xx and broken connections. Writes are repeated only on a 429 or 401, which say that nothing was
 * executed; any other failure of a write is reported, because it may have been done.
 */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #credentials: CredentialSource;
  readonly #streams = new Set<() => void>();
  #agent: { readonly digest: string; readonly agent: Agent } | undefined;
  #closed = false;

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#credentials = new CredentialSource(settings.kubeconfig, settings.clock);
  }

  get name(): string {
    return this.#settings.name;
  }

  /** One call; answers the parsed JSON body. Throws ApiError. */
  async request<T>(call: Call): Promise<T> {
    const { clock } = this.#settings;
    const limit = call.deadlineMilliseconds ?? this.#settings.deadlineMilliseconds ?? 10_000;
    const deadline = clock.elapsed() + limit;
    let unauthorized = false;
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt<T>(call, deadline, limit);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        // Nothing was executed: perhaps the token file was replaced since it was read.
        const refreshed = error.code === 401 && !unauthorized;
        if (refreshed) unauthorized = true;
        else if (!mayRepeat(call, error)) throw error;
        const wait = refreshed ? 0 : Math.max(error.retryAfterMilliseconds ?? 0, this.#backoff(attempt));
        if (this.#closed || clock.elapsed() + wait >= deadline) throw error;
        await sleep(clock, wait);
      }
    }
  }

  /**
   * One call whose answer is somebody else's, handed through: any status, and its text up to `maximumBytes`. Asked once. Throws ApiError
   * where no answer came.
   */
  async exchange(call: Call, maximumBytes: number): Promise<{ readonly code: number; readonly text: string; readonly truncated: boolean }> {
    const { clock } = this.#settings;
    const limit = call.deadlineMilliseconds ?? this.#settings.deadlineMilliseconds ?? 10_000;
    const abort = new AbortController();
    const cancelDeadline = clock.after(limit, () => abort.abort(this.#timeout(call, limit)));
    try {
      const credentials = await this.#readCredentials(call, abort.signal);
      const { code, body } = await this.#send(call, credentials, this.#agentFor(credentials), abort.signal);
      return { code, ...(await this.#beginning(call, body, maximumBytes, abort.signal)) };
    } finally {
      cancelDeadline();
    }
  }

  /**
   * Opens a stream on a connection of its own. `call.deadlineMilliseconds` is for its beginning (until the answer's headers);
   * afterwards silence is the caller's to judge. Throws ApiError when it did not begin; never repeats by itself.
   */
  async stream(call: Call): Promise<Stream> {
    const limit = call.deadlineMilliseconds ?? this.#settings.deadlineMilliseconds ?? 10_000;
    const abort = new AbortController();
    const cancelDeadline = this.#settings.clock.after(limit, () => abort.abort(this.#timeout(call, limit)));
    let client: Client | undefined;
    const close = () => {
      cancelDeadline();
      this.#streams.delete(close);
      if (!abort.signal.aborted) abort.abort(new ApiError(0, "Unreachable", `${this.#what(call)}: closed by us`));
      void client?.destroy().catch(() => {});
    };
    this.#streams.add(close);
    try {
      const credentials = await this.#readCredentials(call, abort.signal);
      client = new Client(credentials.origin, { ...this.#connectionOptions(credentials), headersTimeout: 0, bodyTimeout: 0 });
      const answer = await this.#send(call, credentials, client, abort.signal);
      if (answer.code !== 200) throw await this.#failure(call, answer, abort.signal);
      cancelDeadline();
      return { bytes: this.#bytes(call, answer.body), close };
    } catch (error) {
      close();
      throw error;
    }
  }

  /** Ends all streams and connections; calls under way fail. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const close of this.#streams) close();
    await this.#agent?.agent.destroy();
  }

  async #attempt<T>(call: Call, deadline: number, limit: number): Promise<T> {
    const { clock } = this.#settings;
    const abort = new AbortController();
    const cancelDeadline = clock.after(Math.max(0, deadline - clock.elapsed()), () => abort.abort(this.#timeout(call, limit)));
    try {
      const credentials = await this.#readCredentials(call, abort.signal);
      const answer = await this.#send(call, credentials, this.#agentFor(credentials), abort.signal);
      if (answer.code < 200 || answer.code > 299) throw await this.#failure(call, answer, abort.signal);
      const text = await this.#text(call, answer, abort.signal);
      return parseBody<T>(this.#what(call), text);
    } finally {
      cancelDeadline();
    }
  }

  async #send(call: Call, credentials: Credentials, dispatcher: Dispatcher, signal: AbortSignal): Promise<Answer> {
    const { clock, observe, userAgent } = this.#settings;
    const started = clock.elapsed();
    const report = (code: number) => observe?.({ verb: call.verb, kind: call.kind, code, milliseconds: clock.elapsed() - started });
    try {
      if (this.#closed) throw new Error("the transport is closed");
      const answer = await untilAborted(
        signal,
        dispatcher.request({
          origin: credentials.origin,
          path: credentials.prefix + call.path + queryString(call.query),
          method: call.method,
          headers: {
            ...credentials.headers,
            accept: call.accept ?? "application/json",
            "user-agent": userAgent,
            ...(call.body === undefined ? {} : { "content-type": call.contentType ?? "application/json" }),
          },
          body: call.body === undefined ? null : JSON.stringify(call.body),
          signal,
        }),
      );
      report(answer.statusCode);
      if (answer.statusCode === 401) this.#credentials.forget();
      return { code: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      report(0);
      // Perhaps the server has a new certificate, and we the new authority in a file.
      this.#credentials.forget();
      throw this.#broken(call, error);
    }
  }

  async #failure(call: Call, answer: Answer, signal: AbortSignal): Promise<ApiError> {
    const text = await this.#text(call, answer, signal);
    const retryAfter = answer.headers["retry-after"];
    return errorOfAnswer(this.#what(call), answer.code, text, Array.isArray(retryAfter) ? retryAfter[0] : retryAfter, Date.now());
  }

  async #text(call: Call, answer: Answer, signal: AbortSignal): Promise<string> {
    try {
      const text = await answer.body.text();
      signal.throwIfAborted();
      return text;
    } catch (error) {
      throw this.#broken(call, signal.aborted ? signal.reason : error);
    }
  }

  /** At most so many bytes; the rest is not awaited, for it may never end. */
  async #beginning(
    call: Call,
    body: Answer["body"],
    maximumBytes: number,
    signal: AbortSignal,
  ): Promise<{ readonly text: string; readonly truncated: boolean }> {
    const chunks: Buffer[] = [];
    let length = 0;
    try {
      for await (const chunk of body as AsyncIterable<Buffer>) {
        chunks.push(chunk);
        length += chunk.length;
        if (length > maximumBytes) break;
      }
      signal.throwIfAborted();
    } catch (error) {
      throw this.#broken(call, signal.aborted ? signal.reason : error);
    }
    return { text: Buffer.concat(chunks).subarray(0, maximumBytes).toString("utf8"), truncated: length > maximumBytes };
  }

  async *#bytes(call: Call, body: Answer["body"]): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of body) yield chunk as Uint8Array;
    } catch (error) {
      throw this.#broken(call, error);
    }
  }

  /** Credentials may come from a plugin that hangs: it is under the same deadline. */
  async #readCredentials(call: Call, signal: AbortSignal): Promise<Credentials> {
    try {
      return await untilAborted(signal, this.#credentials.get());
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(0, "Unreachable", `${this.#what(call)}: no credentials: ${messageOf(error)}; nothing was sent`);
    }
  }

  /** The shared agent; a new one when a certificate was replaced. The old one ends when its calls have ended. */
  #agentFor(credentials: Credentials): Agent {
    if (this.#agent?.digest === credentials.digest) return this.#agent.agent;
    void this.#agent?.agent.close().catch(() => {});
    // Our own deadline judges; undici's timers would only add a second opinion.
    const timeouts = { headersTimeout: 0, bodyTimeout: 0, keepAliveTimeout: IDLE_CONNECTION_MILLISECONDS };
    const agent = new Agent({
      ...this.#connectionOptions(credentials),
      ...timeouts,
      connections: this.#settings.maximumConnections ?? 16,
    });
    this.#agent = { digest: credentials.digest, agent };
    return agent;
  }

  #connectionOptions(credentials: Credentials): Pick<Client.Options, "allowH2" | "pipelining" | "connect"> {
    const connect = {
      ...credentials.tls,
      timeout: CONNECT_MILLISECONDS,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEP_ALIVE_MILLISECONDS,
    };
    return { allowH2: false, pipelining: 1, connect: connect as buildConnector.BuildOptions };
  }

  #backoff(attempt: number): number {
    return backoffDelay(RETRY_BACKOFF, attempt, this.#settings.random ?? Math.random);
  }

  #what(call: Call): string {
    return `${call.verb} ${call.title} at ${this.#settings.name}`;
  }

  #timeout(call: Call, limit: number): ApiError {
    const unknown = call.method === "GET" ? "" : "; whether it was done is unknown";
    return new ApiError(0, "Timeout", `${this.#what(call)}: no answer within ${limit} ms${unknown}`);
  }

  #broken(call: Call, error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    const unknown = call.method === "GET" ? "" : "; whether it was done is unknown";
    return new ApiError(0, "Unreachable", `${this.#what(call)}: the connection failed: ${messageOf(error)}${unknown}`);
  }
}

/**
 * The promise, or the reason of the signal as soon as it fires. undici looks at a signal only once a request has its connection:
 * during a handshake that hangs, and in the queue for a free connection, it would let the caller wait.
 */
async function untilAborted<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** The text of an error and of what caused it; undici hides the socket's error behind "fetch failed"-like wrappers. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  const own = error.message || code || error.name;
  return error.cause instanceof Error ? `${own} (${error.cause.message})` : own;
}
