import type { Fleet, FleetSpec } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster, PopClusterStatus } from "../api/pop-cluster.ts";
import { allResources, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../api/resources.ts";
import { NAMESPACE } from "../control/kinds.ts";
import type { ClusterEvent, Draft, KubernetesObject, Prober } from "../control/ports.ts";
import { VirtualClock, seededRandom } from "./clock.ts";
import { customKind } from "./cluster/custom-kind.ts";
import { collectGarbage } from "./cluster/garbage.ts";
import { InMemoryCluster } from "./cluster/in-memory-cluster.ts";
import { Store } from "./cluster/store.ts";
import { runControlPlane } from "./daemon-sets.ts";
import { MemoryClientInventory } from "./clients/inventory.ts";
import { MemoryInventory } from "./devices/inventory.ts";
import type { Notices } from "../control/notices.ts";
import { NoticeSink } from "./devices/notice-sink.ts";
import { type Outage, withOutages } from "./devices/outages.ts";
import { InMemoryRuntime } from "./nodes/in-memory-runtime.ts";
import { NodeFleet, nodeSpecs } from "./nodes/node-fleet.ts";
import { SimulatedProber } from "./nodes/simulated-prober.ts";
import { InlineForecast } from "./foresight/inline-forecast.ts";
import { SimulatedOperator } from "./operator-process.ts";
import type { OperatorWatch } from "./operator-watch.ts";
import { SimulatedPrometheus, withPrometheus } from "./prometheus.ts";
import type { SiteTrouble } from "./sites.ts";

export const FLEET_NAMESPACE = "fleet";
export const DATA_PLANE_NAMESPACE = "rollward-data-plane";

/** Virtual milliseconds: a call takes some, a boot a few thousand, and what is not answered by then never is. */
const LONGEST_CALL = 10 * 60_000;
const NO_WAY = { status: 0, body: "no route to the host", milliseconds: 1 };

export interface WorldOptions {
  /** The instant at which the world begins, RFC 3339. */
  readonly start: string;
  readonly seed?: number;
  /** How far behind the operators' caches are; milliseconds. */
  readonly lagMilliseconds?: number;
  readonly latencyMilliseconds?: number;
  /** Operators have an inventory and send notices; left out: they were started without. */
  readonly sockets?: boolean;
  /** Operators know of Clients; `countedEvery`: how often they read what is counted of them, elapsed milliseconds. */
  readonly clients?: { readonly countedEvery?: number };
  /** Watches the operators, and the gateways that devices of the world are answered by. */
  readonly watch?: OperatorWatch | undefined;
}

/** A sentence that an operator said, with the virtual instant. */
export interface Said {
  readonly at: number;
  readonly event: ClusterEvent;
}

/** A whole world in memory: API server, DaemonSets, nodes, data planes, operators, on one virtual clock. */
export class World {
  readonly clock: VirtualClock;
  readonly store: Store;
  /** A person's view of the cluster. */
  readonly kubectl: InMemoryCluster;
  readonly runtime: InMemoryRuntime;
  readonly prober: Prober;
  /** The images' registry: what it has lost, and the tags under which it has something else by now. */
  readonly registry = { missing: new Set<string>(), moved: new Set<string>() };
  readonly prometheus = new SimulatedPrometheus();
  /** What is wrong with the way to a PoP's own cluster, by the name of its kubeconfig Secret; may be changed at any time. */
  readonly troubles = new Map<string, SiteTrouble>();
  /** What is known of devices; they reach it whatever `inventoryOutage` says. */
  readonly inventory: MemoryInventory;
  /** What is known of Clients; they and gateways reach it whatever `inventoryOutage` says. */
  readonly clients: MemoryClientInventory;
  /** What is wrong with the operators' way to the inventories; may be changed at any time. */
  inventoryOutage: Outage = "None";
  /** The receiver of every account's notices. */
  readonly sink = new NoticeSink();
  readonly nodes: NodeFleet;
  readonly said: Said[] = [];
  readonly operators: SimulatedOperator[] = [];
  /** The operators' views of the hub, in the same order: faults are put on them. */
  readonly hubs: InMemoryCluster[] = [];
  /** True: from the operators no packet gets to a node or a pod. API servers still reach their own. */
  directOutage = false;
  readonly #network: Prober;
  readonly #options: WorldOptions;
  readonly #random: () => number;

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed ?? 1);
    this.clock = new VirtualClock(Date.parse(options.start), options.seed === undefined ? {} : { seed: options.seed });
    this.store = new Store({ clock: this.clock, kinds: allResources.map((resource) => customKind(resource)) });
    this.kubectl = new InMemoryCluster(this.store, { clock: this.clock, user: "person" });
    this.runtime = new InMemoryRuntime(this.clock);
    this.inventory = new MemoryInventory(() => this.clock.elapsed());
    this.clients = new MemoryClientInventory(() => this.clock.elapsed());
    this.#network = new SimulatedProber(this.runtime, this.clock);
    const direct: Prober = {
      http: (call) => (this.directOutage ? Promise.resolve(NO_WAY) : this.#network.http(call)),
      tcp: (...asked) => (this.directOutage ? Promise.resolve(undefined) : this.#network.tcp(...asked)),
    };
    this.prober = withPrometheus(direct, this.prometheus);
    const kubelets = new InMemoryCluster(this.store, { clock: this.clock, user: "kubelets" });
    this.nodes = new NodeFleet({
      cluster: kubelets,
      clock: this.clock,
      runtime: this.runtime,
      declareDeadAfterMilliseconds: 4_000,
      isMissing: (image) => this.registry.missing.has(image),
      digestOf: (image) => (this.registry.moved.has(image) ? "sha256:moved" : undefined),
    });
  }

  static async create(options: WorldOptions): Promise<World> {
    const world = new World(options);
    collectGarbage(world.store);
    runControlPlane(new InMemoryCluster(world.store, { clock: world.clock, user: "controllers" }), world.clock);
    for (const name of [FLEET_NAMESPACE, DATA_PLANE_NAMESPACE]) {
      await world.kubectl.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
    }
    return world;
  }

  /** Starts one more operator, with API views of its own; with an inventory as the world has it, unless told. */
  startOperator({ sockets = this.#options.sockets ?? false, clients = true } = {}): SimulatedOperator {
    const { watch } = this;
    const hub = new InMemoryCluster(this.store, {
      clock: this.clock,
      user: "rollward",
      lagMilliseconds: this.#options.lagMilliseconds ?? 2,
      latencyMilliseconds: this.#options.latencyMilliseconds ?? 1,
      network: this.#network,
      observe: watch?.called.bind(watch),
    });
    const onEvent = (event: ClusterEvent) => void this.said.push({ at: this.clock.now(), event });
    const operator = new SimulatedOperator({
      clock: this.clock,
      hub,
      prober: this.prober,
      random: this.#random,
      namespace: FLEET_NAMESPACE,
      onEvent,
      troubles: this.troubles,
      forecast: new InlineForecast(),
      watch,
      ...(sockets ? { inventory: withOutages(this.inventory, () => this.inventoryOutage), notices: this.#receiver() } : {}),
      ...this.#clients(clients),
    });
    operator.start();
    this.operators.push(operator);
    this.hubs.push(hub);
    return operator;
  }

  get watch(): OperatorWatch | undefined {
    return this.#options.watch;
  }

  #receiver(): Notices {
    const { sink, watch } = this;
    if (watch === undefined) return sink;
    return {
      problem: (account) => sink.problem(account),
      send: async (notice) => {
        const took = await sink.send(notice);
        if (took) watch.noticeSent(notice.kind);
        return took;
      },
    };
  }

  #clients(wanted: boolean): Pick<ConstructorParameters<typeof SimulatedOperator>[0], "clients" | "clientsCountedEvery"> {
    const asked = this.#options.clients;
    if (asked === undefined || !wanted) return {};
    return { clients: withOutages(this.clients, () => this.inventoryOutage), clientsCountedEvery: asked.countedEvery };
  }

  /** Boots `count` nodes of a PoP while the clock runs. */
  async bootNodes(pop: string, count: number): Promise<void> {
    await this.while(this.nodes.start(nodeSpecs(pop, count)));
  }

  /** Lets the clock run until a promise of the world is settled. Rejects when it is not within `limitMilliseconds` of virtual time. */
  async while<T>(work: Promise<T>, limitMilliseconds = LONGEST_CALL): Promise<T> {
    let settled = false;
    const done = work.finally(() => (settled = true));
    done.catch(() => undefined);
    for (const end = this.clock.elapsed() + limitMilliseconds; !settled;) {
      if (this.clock.elapsed() >= end) throw this.#unanswered(limitMilliseconds);
      await this.clock.advance(10);
    }
    return done;
  }

  #unanswered(limitMilliseconds: number): Error {
    return new Error(
      `A call to the simulated world was not answered within ${limitMilliseconds / 1_000} s of virtual time; the clock stands at ` +
        `${new Date(this.clock.now()).toISOString()}. What it waits for never comes: what follows a long way off is awaited with \`until\`.`,
    );
  }

  async apply<T extends KubernetesObject>(kind: Parameters<InMemoryCluster["create"]>[0], object: Draft<T>): Promise<void> {
    await this.while(this.kubectl.create(kind, object as Draft<KubernetesObject>));
  }

  async pop(name: string): Promise<PopCluster> {
    const pop = await this.while(this.kubectl.get<PopCluster>(POP_CLUSTER, name, FLEET_NAMESPACE));
    if (!pop) throw new Error(`there is no PoPCluster ${name}`);
    return pop;
  }

  /** Changes a spec as a person would, whoever else writes the object meanwhile. */
  async editPop(name: string, change: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<void> {
    const pop = await this.pop(name);
    await this.while(this.kubectl.update<PopCluster>(POP_CLUSTER, { ...pop, spec: change(structuredClone(pop.spec)) }));
  }

  /** Runs the world until a PoP's status satisfies the predicate, asked after every change of it. */
  async until(
    name: string,
    predicate: (status: PopClusterStatus, pop: PopCluster) => boolean,
    limitMilliseconds: number,
    waitingFor: string,
  ): Promise<PopCluster> {
    const cache = this.kubectl.cache<PopCluster>(POP_CLUSTER, { namespace: FLEET_NAMESPACE });
    await this.while(cache.whenSynced());
    const current = () => cache.get(name, FLEET_NAMESPACE);
    try {
      await this.clock.runUntil(
        () => {
          const pop = current();
          return pop !== undefined && predicate(pop.status ?? {}, pop);
        },
        { limitMilliseconds, waitingFor },
      );
      return current()!;
    } catch (error) {
      throw new Error(`${(error as Error).message}; PoP ${name} stood at: ${JSON.stringify(current()?.status, null, 1)}`, { cause: error });
    } finally {
      cache.stop();
    }
  }
}

export const fleetDraft = (spec: Partial<FleetSpec> = {}): Draft<Fleet> =>
  ({ apiVersion: FLEET.apiVersion, kind: "Fleet", metadata: { name: "fleet", namespace: FLEET_NAMESPACE }, spec }) as Draft<Fleet>;

/** Sunday 01:00 to 05:00 in the local time of whatever it is applied to. */
export const sundayWindow = (name = "pop-sunday"): Draft<MaintenanceWindow> =>
  ({
    apiVersion: MAINTENANCE_WINDOW.apiVersion,
    kind: "MaintenanceWindow",
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: { schedule: { weekly: [{ day: "Sunday", start: "01:00", duration: "4h" }] }, timeZone: "Local" },
  }) as Draft<MaintenanceWindow>;

export interface PopOptions {
  readonly version?: string;
  readonly timeZone?: string;
  readonly strategy?: { readonly maxUnavailable?: number | string; readonly [field: string]: unknown };
  readonly health?: object;
  readonly rollback?: object;
  readonly spec?: object;
}

/** How the sessions of the virtual data planes leave, and are told to stay. */
export const DRAIN = {
  start: { http: { port: 8080, path: "/drain" } },
  cancel: { http: { port: 8080, path: "/undrain" } },
  lease: "30s",
  timeout: "30s",
  sessions: { metric: "pop_active_sessions", port: 8080, path: "/metrics" },
} as const;

/** A PoP of virtual nodes: host network, health on 8080, sessions on 7000, drained by token, judged by health and reconnects. */
export function popDraft(name: string, options: PopOptions = {}): Draft<PopCluster> {
  const { version = "1.0.0", timeZone = "Europe/Berlin", strategy = {}, health = {}, rollback = {}, spec = {} } = options;
  return {
    apiVersion: POP_CLUSTER.apiVersion,
    kind: "PoPCluster",
    metadata: { name, namespace: FLEET_NAMESPACE },
    spec: {
      version,
      region: "eu-central",
      timeZone,
      nodeSelector: { matchLabels: { "rollward.dev/pop": name } },
      dataPlaneNamespace: DATA_PLANE_NAMESPACE,
      template: {
        spec: {
          hostNetwork: true,
          terminationGracePeriodSeconds: 2,
          containers: [
            {
              name: "pop",
              image: "registry.example/pop:${version}",
              ports: [
                { name: "health", containerPort: 8080, hostPort: 8080 },
                { name: "session", containerPort: 7000, hostPort: 7000 },
              ],
              readinessProbe: { httpGet: { path: "/healthz", port: 8080 } },
            },
          ],
        },
      },
      windowRef: { name: "pop-sunday" },
      strategy: {
        prePull: false,
        bake: "10m",
        watch: "24h",
        drain: DRAIN,
        perNode: { expected: "2m", deadline: "5m", soak: "5s", retries: 1 },
        ...strategy,
      },
      health: {
        node: [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" }],
        pop: [{ name: "reconnect", reconnect: { histogram: "pop_session_reconnect_seconds" } }],
        ...health,
      },
      rollback: { maxUnavailable: 1, ...rollback },
      ...spec,
    },
  } as unknown as Draft<PopCluster>;
}
