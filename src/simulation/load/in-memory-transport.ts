import type { SessionOffer, SessionReferral } from "../nodes/data-plane.ts";
import type { InMemoryRuntime } from "../nodes/in-memory-runtime.ts";
import { type NodeDirectory, isServing, type NodeList, readHealth, type ServingNode } from "./node-directory.ts";
import { AGAIN, type SessionConnection, type SessionTransport } from "./session-client.ts";

/** Sessions in memory, for the simulation: the same clients, no sockets. */
export class InMemoryTransport implements SessionTransport {
  readonly #runtime: InMemoryRuntime;
  readonly #port: number;

  constructor(runtime: InMemoryRuntime, port: number) {
    this.#runtime = runtime;
    this.#port = port;
  }

  connect(
    node: ServingNode,
    offer: SessionOffer,
    onLost: (referral: SessionReferral) => void,
  ): Promise<SessionConnection | SessionReferral> {
    const { instance, http } = this.#runtime.listener(node.address, this.#port) ?? {};
    // A port that speaks HTTP takes no session, here as on a socket.
    if (!instance || http || instance.frozen) return Promise.resolve(AGAIN);
    const end = (referral: SessionReferral) => {
      instance.connections.delete(cut);
      onLost(referral);
    };
    const cut = () => end(AGAIN);
    const answer = instance.plane.offer(offer, end);
    if (!answer.accepted) return Promise.resolve({ afterMilliseconds: answer.afterMilliseconds, to: answer.to });
    instance.connections.add(cut);
    const close = () => {
      instance.connections.delete(cut);
      answer.leave();
    };
    return Promise.resolve({ close });
  }
}

/** Which nodes serve, asked of the instances in memory. */
export class InMemoryDirectory implements NodeDirectory {
  readonly #runtime: InMemoryRuntime;
  readonly #port: number;
  readonly #nodes: NodeList;

  constructor(runtime: InMemoryRuntime, port: number, nodes: NodeList) {
    this.#runtime = runtime;
    this.#port = port;
    this.#nodes = nodes;
  }

  async serving(): Promise<readonly ServingNode[]> {
    return (await this.#nodes()).flatMap((node) => {
      const listener = this.#runtime.listener(node.address, this.#port);
      if (!listener?.http || listener.instance.frozen) return [];
      const answer = listener.http.answer({ method: "GET", path: "/healthz", body: "" });
      const health = readHealth(answer.status, answer.body);
      return isServing(health) ? [{ ...node, started: health.started }] : [];
    });
  }
}
