// A running Prometheus on loopback, in a temporary folder of its own. It ends with the process that started it.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../control-plane/ports.ts";
import { Servers } from "../control-plane/servers.ts";
import { ensurePrometheus, type PrometheusBinary } from "./install.ts";

const NAME = "prometheus";
const READY_WITHIN_MS = 30_000;
const ASK_EVERY_MS = 50;
const STARTS = 3;

export interface PrometheusOptions {
  /** prometheus.yml as an object: `{global: {scrape_interval: "1s"}, scrape_configs: […]}`. */
  readonly configuration: unknown;
  readonly binary?: PrometheusBinary;
  readonly flags?: readonly string[];
}

export interface Prometheus {
  readonly url: string;
  readonly folder: string;
  /** What an instant query finds: the `result` of /api/v1/query. */
  query(expression: string): Promise<unknown[]>;
  log(): string;
  /** SIGSTOP lets it hang, SIGCONT go on. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it; `startAgain` brings it back on the same port with its data. */
  end(): Promise<void>;
  startAgain(): Promise<void>;
  /** Ends it for good and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a Prometheus and waits until it answers queries. Throws PrometheusUnavailable, or an Error with its last words. */
export async function startPrometheus(options: PrometheusOptions): Promise<Prometheus> {
  const binary = options.binary ?? (await ensurePrometheus());
  for (let start = 1; ; start++) {
    const servers = await Servers.open();
    try {
      return await startIn(servers, binary, options);
    } catch (error) {
      const portWasTaken = servers.log(NAME).includes("address already in use");
      await servers.stop();
      if (!portWasTaken || start === STARTS) throw error;
    }
  }
}

async function startIn(servers: Servers, binary: PrometheusBinary, options: PrometheusOptions): Promise<Prometheus> {
  const [port] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const configuration = join(servers.folder, "prometheus.yml");
  writeFileSync(configuration, JSON.stringify(options.configuration)); // JSON is YAML
  await servers.start(NAME, binary.path, [
    `--config.file=${configuration}`,
    `--storage.tsdb.path=${join(servers.folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    ...(options.flags ?? []),
  ]);
  await waitUntilReady(servers, url);
  return {
    url,
    folder: servers.folder,
    query: (expression) => query(url, expression),
    log: () => servers.log(NAME),
    signal: (signal) => servers.signal(NAME, signal),
    end: () => servers.end(NAME, "SIGTERM"),
    startAgain: async () => {
      await servers.startAgain(NAME);
      await waitUntilReady(servers, url);
    },
    stop: () => servers.stop(),
  };
}

async function query(url: string, expression: string): Promise<unknown[]> {
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expression)}`);
  const body = (await answer.json()) as { status: string; error?: string; data?: { result: unknown[] } };
  if (body.data === undefined) throw new Error(`Prometheus refused the query ${expression}: ${body.error ?? answer.status}`);
  return body.data.result;
}

async function waitUntilReady(servers: Servers, url: string): Promise<void> {
  const deadline = performance.now() + READY_WITHIN_MS;
  while (performance.now() < deadline) {
    const ended = servers.ended(NAME);
    if (ended !== undefined)
      throw new Error(`Prometheus ended (${ended}) before it was ready:\n${servers.log(NAME).trimEnd().split("\n").slice(-8).join("\n")}`);
    const ready = await fetch(`${url}/-/ready`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) return;
    await sleep(ASK_EVERY_MS);
  }
  throw new Error(`Prometheus at ${url} was not ready within ${READY_WITHIN_MS / 1000} s.`);
}
