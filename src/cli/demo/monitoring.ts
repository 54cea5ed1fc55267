import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SimulatedPrometheus } from "../../simulation/prometheus.ts";
import type { Monitoring } from "./stage.ts";

/** What is told of tunnels goes to the Prometheus that is asked for them. */
export const monitoringOf = (prometheus: SimulatedPrometheus, url: string): Monitoring => ({
  url,
  reportTunnel: (pop, site) => {
    const sites = prometheus.tunnels.get(pop) ?? new Map<string, boolean>();
    prometheus.tunnels.set(pop, sites.set(site, true));
  },
});

/** The simulated Prometheus behind a real port of loopback, for an operator that is a process of its own. */
export class PrometheusServer {
  readonly monitoring: Monitoring;
  readonly #server: Server;

  private constructor(server: Server, monitoring: Monitoring) {
    this.#server = server;
    this.monitoring = monitoring;
  }

  static async open(): Promise<PrometheusServer> {
    const prometheus = new SimulatedPrometheus();
    const server = createServer((request, response) => {
      const { status, body } = prometheus.answer(new URL(request.url ?? "/", prometheus.url));
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    });
    server.listen({ host: "127.0.0.1", port: 0, exclusive: true });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    return new PrometheusServer(server, monitoringOf(prometheus, `http://127.0.0.1:${port}`));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}
