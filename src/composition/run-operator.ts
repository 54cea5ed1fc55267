import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { AcceleratedClock } from "../control/clock/accelerated-clock.ts";
import { SECRET } from "../control/kinds.ts";
import { Operator } from "../control/operator.ts";
import { KubernetesCluster } from "../kubernetes/cluster.ts";
import { KubernetesEvents } from "../kubernetes/events.ts";
import { KubernetesLeaseStore } from "../kubernetes/lease-record.ts";
import { KubernetesSites } from "../kubernetes/sites.ts";
import { Transport } from "../kubernetes/transport.ts";
import { createProber } from "../probe/prober.ts";
import type { Clock } from "../runtime/clock.ts";
import { Health } from "../runtime/health.ts";
import { Election } from "../runtime/leader.ts";
import type { Settings } from "../settings.ts";
import { createLogger, type Logger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { apiMetrics, operatorMetrics } from "../telemetry/operator-metrics.ts";
import { checkinMetrics } from "../telemetry/socket-metrics.ts";
import { startTelemetryServer } from "../telemetry/server.ts";
import { clockOf } from "./clock-of.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { openNotices } from "./notices.ts";
import { openDevices } from "./run-gateway.ts";
import { type Telling, telling } from "./told.ts";
import { USER_AGENT, VERSION } from "./version.ts";
import { WorkerForecast } from "./worker-forecast.ts";

const LEASE_NAME = "rollward";

/**
 * The operator in this process, until the signal: caches open at once, controllers work while this replica leads. Ends gracefully:
 * no new work, running work finished, the lease handed back, events flushed.
 */
export async function runOperator(settings: Settings, stop: AbortSignal): Promise<void> {
  const clock = clockOf(settings.clockFile);
  const identity = settings.identity ?? `${hostname()}-${randomBytes(4).toString("hex")}`;
  const log = createLogger(settings.logLevel, () => clock.now()).with({ identity });
  const metrics = createMetrics();
  const observe = apiMetrics(metrics);
  const kubeconfig = loadKubeconfig(settings.kubeconfig);
  const adapterLog = (level: "debug" | "info" | "warn" | "error", message: string) => log[level](message);
  const transport = new Transport({ kubeconfig, name: "the hub", userAgent: USER_AGENT, clock, observe });
  const hub = new KubernetesCluster({ transport, clock, log: adapterLog });
  const sites = new KubernetesSites({ hub, clock, log: adapterLog, userAgent: USER_AGENT, observe });
  const events = new KubernetesEvents({ transport, clock, log: adapterLog, controller: "rollward.dev/operator", instance: identity });
  const prober = createProber();
  const told = telling(log, metrics, () => clock.now());
  // First what can be refused: an open gateway would keep the process.
  const notices = await openNotices({ settings: settings.notices, clock, log: adapterLog, metrics });
  const devices = await openDevices({ settings, clock, hub, log: adapterLog, onCheckin: checkinMetrics(metrics) });
  const operator = new Operator({
    clock,
    random: Math.random,
    hub,
    sites,
    prober,
    events,
    told,
    readSecret: async (name) => decoded((await hub.get(SECRET, name, settings.namespace))?.data),
    namespace: settings.namespace,
    tzdata: process.versions.tz ?? "unknown",
    defaultPrometheus: settings.prometheusUrl,
    forecast: new WorkerForecast(),
    inventory: devices.inventory,
    notices,
  });
  const health = new Health({ clock });
  health.start();
  health.require("caches", () => notSynced(operator.unsynced()));
  // A renewal must not queue behind slow calls, so the lease has a connection of its own.
  const leaseTransport = new Transport({ kubeconfig, name: "the hub", userAgent: USER_AGENT, clock, observe, maximumConnections: 1 });
  const leadership = startLeading({ settings, clock, log, identity, operator, told, leaseTransport });
  operatorMetrics(metrics, {
    leads: () => leadership.leads(),
    watchAges: () => oldest(operator.ages()),
    tzdata: process.versions.tz ?? "unknown",
    namespace: settings.namespace,
    tunnels: () => operator.tunnels(),
  });
  health.require("leader", () => leadership.missing());
  const server = await startTelemetryServer({
    address: settings.metricsAddress,
    metrics,
    liveness: () => health.liveness(),
    readiness: () => health.readiness(),
  });
  log.info(`rollward ${VERSION} watches namespace ${settings.namespace} and serves /metrics, /livez and /readyz on port ${server.port}`, {
    port: server.port,
  });
  await aborted(stop);
  log.info("rollward stops: work in hand is finished, then the lease is handed back");
  await leadership.stop();
  operator.stop();
  await notices.close();
  await devices.close();
  await events.flush();
  health.stop();
  for (const open of [server, prober, sites, hub, transport, leaseTransport]) await open.close();
  if (clock instanceof AcceleratedClock) clock.close();
}

interface Leadership {
  leads(): boolean;
  missing(): string | undefined;
  stop(): Promise<void>;
}

interface LeadingParts {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: string;
  readonly operator: Operator;
  readonly told: Telling;
  readonly leaseTransport: Transport;
}

function startLeading({ settings, clock, log, identity, operator, told, leaseTransport }: LeadingParts): Leadership {
  const { enabled, leaseMilliseconds, renewDeadlineMilliseconds, retryMilliseconds } = settings.leaderElection;
  let work: Promise<void> = Promise.resolve();
  if (!enabled) return leadAlone(operator, log);
  const stopping = new AbortController();
  const election: Election = new Election({
    clock,
    random: Math.random,
    store: new KubernetesLeaseStore({ transport: leaseTransport, namespace: settings.namespace, name: LEASE_NAME }),
    identity,
    leaseMilliseconds,
    renewDeadlineMilliseconds,
    retryMilliseconds,
    onElected: (term) => {
      log.info("this replica leads now");
      work = operator
        .lead(AbortSignal.any([term, stopping.signal]), () => election.isLeader())
        .catch((error: unknown) => log.error("the term as leader ended with an error", { error }))
        .finally(() => told.termEnded());
    },
    onLost: (why) => log.warn(`this replica does not lead any more: ${why}`),
    onLeader: (holder) => log.info(holder === "" ? "nobody leads now" : `${holder} leads now`),
    onError: (what, error) => log.warn(what, { error }),
  });
  election.start();
  return {
    leads: () => election.isLeader(),
    missing: () => (election.holder === undefined ? "the leader is not known yet" : undefined),
    stop: async () => {
      // The work of the term ends before the lease is handed back: the next leader must not meet it.
      stopping.abort();
      await work;
      await election.stop();
    },
  };
}

/** Without an election: only where there is one replica for certain. */
function leadAlone(operator: Operator, log: Logger): Leadership {
  const term = new AbortController();
  const work = operator
    .lead(term.signal, () => !term.signal.aborted)
    .catch((error: unknown) => term.signal.aborted || log.error("the controllers ended with an error", { error }));
  return {
    leads: () => !term.signal.aborted,
    missing: () => undefined,
    stop: async () => {
      term.abort();
      await work;
    },
  };
}

const notSynced = (kinds: readonly string[]): string | undefined =>
  kinds.length > 0 ? `the caches of ${kinds.join(", ")} are not in sync yet` : undefined;

/** The oldest view of each kind: with several PoP clusters the silent one must show. */
function oldest(ages: readonly (readonly [string, number])[]): Record<string, number> {
  const worst: Record<string, number> = {};
  for (const [kind, age] of ages) worst[kind] = Math.max(worst[kind] ?? 0, age);
  return worst;
}

function decoded(data: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
