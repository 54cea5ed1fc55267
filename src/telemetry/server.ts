import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { HealthReport } from "../runtime/health.ts";
import type { Metrics } from "./metrics.ts";

export interface TelemetryServerSettings {
  /** `:9090`, `127.0.0.1:9090` or `[::1]:9090`; port 0 takes a free one. */
  readonly address: { readonly host?: string; readonly port: number };
  readonly metrics: Metrics;
  /** Is the process itself alive? Never asks about backlog or API server: a restart mends neither. */
  readonly liveness: () => HealthReport;
  /** Can it do its work? */
  readonly readiness: () => HealthReport;
}

export interface TelemetryServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Serves `/metrics`, `/livez` and `/readyz` on a port of their own: a busy gateway must not make the operator look dead. */
export async function startTelemetryServer(settings: TelemetryServerSettings): Promise<TelemetryServer> {
  const server = createServer((request, response) => {
    answer(settings, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendText(response, 500, `the page could not be rendered: ${error instanceof Error ? error.message : String(error)}\n`);
    });
  });
  server.requestTimeout = 10_000;
  await listen(server, settings.address);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function answer(
  { metrics, liveness, readiness }: TelemetryServerSettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "HEAD") return sendText(response, 405, "only GET is answered here\n");
  switch (request.url?.split("?", 1)[0]) {
    case "/livez":
      return sendReport(response, liveness());
    case "/readyz":
      return sendReport(response, readiness());
    case "/metrics": {
      const page = await metrics.page();
      response.writeHead(200, { "content-type": metrics.contentType }).end(page);
      return undefined;
    }
    default:
      return sendText(response, 404, "here are /metrics, /livez and /readyz\n");
  }
}

function sendReport(response: ServerResponse, { ok, problems }: HealthReport): void {
  sendText(response, ok ? 200 : 503, ok ? "ok\n" : `${problems.join("\n")}\n`);
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(text);
}

function listen(server: Server, { host, port }: TelemetryServerSettings["address"]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, ...(host === undefined ? {} : { host }) }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
