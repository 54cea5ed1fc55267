import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** A way to a PostgreSQL that can be cut so that neither end hears of it. */
export class Cable {
  /** Connections that were turned away. */
  refused = 0;
  /** What went to the server. */
  bytesUp = 0;
  readonly url: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refuses = false;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.url = `postgresql://rollward@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`;
    server.on("connection", (near) => this.#serve(near, target));
  }

  /** `url`: of a server on a Unix socket. */
  static async to(url: string): Promise<Cable> {
    const folder = new URL(url.replace("@/", "@socket/")).searchParams.get("host") ?? "";
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Cable(server, join(folder, ".s.PGSQL.5432"));
  }

  /** What is connected stays so, and nothing comes through any more; who connects anew does, unless he is refused. */
  cut({ refuse = false } = {}): void {
    this.#refuses = refuse;
    for (const socket of this.#sockets) socket.unpipe().removeAllListeners("data").pause();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(near: Socket, target: string): void {
    if (this.#refuses) {
      this.refused += 1;
      near.destroy();
      return;
    }
    const far = connect(target);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on("error", () => undefined).on("close", () => other.destroy());
      one.pipe(other);
    }
    near.on("data", (bytes) => (this.bytesUp += bytes.length));
  }
}
