import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { Clock } from "../../../src/runtime/clock.ts";
import type { NodeAddress } from "../../../src/simulation/nodes/node-fleet.ts";

const PORT = 9100;

/** The node check that a PoP gets whose data plane warms up. */
export const WARM_CHECK = {
  name: "warm",
  http: { port: PORT, path: "/warm" },
  address: "Node",
  successes: 1,
  failures: 2,
  interval: "2s",
  timeout: "1s",
} as const;

/**
 * The nodes of one PoP warm up: after each start of the data plane they answer 503 on a port of their own until so many milliseconds of
 * the calendar have passed. When a data plane started is asked of it itself, over HTTP.
 */
export class WarmUp {
  readonly #clock: Clock;
  readonly #version: string;
  readonly #milliseconds: number;
  readonly #servers: Server[] = [];
  /** Until when, by node; only of those that were asked for. */
  readonly #until = new Map<string, number>();

  private constructor(clock: Clock, version: string, milliseconds: number) {
    this.#clock = clock;
    this.#version = version;
    this.#milliseconds = milliseconds;
  }

  /** Only starts of this version are slow. */
  static async start(nodes: readonly NodeAddress[], clock: Clock, version: string, milliseconds: number): Promise<WarmUp> {
    const warmUp = new WarmUp(clock, version, milliseconds);
    await Promise.all(nodes.map((node) => warmUp.#serve(node)));
    return warmUp;
  }

  /** When a node that warms up now is warm; undefined for every other one. */
  warmAt(node: string): number | undefined {
    const until = this.#until.get(node);
    return until !== undefined && until > this.#clock.now() ? until : undefined;
  }

  async end(): Promise<void> {
    await Promise.all(this.#servers.map((server) => (server.closeAllConnections(), server.close(), once(server, "close"))));
  }

  async #serve({ name, address }: NodeAddress): Promise<void> {
    const server = createServer((_, response) => {
      void this.#isWarm(name, address).then((warm) => response.writeHead(warm ? 200 : 503).end());
    });
    this.#servers.push(server);
    server.listen(PORT, address);
    await once(server, "listening");
  }

  async #isWarm(name: string, address: string): Promise<boolean> {
    try {
      const answer = await fetch(`http://${address}:8080/healthz`, { signal: AbortSignal.timeout(900) });
      const { started, version } = (await answer.json()) as { readonly started: number | string; readonly version: string };
      if (version !== this.#version) return true;
      this.#until.set(name, new Date(started).getTime() + this.#milliseconds);
      return this.warmAt(name) === undefined;
    } catch {
      return false;
    }
  }
}
