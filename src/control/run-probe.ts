import type { Prober } from "./ports.ts";
import type { Probe, ProbeResult, ThroughApiServer } from "../core/health/probe.ts";
import { readHttp, readMetrics, readPrometheus, readSessions, type Answer } from "../core/health/reading.ts";

/** The decoded data of a Secret of the fleet namespace, or undefined when there is none. */
export type ReadSecret = (name: string) => Promise<Readonly<Record<string, string>> | undefined>;

/** What a page of metrics, a list of sessions or an answer of Prometheus may weigh. */
const PAGE_BYTES = 8 * 1024 * 1024;

/** Runs one probe as a decision asked for it. Never throws: what cannot be asked is unreadable, which is Unknown (rule G9). */
export async function runProbe(probe: Probe, prober: Prober, readSecret: ReadSecret): Promise<ProbeResult> {
  const get = (url: string, extra: { ca?: string; through?: ThroughApiServer; maximumBytes?: number; fresh?: boolean }): Promise<Answer> =>
    prober.http({ method: "GET", url, timeoutMilliseconds: probe.timeoutMilliseconds, ...extra });
  try {
    switch (probe.kind) {
      case "http":
        return readHttp(await get(probe.url, { ...own(probe), fresh: true }), probe.url);
      case "tcp":
        return readTcp(await prober.tcp(probe.host, probe.port, probe.timeoutMilliseconds), probe.timeoutMilliseconds);
      case "metrics":
        return readMetrics(await get(probe.url, { ...own(probe), maximumBytes: PAGE_BYTES }), probe.names);
      case "sessions":
        return readSessions(await get(probe.url, { ...own(probe), maximumBytes: PAGE_BYTES }));
      case "prometheus": {
        const answer = await askPrometheus(probe, prober, readSecret, PAGE_BYTES);
        return typeof answer === "string" ? { ok: false, unreadable: true, detail: answer } : readPrometheus(answer);
      }
    }
  } catch (error) {
    return { ok: false, unreadable: true, detail: `could not be asked: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** What a probe says of the way there. */
const own = ({ ca, through }: { readonly ca?: string; readonly through?: ThroughApiServer }) => ({
  ...(ca === undefined ? {} : { ca }),
  ...(through === undefined ? {} : { through }),
});

function readTcp(found: number | "Refused" | undefined, timeout: number): ProbeResult {
  if (found === undefined) return { ok: false, silent: true, detail: `no connection within ${timeout} ms` };
  return found === "Refused"
    ? { ok: false, refused: true, detail: "connection refused" }
    : { ok: true, detail: `connected in ${Math.round(found)} ms` };
}

type PrometheusProbe = Pick<Extract<Probe, { kind: "prometheus" }>, "url" | "query" | "timeoutMilliseconds" | "tokenSecret" | "caSecret">;

/** One instant query as Prometheus answered it, not judged yet; a sentence where a Secret that it needs is missing. */
export async function askPrometheus(
  question: PrometheusProbe,
  prober: Prober,
  readSecret: ReadSecret,
  maximumBytes: number,
): Promise<Answer | string> {
  const access = await prometheusAccess(question, readSecret);
  if (typeof access === "string") return access;
  const { timeoutMilliseconds } = question;
  return prober.http({ method: "GET", url: queryUrl(question), timeoutMilliseconds, ...access, maximumBytes });
}

function queryUrl({ url, query, timeoutMilliseconds }: PrometheusProbe): string {
  const target = new URL(url);
  target.pathname = `${target.pathname.replace(/\/+$/, "")}/api/v1/query`;
  target.searchParams.set("query", query);
  // Prometheus then gives up by itself instead of computing on for nobody.
  target.searchParams.set("timeout", `${timeoutMilliseconds}ms`);
  return target.href;
}

/** Token and authority from their Secrets, or a sentence about the one that is missing: without it the call would only be a wrong one. */
async function prometheusAccess(
  probe: Pick<PrometheusProbe, "tokenSecret" | "caSecret">,
  readSecret: ReadSecret,
): Promise<{ ca?: string; headers?: Record<string, string> } | string> {
  const { tokenSecret, caSecret } = probe;
  const token = tokenSecret === undefined ? undefined : (await readSecret(tokenSecret))?.["token"]?.trim();
  if (tokenSecret !== undefined && !token) return `Secret ${tokenSecret} has no key token, expected the bearer token for Prometheus`;
  const ca = caSecret === undefined ? undefined : (await readSecret(caSecret))?.["ca.crt"];
  if (caSecret !== undefined && !ca) return `Secret ${caSecret} has no key ca.crt, expected the certificate authority of Prometheus in PEM`;
  return { ...(ca ? { ca } : {}), ...(token ? { headers: { authorization: `Bearer ${token}` } } : {}) };
}
