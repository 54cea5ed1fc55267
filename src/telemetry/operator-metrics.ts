import type { QueueObserver } from "../runtime/queue.ts";
import type { GaugeReading, Metrics } from "./metrics.ts";

/** The queue of one kind as metrics. A run that threw is repeated by the queue, so it counts as `retry`. */
export function queueMetrics(metrics: Metrics, kind: string): QueueObserver {
  const owner = `queue/${kind}`;
  return {
    depth: (keys) => metrics.publish(owner, [{ name: "queue_depth", labels: { kind }, value: keys }]),
    waited: (_, milliseconds) => metrics.observe("queue_wait_seconds", { kind }, milliseconds / 1000),
    ran: (_, milliseconds, error) =>
      metrics.observe("reconcile_seconds", { kind, result: error === undefined ? "done" : "retry" }, milliseconds / 1000),
  };
}

/** Every attempt of a call to an API server; handed to the transport as its `observe`. */
export const apiMetrics =
  (metrics: Metrics) =>
  ({ verb, kind, code }: { readonly verb: string; readonly kind: string; readonly code: number }): void =>
    metrics.count("api_requests_total", { verb, kind, code: String(code) });

/** What is asked only when somebody scrapes. */
export interface OperatorFacts {
  readonly leads: () => boolean;
  /** The age of each watch's view in elapsed milliseconds, by kind. */
  readonly watchAges: () => Readonly<Record<string, number>>;
  /** The version of the time-zone data that decides windows. */
  readonly tzdata: string;
  readonly namespace: string;
  readonly tunnels: () => TunnelFacts;
}

/** What was heard of the tunnels of sites. */
export interface TunnelFacts {
  /** Sites that tie two PoPs together. */
  readonly dualSites: number;
  readonly pops: readonly {
    readonly pop: string;
    readonly up: number;
    readonly down: number;
    readonly unknown: number;
    /** Undefined while its Prometheus has never answered. */
    readonly answeredMilliseconds: number | undefined;
    readonly ignored: number;
  }[];
}

/** Leadership, watches and time-zone data as metrics. Returns the unsubscription. */
export function operatorMetrics(metrics: Metrics, { leads, watchAges, tzdata, namespace, tunnels }: OperatorFacts): () => void {
  return metrics.onScrape(() => {
    metrics.publish("operator", [
      { name: "leader", labels: {}, value: leads() ? 1 : 0 },
      { name: "tzdata_info", labels: { version: tzdata }, value: 1 },
      ...Object.entries(watchAges()).map(
        ([kind, age]) => ({ name: "watch_bookmark_age_seconds", labels: { kind }, value: age / 1000 }) as const,
      ),
      ...tunnelReadings(namespace, tunnels()),
    ]);
  });
}

function tunnelReadings(namespace: string, { dualSites, pops }: TunnelFacts): GaugeReading[] {
  const ofPops = pops.flatMap(({ pop, up, down, unknown, answeredMilliseconds, ignored }): GaugeReading[] => {
    const labels = { namespace, pop };
    return [
      { name: "pop_tunnels", labels: { ...labels, up: "True" }, value: up },
      { name: "pop_tunnels", labels: { ...labels, up: "False" }, value: down },
      { name: "pop_tunnels", labels: { ...labels, up: "Unknown" }, value: unknown },
      { name: "pop_tunnel_series_ignored", labels, value: ignored },
      ...(answeredMilliseconds === undefined
        ? []
        : [{ name: "pop_tunnel_answer_age_seconds", labels, value: answeredMilliseconds / 1000 } as const]),
    ];
  });
  return [{ name: "tunnel_sites_dual", labels: {}, value: dualSites }, ...ofPops];
}
