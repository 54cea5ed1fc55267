// The operator's own exporter on loopback, scraped over HTTP minute by minute: what an alert's test is fed with is what Prometheus gets.
import { telling, type Telling } from "../../../src/composition/told.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { apiMetrics, type OperatorFacts, operatorMetrics, type TunnelFacts } from "../../../src/telemetry/operator-metrics.ts";
import { startTelemetryServer, type TelemetryServer } from "../../../src/telemetry/server.ts";

/** What the operator says of itself at the moment of a scrape. */
export interface Facts {
  leads: boolean;
  watchAges: Record<string, number>;
  tunnels: TunnelFacts;
}

export class Exporter {
  readonly told: Telling;
  readonly metrics: Metrics;
  readonly facts: Facts = {
    leads: true,
    watchAges: { PoPCluster: 5_000, Node: 4_000 },
    tunnels: { dualSites: 0, pops: [] },
  };
  readonly called: ReturnType<typeof apiMetrics>;
  readonly #server: TelemetryServer;

  private constructor(metrics: Metrics, server: TelemetryServer, now: () => number, tzdata: string) {
    this.metrics = metrics;
    this.#server = server;
    this.told = telling(createLogger("error", now, { write: () => undefined }), metrics, now);
    this.called = apiMetrics(metrics);
    const facts = this.facts;
    const read: OperatorFacts = {
      leads: () => facts.leads,
      watchAges: () => facts.watchAges,
      tzdata,
      namespace: "fleet",
      tunnels: () => facts.tunnels,
    };
    operatorMetrics(metrics, read);
  }

  /** `now` is the calendar that windows and approvals are told by. */
  static async open(now: () => number, tzdata = "2026a"): Promise<Exporter> {
    const metrics = createMetrics();
    const health = () => ({ ok: true, problems: [] });
    const server = await startTelemetryServer({ address: { host: "127.0.0.1", port: 0 }, metrics, liveness: health, readiness: health });
    return new Exporter(metrics, server, now, tzdata);
  }

  get address(): string {
    return `127.0.0.1:${this.#server.port}`;
  }

  async scrape(): Promise<string> {
    return (await fetch(`http://${this.address}/metrics`)).text();
  }

  close(): Promise<void> {
    return this.#server.close();
  }
}

/** Series by minute, as scrapes gave them. */
export class Scrapes {
  #minute = 0;
  readonly #series = new Map<string, (string | undefined)[]>();

  get minute(): number {
    return this.#minute;
  }

  /** One scrape of each exporter, by the name of its instance, that stands for so many minutes. */
  async take(exporters: Readonly<Record<string, Exporter>>, minutes = 1): Promise<void> {
    for (const [instance, exporter] of Object.entries(exporters)) {
      for (const line of (await exporter.scrape()).split("\n")) {
        const [, name, labels = "", value] = /^(\w+)(?:\{(.*)\})? (\S+)/.exec(line) ?? [];
        if (name === undefined || value === undefined) continue;
        const series = `${name}{${[labels, `instance="${instance}"`].filter((part) => part !== "").join(",")}}`;
        const values = this.#series.get(series) ?? [];
        for (let minute = this.#minute; minute < this.#minute + minutes; minute++) values[minute] = value;
        this.#series.set(series, values);
      }
    }
    this.#minute += minutes;
  }

  /** As promtool reads them: a series that a scrape does not have any more is stale from then on, as in Prometheus. */
  inputSeries(): { series: string; values: string }[] {
    return [...this.#series].map(([series, values]) => ({
      series,
      values: Array.from(
        { length: this.#minute },
        (_, minute) => values[minute] ?? (minute > 0 && values[minute - 1] !== undefined ? "stale" : "_"),
      ).join(" "),
    }));
  }
}
