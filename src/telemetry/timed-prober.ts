import type { Prober } from "../control/ports.ts";
import type { Metrics } from "./metrics.ts";

/** The prober, with the time of what it asks as a metric. What it tells a data plane to do (POST) is no question. */
export function timedProber(prober: Prober, metrics: Pick<Metrics, "observe">): Prober {
  const asked = (milliseconds: number) => metrics.observe("health_check_seconds", {}, milliseconds / 1000);
  return {
    http: async (call) => {
      const answer = await prober.http(call);
      if (call.method === "GET") asked(answer.milliseconds);
      return answer;
    },
    tcp: async (host, port, timeoutMilliseconds) => {
      const answer = await prober.tcp(host, port, timeoutMilliseconds);
      asked(typeof answer === "number" ? answer : timeoutMilliseconds);
      return answer;
    },
  };
}
