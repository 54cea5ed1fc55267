import type { DemoExporter } from "../cli/demo/ports.ts";
import { createLogger } from "../telemetry/log.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { apiMetrics, operatorMetrics } from "../telemetry/operator-metrics.ts";
import { startTelemetryServer } from "../telemetry/server.ts";
import { checkinMetrics } from "../telemetry/socket-metrics.ts";
import { timedProber } from "../telemetry/timed-prober.ts";
import { telling } from "./told.ts";
import { oldest } from "./watch-ages.ts";

/**
 * The metrics of an operator that the demo plays in memory, and of the gateways before it, at http://127.0.0.1:PORT/metrics: the
 * series and the page of `rollward run`. `now` is the calendar of the play, milliseconds. Rejects when the port is taken.
 */
export async function openDemoExporter(port: number, now: () => number): Promise<DemoExporter> {
  const metrics = createMetrics();
  const healthy = () => ({ ok: true, problems: [] });
  const server = await startTelemetryServer({ address: { host: "127.0.0.1", port }, metrics, liveness: healthy, readiness: healthy });
  const scrapes = new Scrapes(metrics);
  const checkedIn = { ddi: checkinMetrics(metrics, "ddi"), omaha: checkinMetrics(metrics, "omaha") };
  return {
    // The play tells of what happens by itself; log lines in between would tear its page.
    told: telling(createLogger("error", now, { write: () => undefined }), metrics, now),
    timed: (prober) => timedProber(prober, metrics),
    called: apiMetrics(metrics),
    noticeSent: (kind) => metrics.count("notice_sent_total", { kind }),
    checkedIn: (protocol, answer, seconds) => checkedIn[protocol](answer, seconds),
    began: (operator) =>
      void operatorMetrics(metrics, {
        leads: () => operator.leads(),
        watchAges: () => oldest(operator.ages()),
        tzdata: process.versions.tz ?? "unknown",
        namespace: operator.namespace,
        tunnels: () => operator.tunnels(),
      }),
    scraped: () => scrapes.next(),
    close: () => server.close(),
  };
}

/** Who asked last within this time asks again. */
const STILL_WATCHES = 60_000;
const PATIENCE = 1_000;

/** When somebody asks for the page. */
class Scrapes {
  #last = -Infinity;
  readonly #waiting: (() => void)[] = [];

  constructor(metrics: Metrics) {
    metrics.onScrape(() => {
      this.#last = performance.now();
      // All that is refreshed at a scrape is then on its page.
      setImmediate(() => {
        for (const resolve of this.#waiting.splice(0)) resolve();
      });
    });
  }

  async next(): Promise<void> {
    if (performance.now() - this.#last > STILL_WATCHES) return;
    let limit: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      limit = setTimeout(resolve, PATIENCE);
    });
    clearTimeout(limit);
  }
}
