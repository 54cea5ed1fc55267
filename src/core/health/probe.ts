import type { MetricSample } from "./exposition.ts";

/** How often and how long; elapsed milliseconds. */
export interface ProbeTiming {
  readonly intervalMilliseconds: number;
  /** For the whole call, its body included. */
  readonly timeoutMilliseconds: number;
}

/**
 * What a decision wants sampled. The sampler runs exactly the probes of the last decision, each once an interval, and keeps the last
 * samples by key. **The key is made by the caller and names what is judged**: a pod by its UID, a query by the run's id. A new pod or
 * a new run then has a new key, and a sample can never be older than the change that it judges (rule G9).
 */
export type Probe = ProbeTiming & {
  readonly key: string;
  /** How many samples the judge looks back on; a sampler keeps at least these. */
  readonly keep?: number;
} & ProbeTarget;

/** A pod that is asked by its name through the API server of its cluster (`pods/proxy`); the address in the URL is for people then. */
export interface ThroughApiServer {
  /** The Secret with the kubeconfig. */
  readonly secret: { readonly name: string; readonly namespace: string };
  /** Where another cluster answers by now, nobody is asked. */
  readonly clusterUID: string;
  readonly namespace: string;
  readonly pod: string;
}

export type ProbeTarget =
  /** Passes on 2xx. `ca` is PEM text. */
  | { readonly kind: "http"; readonly url: string; readonly ca?: string; readonly through?: ThroughApiServer }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  /** An instant query at the Prometheus of this base URL. Secrets by name: keys `token` and `ca.crt` of them are used. */
  | { readonly kind: "prometheus"; readonly url: string; readonly query: string; readonly tokenSecret?: string; readonly caSecret?: string }
  /** Scrapes a node's metrics; only the named series are kept, so that a page of ten thousand lines does not stay in memory. */
  | {
      readonly kind: "metrics";
      readonly url: string;
      readonly names: readonly string[];
      readonly ca?: string;
      readonly through?: ThroughApiServer;
    }
  /** The ids of the sessions that a node holds. */
  | { readonly kind: "sessions"; readonly url: string; readonly ca?: string; readonly through?: ThroughApiServer };

/** What one run of a probe found. */
export type ProbeResult =
  | {
      readonly ok: true;
      /** prometheus: one value per series, in the order of `series`. */
      readonly values?: readonly number[];
      /** prometheus: the labels of each series as `{a="b"}`; `{}` for a scalar. */
      readonly series?: readonly string[];
      /** metrics: the samples of the series asked for. */
      readonly metrics?: readonly MetricSample[];
      /** sessions: the ids. */
      readonly sessions?: readonly string[];
      /** What was found, in words: `200 in 3 ms`. */
      readonly detail: string;
    }
  | {
      readonly ok: false;
      readonly detail: string;
      /** The source of the evidence failed, not what it tells of: counts as Unknown, never as a failure (rule G9). */
      readonly unreadable?: boolean;
      /** Prometheus says that the query itself cannot be parsed: a person has to correct it (reason QueryInvalid). */
      readonly invalidQuery?: boolean;
      /** Nothing answered at all, not even a refusal. When most members fall silent at once the witness is asked (rule P9). */
      readonly silent?: boolean;
      /** The machine answers, and nobody listens there: a container that is gone, or a machine that goes down or comes up. */
      readonly refused?: boolean;
      /** http: the answer was 404; what is asked for is not there (yet). */
      readonly notFound?: boolean;
    };

/** One result as the observation holds it. Lists of samples are oldest first. */
export interface Sample {
  /** Elapsed milliseconds since the probe was started, never calendar time: the result is evidence of nothing earlier. */
  readonly ageMilliseconds: number;
  readonly result: ProbeResult;
}

/** Do two results say the same? Wording and milliseconds do not count: what differs here wakes a decision. */
export function sameResult(one: ProbeResult, other: ProbeResult): boolean {
  return JSON.stringify(meaning(one)) === JSON.stringify(meaning(other));
}

function meaning(result: ProbeResult): unknown {
  if (!result.ok) return [result.unreadable === true, result.invalidQuery === true, result.silent === true, result.notFound === true];
  // JSON has neither NaN nor infinities.
  const metrics = result.metrics?.map(({ name, labels, value }) => [name, labels, String(value)]);
  return ["ok", result.values?.map(String), result.series, metrics, result.sessions];
}
