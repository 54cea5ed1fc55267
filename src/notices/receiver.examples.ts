import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An account's receiver on loopback, with a certificate of its own authority for these names. */
export class Receiver {
  readonly received: Received[] = [];
  /** What the next calls are answered with; 202 where nothing is said. */
  answers: ((response: ServerResponse) => void)[] = [];
  /** Paths that are always answered with this status. */
  readonly statuses = new Map<string, number>();
  readonly authority: string;
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string) {
    this.#folder = folder;
    this.authority = readFileSync(join(folder, "tls.pem"), "utf8");
    const key = readFileSync(join(folder, "tls.key"));
    this.#server = createServer({ cert: this.authority, key }, (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => void (body += chunk));
      request.on("end", () => {
        this.received.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body });
        const answer =
          this.answers.shift() ?? ((to: ServerResponse) => void to.writeHead(this.statuses.get(request.url ?? "") ?? 202).end());
        answer(response);
      });
    });
  }

  static async open(names: readonly string[]): Promise<Receiver> {
    const folder = mkdtempSync(join(tmpdir(), "rollward-receiver-"));
    const alternatives = names.map((name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)).join(",");
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", join(folder, "tls.key")];
    const subject = ["-subj", "/CN=receiver", "-addext", `subjectAltName=${alternatives}`, "-days", "2"];
    execFileSync("openssl", ["req", "-x509", ...key, "-out", join(folder, "tls.pem"), ...subject], { stdio: "ignore" });
    const receiver = new Receiver(folder);
    await new Promise<void>((resolve) => receiver.#server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }
}

export const hasOpenssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();
