import { stat } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { AcceleratedClock } from "../control/clock/accelerated-clock.ts";
import type { ClientCheckIns, ClientInventory } from "../control/client-inventory.ts";
import type { DeviceInventory, Inventory } from "../control/inventory.ts";
import type { Cluster } from "../control/ports.ts";
import { openClients } from "../gateway/clients/open.ts";
import { type Gateway, startGateway } from "../gateway/gateway.ts";
import type { CheckinAnswer } from "../gateway/reply.ts";
import { StoreClock } from "../gateway/store-clock.ts";
import { ClusterViews } from "../gateway/views.ts";
import { openInventory } from "../inventory/open.ts";
import { KubernetesCluster } from "../kubernetes/cluster.ts";
import { Transport } from "../kubernetes/transport.ts";
import type { Clock } from "../runtime/clock.ts";
import { Health } from "../runtime/health.ts";
import type { GatewaySettings, Settings } from "../settings.ts";
import { createLogger } from "../telemetry/log.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { apiMetrics } from "../telemetry/operator-metrics.ts";
import { checkinMetrics, inventoryMetric, skewMetric } from "../telemetry/socket-metrics.ts";
import { startTelemetryServer } from "../telemetry/server.ts";
import { clockOf } from "./clock-of.ts";
import { firstAnswer } from "./first-answer.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { UnusableInput } from "./unusable-input.ts";
import { USER_AGENT } from "./version.ts";

interface GatewayParts {
  readonly settings: GatewaySettings;
  /** The fleet namespace. */
  readonly namespace: string;
  readonly clock: Clock;
  readonly hub: Pick<Cluster, "get" | "list">;
  readonly inventory: DeviceInventory & { readonly clients: ClientCheckIns };
  /** Unlike every other replica's. */
  readonly identity: string;
  readonly log: (level: "debug" | "info" | "warn" | "error", message: string) => void;
  readonly onCheckin?: (answer: CheckinAnswer, seconds: number) => void;
  readonly onClientCheckin?: (answer: string, seconds: number) => void;
  readonly onSkew?: (seconds: number) => void;
  /** Hears whether the inventory answers, at the start and when that changes. */
  readonly onInventory?: (answers: boolean) => void;
}

/** The gateway with its own look at the cluster. Rejects when the address is taken. */
async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { settings, namespace, clock, hub, inventory, log, onCheckin, onClientCheckin, onSkew } = parts;
  const { address, hints, publicUrl, tls, artifacts } = settings;
  // A calendar that is accelerated agrees with no store's.
  const storeClock =
    clock instanceof AcceleratedClock
      ? undefined
      : new StoreClock({ clock, storeTime: () => inventory.storeTime(), log, ...(onSkew === undefined ? {} : { onSkew }) });
  const views = new ClusterViews({ hub, namespace, clock, log, ...(storeClock && { isClockTrue: () => storeClock.isTrue() }) });
  views.start();
  storeClock?.start();
  const clients = openClients({
    ...settings.clients,
    inventory,
    checkIns: inventory.clients,
    hub,
    namespace,
    replica: parts.identity,
    clock,
    log,
    ...(artifacts === undefined ? {} : { artifacts }),
  });
  // After the last answer: what Clients said is written, and the operator hears that this replica answers nobody.
  const stopLooking = () => Promise.all([clients.close(), views.stop(), storeClock?.stop()]);
  try {
    const gateway = await startGateway({
      address,
      clock,
      inventory,
      views,
      hints,
      log,
      ...(publicUrl === undefined ? {} : { publicUrl }),
      ...(tls === undefined ? {} : { tls }),
      ...(artifacts === undefined ? {} : { artifacts }),
      ...(onCheckin === undefined ? {} : { onCheckin }),
      clients: clients.gateway,
      ...(onClientCheckin === undefined ? {} : { onClientCheckin }),
    });
    return {
      port: gateway.port,
      close: async () => {
        await gateway.close();
        await stopLooking();
      },
    };
  } catch (error) {
    await stopLooking();
    throw error;
  }
}

interface Devices {
  readonly inventory: (Inventory & DeviceInventory & { readonly clients: ClientInventory }) | undefined;
  /** Where devices are answered, if anywhere. */
  readonly port: number | undefined;
  close(): Promise<void>;
}

