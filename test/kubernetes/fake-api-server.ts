import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { KubeConfig } from "@kubernetes/client-node";
import { type SelfSigned, selfSigned } from "./self-signed.ts";

/** A request as it arrived, body read. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  readonly response: ServerResponse;
  /** Counts requests with the same method and path, from 1. */
  readonly time: number;
}

export type Handler = (request: Received) => void | Promise<void>;

/**
 * A TLS server on loopback that misbehaves as it is told: what an API server, a load balancer or a cable does to a client.
 * It counts connections and notes what clients offered in their handshakes.
 */
export class FakeApiServer {
  /** TCP connections accepted so far. */
  connections = 0;
  /** What each connection agreed on by ALPN; false = nothing. */
  readonly protocols: (string | false | null)[] = [];
  readonly received: Received[] = [];
  readonly pki: SelfSigned;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();
  readonly #times = new Map<string, number>();
  #handler: Handler = ({ response }) => void response.writeHead(404).end();

  private constructor(pki: SelfSigned) {
    this.pki = pki;
    this.#server = createServer(
      { key: pki.key, cert: pki.certificate, ALPNProtocols: ["h2", "http/1.1"], keepAliveTimeout: 90_000 },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.on("connection", () => this.connections++);
    this.#server.on("secureConnection", (socket: TLSSocket) => {
      this.protocols.push(socket.alpnProtocol);
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(handler: Handler, pki: SelfSigned = selfSigned()): Promise<FakeApiServer> {
    const fake = new FakeApiServer(pki);
    fake.#handler = handler;
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Sockets that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  kubeconfig(token = "a-token"): KubeConfig {
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromClusterAndUser(
      { name: "fake", server: this.url, skipTLSVerify: false, caData: Buffer.from(this.pki.certificate).toString("base64") },
      { name: "tester", token },
    );
    return kubeconfig;
  }

  handle(handler: Handler): void {
    this.#handler = handler;
  }

  /** Presents another certificate to new connections and ends the old ones. */
  rotate(pki: SelfSigned): void {
    this.#server.setSecureContext({ key: pki.key, cert: pki.certificate });
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.url);
    let body = "";
    for await (const chunk of request) body += chunk;
    const key = `${request.method} ${url.pathname}`;
    const time = (this.#times.get(key) ?? 0) + 1;
    this.#times.set(key, time);
    const received: Received = {
      method: request.method!,
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body,
      response,
      time,
    };
    this.received.push(received);
    await this.#handler(received);
  }
}

export function json(response: ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A Status as the API server sends one. */
export function status(code: number, reason: string, message: string, details?: unknown): unknown {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, ...(details ? { details } : {}) };
}

/** Cuts the connection under an answer, with a TCP reset where the system lets us. */
export function reset(response: ServerResponse): void {
  const socket = response.socket as TLSSocket | null;
  socket?.destroy(new Error("reset by test"));
}
