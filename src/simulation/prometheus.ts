import type { DataPlaneAnswer, Prober } from "../control/ports.ts";

/** What the simulated Prometheus says of a query: a value, series by name, nothing at all, or that it cannot parse it. */
export type PrometheusReply = number | Readonly<Record<string, number>> | "Empty" | "Unparsable";

/** A Prometheus in memory, at `url`: queries are answered as a test says, and it can be away. */
export class SimulatedPrometheus {
  readonly url = "http://prometheus.simulation:9090";
  readonly replies = new Map<string, PrometheusReply>();
  /** PoP → `<namespace>/<name>` of a site → whether its tunnel there is up: what data planes export as `pop_tunnel_up`. */
  readonly tunnels = new Map<string, Map<string, boolean>>();
  up = true;
  /** Queries asked so far, oldest first. */
  readonly asked: string[] = [];

  answer(url: URL): DataPlaneAnswer {
    if (!this.up) return { status: 0, body: "connection refused", milliseconds: 1, refused: true };
    const query = url.searchParams.get("query") ?? "";
    this.asked.push(query);
    const pop = /pop_tunnel_up\{pop=~"(.*)\|"\}/.exec(query)?.[1];
    if (pop !== undefined) return this.#tunnelsOf(pop.replaceAll("\\\\.", "."));
    const reply = this.replies.get(query) ?? "Empty";
    if (reply === "Unparsable") {
      return {
        status: 400,
        body: JSON.stringify({ status: "error", errorType: "bad_data", error: `parse error: unexpected end of input in ${query}` }),
        milliseconds: 1,
      };
    }
    const series = reply === "Empty" ? [] : Object.entries(typeof reply === "number" ? { "": reply } : reply);
    return vector(series.map(([name, value]) => [name ? { series: name } : {}, value]));
  }

  #tunnelsOf(pop: string): DataPlaneAnswer {
    return vector([...(this.tunnels.get(pop) ?? [])].map(([site, up]) => [{ site, pop }, up ? 1 : 0]));
  }
}

function vector(series: readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[]): DataPlaneAnswer {
  const result = series.map(([metric, value]) => ({ metric, value: [0, String(value)] }));
  return { status: 200, body: JSON.stringify({ status: "success", data: { resultType: "vector", result } }), milliseconds: 1 };
}

/** Leads calls for the simulated Prometheus to it, and all others on. */
export function withPrometheus(prober: Prober, prometheus: SimulatedPrometheus): Prober {
  const { host } = new URL(prometheus.url);
  return {
    http: (request) => {
      const url = new URL(request.url);
      return url.host === host ? Promise.resolve(prometheus.answer(url)) : prober.http(request);
    },
    tcp: (...asked) => prober.tcp(...asked),
  };
}
