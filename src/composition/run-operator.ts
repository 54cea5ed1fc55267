import { AcceleratedClock } from "../control/clock/accelerated-clock.ts";
import { allResources } from "../api/resources.ts";
import { GROUP } from "../api/common.ts";
import { SECRET } from "../control/kinds.ts";
import { Operator } from "../control/operator.ts";
import { KubernetesCluster } from "../kubernetes/cluster.ts";
import { KubernetesEvents } from "../kubernetes/events.ts";
import { kindVersion } from "../kubernetes/kind-version.ts";
import { KubernetesLeaseStore } from "../kubernetes/lease-record.ts";
import { KubernetesSites } from "../kubernetes/sites.ts";
import { Transport } from "../kubernetes/transport.ts";
import { createProber } from "../probe/prober.ts";
import type { Clock } from "../runtime/clock.ts";
import { Health } from "../runtime/health.ts";
import { Election, type LeaseStore } from "../runtime/leader.ts";
import type { Settings } from "../settings.ts";
import { createLogger, type Logger } from "../telemetry/log.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { apiMetrics, operatorMetrics } from "../telemetry/operator-metrics.ts";
import { startTelemetryServer } from "../telemetry/server.ts";
import { timedProber } from "../telemetry/timed-prober.ts";
import { clockOf } from "./clock-of.ts";
import { kindsInCluster } from "./kinds-in-cluster.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { openNotices } from "./notices.ts";
import { gatewayMetrics, openDevices, probesOf, replicaName } from "./run-gateway.ts";
import { type Telling, telling } from "./told.ts";
import { USER_AGENT, VERSION } from "./version.ts";
import { oldest } from "./watch-ages.ts";
import { WorkerForecast } from "./worker-forecast.ts";

const LEASE_NAME = "rollward";
const OUR_KINDS = allResources.map(({ plural }) => `${plural}.${GROUP}`);

/**
 * The operator in this process, until the signal: caches open at once, controllers work while this replica leads. Ends gracefully:
 * no new work, running work finished, the lease handed back, events flushed. Rejects, after the same end, with the error that ended
 * the work of its term: a leader that does nothing would keep the lease from every replica that works; or because older kinds were put
 * under it (rule I21): started again it waits for its own.
 */
export async function runOperator(settings: Settings, stop: AbortSignal): Promise<void> {
  const clock = clockOf(settings.clockFile);
  const identity = replicaName(settings.identity);
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
  const devices = await openDevices({ settings, clock, hub, identity, log: adapterLog, ...gatewayMetrics(metrics) });
  const operator = new Operator({
    clock,
    random: Math.random,
    hub,
    sites,
    prober: timedProber(prober, metrics),
    events,
    told,
    readSecret: async (name) => decoded((await hub.get(SECRET, name, settings.namespace))?.data),
    namespace: settings.namespace,
    tzdata: process.versions.tz ?? "unknown",
    defaultPrometheus: settings.prometheusUrl,
    forecast: new WorkerForecast(),
    inventory: devices.inventory,
    clients: devices.inventory?.clients,
    // Where an hour of the calendar passes in a second, numbers of ten seconds ago are of last week.
    clientsCountedEvery: clock instanceof AcceleratedClock ? 1_000 : undefined,
    notices,
  });
  const health = new Health({ clock });
  health.start();
  health.require("caches", () => notSynced(operator.unsynced()));
  const versionOf = (name: string) => kindVersion(transport, name);
  const kinds = kindsInCluster({ version: VERSION, names: OUR_KINDS, versionOf, clock, log: adapterLog, stop });
  health.require("kinds", () => kinds.missing());
  // A renewal must not queue behind slow calls, so the lease has a connection of its own.
  const leaseTransport = new Transport({ kubeconfig, name: "the hub", userAgent: USER_AGENT, clock, observe, maximumConnections: 1 });
  const store = new KubernetesLeaseStore({ transport: leaseTransport, namespace: settings.namespace, name: LEASE_NAME });
  const leadership = startLeading({ settings: settings.leaderElection, clock, log, identity, operator, told, store, mayLead: kinds.fit });
  operatorMetrics(metrics, {
    leads: () => leadership.leads(),
    watchAges: () => oldest(operator.ages()),
    tzdata: process.versions.tz ?? "unknown",
    namespace: settings.namespace,
    tunnels: () => operator.tunnels(),
  });
  health.require("leader", () => leadership.missing());
  const server = await startTelemetryServer({ address: settings.metricsAddress, metrics, ...probesOf(health) });
  log.info(`rollward ${VERSION} watches namespace ${settings.namespace} and serves /metrics, /livez and /readyz on port ${server.port}`, {
    port: server.port,
  });
  await Promise.race([stop, leadership.failed, kinds.replaced].map(aborted));
  log.info("rollward stops: work in hand is finished, then the lease is handed back");
  await leadership.stop();
  operator.stop();
  await notices.close();
  await devices.close();
  await events.flush();
  health.stop();
  for (const open of [server, prober, sites, hub, transport, leaseTransport]) await open.close();
  if (clock instanceof AcceleratedClock) clock.close();
  for (const reason of [leadership.failed, kinds.replaced]) reason.throwIfAborted();
}

