import type { DataPlaneAnswer, Prober } from "../../control/ports.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import type { InMemoryRuntime } from "./in-memory-runtime.ts";

/** A call in memory takes this long, as far as anybody can tell. */
const MILLISECONDS = 1;
const DEFAULT_MAXIMUM_BYTES = 64 * 1024;

/** The Prober port on the network in memory: `http://<address>:<port>/path` reaches the container that listens there. */
export class SimulatedProber implements Prober {
  readonly #runtime: InMemoryRuntime;
  readonly #clock: Clock;

  constructor(runtime: InMemoryRuntime, clock: Clock) {
    this.#runtime = runtime;
    this.#clock = clock;
  }

  async http({
    method,
    url,
    body,
    timeoutMilliseconds,
    maximumBytes = DEFAULT_MAXIMUM_BYTES,
  }: Parameters<Prober["http"]>[0]): Promise<DataPlaneAnswer> {
    const { hostname, port, pathname, search, protocol } = new URL(url);
    const listener = this.#runtime.listener(hostname, Number(port || (protocol === "https:" ? 443 : 80)));
    if (!listener?.http) return { status: 0, body: `connect ECONNREFUSED ${hostname}:${port}`, milliseconds: MILLISECONDS };
    if (listener.instance.frozen) {
      await sleep(this.#clock, timeoutMilliseconds);
      return { status: 0, body: `No answer within ${timeoutMilliseconds} ms.`, milliseconds: timeoutMilliseconds };
    }
    const text = body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body);
    const answer = listener.http.answer({ method, path: pathname + search, body: text });
    return { status: answer.status, body: answer.body.slice(0, maximumBytes), milliseconds: MILLISECONDS };
  }

  async tcp(host: string, port: number, timeoutMilliseconds: number): Promise<number | undefined> {
    const listener = this.#runtime.listener(host, port);
    // A frozen process still has a kernel that completes the handshake; nothing but silence follows.
    return listener && timeoutMilliseconds > 0 ? MILLISECONDS : undefined;
  }
}
