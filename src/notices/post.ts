import { request } from "node:https";
import { isIP } from "node:net";

export interface PostCall {
  readonly url: URL;
  /** Without brackets: whose certificate it has to be. */
  readonly host: string;
  /** The address that was looked at; the name is not resolved again, or another answer could lead elsewhere. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
  /** Authorities that count instead of the machine's, PEM. */
  readonly authorities?: string;
}

/** What came of it; `problem` is a sentence without the path, which often is a secret. */
export type Answer = { readonly status: number; readonly retryAfterSeconds?: number } | { readonly problem: string };

/** One POST over TLS on a connection of its own. The body of the answer is not read: its status says all. Never rejects. */
export function post({ url, host, address, headers, body, signal, authorities }: PostCall): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (cause: string) => resolve({ problem: `${host} could not be told (${cause})` });
    const sent = request({
      method: "POST",
      host: address,
      port: url.port === "" ? 443 : Number(url.port),
      path: `${url.pathname}${url.search}`,
      // An address has no name to ask for; its certificate has to bear the address.
      servername: isIP(host) === 0 ? host : "",
      headers: { ...headers, host: url.host, "content-length": String(Buffer.byteLength(body)) },
      agent: false,
      signal,
      minVersion: "TLSv1.2",
      ...(authorities === undefined ? {} : { ca: authorities }),
    });
    const late = () => {
      failed("no answer in time");
      sent.destroy();
    };
    // The reason of the signal, not that it was one.
    sent.on("error", (error: NodeJS.ErrnoException) => failed(signal.aborted ? "no answer in time" : (error.code ?? error.message)));
    sent.on("close", () => failed("the connection was closed without an answer"));
    if (signal.aborted) late();
    else signal.addEventListener("abort", late, { once: true });
    // The connection is ours then, and the request says nothing any more, not even that the time is over.
    sent.on("upgrade", (response, socket) => {
      resolve({ status: response.statusCode ?? 0 });
      socket.destroy();
    });
    sent.on("response", (response) => {
      const wait = Number(response.headers["retry-after"]);
      resolve({ status: response.statusCode ?? 0, ...(Number.isFinite(wait) && wait > 0 ? { retryAfterSeconds: wait } : {}) });
      response.destroy();
    });
    sent.end(body);
  });
}