/** What cannot be opened here is a wrong address or a file: a database that is away is waited for. */
async function openedInventory(...asked: Parameters<typeof openInventory>): ReturnType<typeof openInventory> {
  try {
    return await openInventory(...asked);
  } catch (error) {
    throw new UnusableInput(`--inventory: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A folder that is not there would be told at the first device that asks, in the night. */
async function checkFolder(artifacts: string | undefined): Promise<void> {
  if (artifacts === undefined) return;
  const found = await stat(artifacts).catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  const problem = typeof found === "string" ? `cannot be read (${found})` : found.isDirectory() ? undefined : "is no folder";
  if (problem !== undefined)
    throw new UnusableInput(`--artifacts ${artifacts} ${problem}; name the folder that the gateway serves, or leave it out`);
}

/** The inventory that the settings name, and a gateway on it if they ask for one: the operator's own process has both (SQLite). */
export async function openDevices({
  settings,
  ...parts
}: Omit<GatewayParts, "settings" | "inventory" | "namespace"> & { readonly settings: Settings }): Promise<Devices> {
  if (settings.inventory === undefined) return { inventory: undefined, port: undefined, close: () => Promise.resolve() };
  await checkFolder(settings.gateway?.artifacts);
  const { log, onInventory } = parts;
  const inventory = await openedInventory(settings.inventory, { log, ...(onInventory && { answers: onInventory }) });
  try {
    const gateway =
      settings.gateway && (await openGateway({ ...parts, settings: settings.gateway, namespace: settings.namespace, inventory }));
    return {
      inventory,
      port: gateway?.port,
      close: async () => {
        await gateway?.close();
        await inventory.close();
      },
    };
  } catch (error) {
    await inventory.close();
    throw error;
  }
}

/** Of this process, in elections and as a gateway: as it was given, else unlike every other's. */
export const replicaName = (given: string | undefined): string => given ?? `${hostname()}-${randomBytes(4).toString("hex")}`;

/** What is told of the inventory; and by a gateway of its check-ins and of its host's clock. */
export const gatewayMetrics = (metrics: Metrics) => ({
  onCheckin: checkinMetrics(metrics, "ddi"),
  onClientCheckin: checkinMetrics(metrics, "omaha"),
  onSkew: skewMetric(metrics),
  onInventory: inventoryMetric(metrics),
});

/** What a kubelet asks. */
export const probesOf = (health: Health) => ({ liveness: () => health.liveness(), readiness: () => health.readiness() });

/** A gateway without controllers, until the signal: several of them share one PostgreSQL. */
export async function runGateway(settings: Settings, stop: AbortSignal): Promise<void> {
  const clock = clockOf(settings.clockFile);
  const log = createLogger(settings.logLevel, () => clock.now());
  const write = (level: "debug" | "info" | "warn" | "error", message: string) => log[level](message);
  const metrics = createMetrics();
  const kubeconfig = loadKubeconfig(settings.kubeconfig);
  const transport = new Transport({ kubeconfig, name: "the hub", userAgent: USER_AGENT, clock, observe: apiMetrics(metrics) });
  const hub = new KubernetesCluster({ transport, clock, log: write });
  const devices = await openDevices({
    settings,
    clock,
    hub,
    identity: replicaName(settings.identity),
    log: write,
    ...gatewayMetrics(metrics),
  });
  const health = new Health({ clock });
  health.start();
  const missing = devices.inventory && firstAnswer(devices.inventory, clock, stop);
  if (missing !== undefined) health.require("inventory", missing);
  // Not fresh it answers polls all the same; a balancer that takes it out would make devices look lost.
  const server = await startTelemetryServer({ address: settings.metricsAddress, metrics, ...probesOf(health) });
  log.info(`the gateway answers devices on port ${devices.port} and serves /metrics, /livez and /readyz on port ${server.port}`, {
    port: devices.port,
  });
  await new Promise<void>((resolve) => (stop.aborted ? resolve() : stop.addEventListener("abort", () => resolve(), { once: true })));
  await devices.close();
  health.stop();
  await server.close();
  await hub.close();
  if (clock instanceof AcceleratedClock) clock.close();
}