interface Leadership {
  /** The work of a term ended with an error, which is the reason; the process is no use any more. */
  readonly failed: AbortSignal;
  leads(): boolean;
  missing(): string | undefined;
  stop(): Promise<void>;
}

interface LeadingParts {
  readonly settings: Settings["leaderElection"];
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: string;
  readonly operator: Pick<Operator, "lead">;
  readonly told: Pick<Telling, "termEnded">;
  readonly store: LeaseStore;
  /** Until it resolves this replica takes no part in the election. */
  readonly mayLead: Promise<void>;
}

/** Campaigns for the lease and works in its terms, until `stop` or the first term whose work fails. */
export function startLeading({ settings, clock, log, identity, operator, told, store, mayLead }: LeadingParts): Leadership {
  const { enabled, leaseMilliseconds, renewDeadlineMilliseconds, retryMilliseconds } = settings;
  let work: Promise<void> = Promise.resolve();
  if (!enabled) return leadAlone(operator, log, mayLead);
  const stopping = new AbortController();
  const failed = new AbortController();
  const election: Election = new Election({
    clock,
    random: Math.random,
    store,
    identity,
    leaseMilliseconds,
    renewDeadlineMilliseconds,
    retryMilliseconds,
    onElected: (term) => {
      log.info("this replica leads now");
      const ending = AbortSignal.any([term, stopping.signal]);
      work = operator
        .lead(ending, () => election.isLeader())
        .catch((error: unknown) => {
          log.error("the term as leader ended with an error", { error });
          if (!ending.aborted) failed.abort(error);
        })
        .finally(() => told.termEnded());
    },
    onLost: (why) => log.warn(`this replica does not lead any more: ${why}`),
    onLeader: (holder) => log.info(holder === "" ? "nobody leads now" : `${holder} leads now`),
    onError: (what, error) => log.warn(what, { error }),
  });
  void mayLead.then(() => {
    if (!stopping.signal.aborted) election.start();
  });
  return {
    failed: failed.signal,
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
function leadAlone(operator: Pick<Operator, "lead">, log: Logger, mayLead: Promise<void>): Leadership {
  const term = new AbortController();
  const failed = new AbortController();
  // Also an end that comes before it may begin is waited for.
  const begun = Promise.race([mayLead, aborted(term.signal)]);
  const work = begun
    .then(() => (term.signal.aborted ? undefined : operator.lead(term.signal, () => !term.signal.aborted)))
    .catch((error: unknown) => {
      if (term.signal.aborted) return;
      log.error("the controllers ended with an error", { error });
      failed.abort(error);
    });
  return {
    failed: failed.signal,
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

function decoded(data: Readonly<Record<string, string>> | undefined): Record<string, string> | undefined {
  return data && Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", () => resolve(), { once: true })));
