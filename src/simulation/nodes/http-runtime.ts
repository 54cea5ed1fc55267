import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server, type Socket } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import { type ContainerInstance, type ContainerRuntime, type ContainerStart, sessionPortOf } from "./container-runtime.ts";
import { DataPlaneHttp } from "./data-plane-http.ts";
import { DataPlane, type Tunnel } from "./data-plane.ts";
import { serveSession } from "./session-protocol.ts";

/** Held while a node has its address, so that another run on this machine takes another one: the port of a kubelet. */
const RESERVATION_PORT = 10250;
const MOST_BODY_BYTES = 64 * 1024;

/**
 * Containers as real listeners in this process, on addresses of 127.0.0.0/8, where Linux answers on all of them without any set-up; or of
 * another network, which somebody has made. An API server leads to no loopback address.
 */
export class HttpRuntime implements ContainerRuntime {
  readonly firstOctet: number;
  readonly #clock: Clock;
  readonly #tunnels: (pop: string, node: string) => readonly Tunnel[];

  constructor(
    clock: Clock,
    {
      tunnels = () => [],
      firstOctet = 127,
    }: { readonly tunnels?: (pop: string, node: string) => readonly Tunnel[]; readonly firstOctet?: number } = {},
  ) {
    this.#clock = clock;
    this.#tunnels = tunnels;
    this.firstOctet = firstOctet;
  }

  async reserve(address: string): Promise<(() => Promise<void>) | undefined> {
    const server = createTcpServer((socket) => socket.destroy());
    try {
      await listen(server, address, RESERVATION_PORT);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return undefined;
      const found = (error as Error).message;
      throw new Error(
        `A virtual node cannot have the address ${address}: ${found}. Addresses of 127.0.0.0/8 besides 127.0.0.1 need Linux, others a network that has them.`,
        { cause: error },
      );
    }
    return () => close(server);
  }

  async start({ identity, behaviour, container, address }: ContainerStart): Promise<ContainerInstance> {
    const listening = new LoopbackInstance(
      () => new DataPlane({ identity, behaviour, clock: this.#clock, tunnels: this.#tunnels(identity.pop, identity.node) }),
    );
    await listening.listen(container, address);
    return listening;
  }
}

class LoopbackInstance implements ContainerInstance {
  readonly plane: DataPlane;
  readonly #http: DataPlaneHttp;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** Requests that came while frozen, answered when it thaws. */
  readonly #waiting = new Set<() => void>();
  #frozen = false;

  constructor(plane: () => DataPlane) {
    this.plane = plane();
    this.#http = new DataPlaneHttp(this.plane);
  }

  /** Binds every declared port, or none: rejects with the error of the one that is taken. */
  async listen({ ports = [] }: ContainerStart["container"], address: string): Promise<void> {
    const sessions = sessionPortOf(ports);
    try {
      for (const port of ports) {
        const server =
          port === sessions
            ? createTcpServer((socket) => this.#whenThawed(() => serveSession(this.plane, socket)))
            : createServer((request, response) => this.#whenThawed(() => void this.#answer(request, response)));
        server.on("connection", (socket: Socket) => this.#keep(socket));
        this.#servers.push(server);
        await listen(server, address, port.containerPort);
      }
    } catch (error) {
      await this.kill();
      throw error;
    }
  }

  async terminate(): Promise<void> {
    await this.plane.terminate();
    await this.kill();
  }

  async kill(): Promise<void> {
    this.plane.kill();
    this.#waiting.clear();
    const closed = this.#servers.map(close);
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    if (frozen) return;
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  #whenThawed(go: () => void): void {
    if (this.#frozen) this.#waiting.add(go);
    else go();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    // A peer that resets its connection is everyday life here.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#sockets.delete(socket));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    try {
      for await (const chunk of request.setEncoding("utf8")) {
        body += chunk as string;
        if (body.length > MOST_BODY_BYTES) return void response.writeHead(413).end();
      }
    } catch {
      return; // the asker went away in the middle of its question
    }
    const answer = this.#http.answer({ method: request.method ?? "GET", path: request.url ?? "/", body });
    response.writeHead(answer.status, { "content-type": answer.contentType }).end(answer.body);
  }
}

async function listen(server: Server, address: string, port: number): Promise<void> {
  server.listen({ host: address, port, exclusive: true });
  await once(server, "listening");
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
