import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL } from "../../src/api/names.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import {
  ApiError,
  type Cache,
  type DataPlaneAnswer,
  type Draft,
  type JsonPatchOperation,
  type Kind,
  type KubernetesObject,
  type ListOptions,
  type Prober,
  type WriteOptions,
} from "../../src/control/ports.ts";
import type { ClientInventory } from "../../src/control/client-inventory.ts";
import { type Inventory, InventoryUnavailable } from "../../src/control/inventory.ts";
import type { Notices } from "../../src/control/notices.ts";
import { sleep } from "../../src/runtime/clock.ts";
import { seededRandom } from "../../src/simulation/clock.ts";
import { InMemoryCluster } from "../../src/simulation/cluster/in-memory-cluster.ts";
import { SimulatedOperator } from "../../src/simulation/operator-process.ts";
import { FLEET_NAMESPACE, type World } from "../../src/simulation/world.ts";
import type { Effect, EffectObserver, Mishap, Sabotage } from "./effect.ts";

export interface FaultyOperatorOptions {
  readonly name?: string;
  readonly seed?: number;
  readonly lagMilliseconds?: number;
  readonly latencyMilliseconds?: number;
  readonly mishap?: (effect: Effect) => Mishap | undefined;
  /** Called right before the effect is sent and with what came of it; for oracles. */
  readonly observer?: EffectObserver;
  readonly sabotage?: Sabotage;
  /** What it serves Sockets by; left out: it was started without. */
  readonly devices?: { readonly inventory: Inventory; readonly notices: Notices };
  /** What it knows of Clients, and how often it reads their numbers; left out: it was started without. */
  readonly clients?: { readonly inventory: ClientInventory; readonly countedEvery: number };
}

/** What an operator asks of the inventories without changing anything in them. */
const QUESTIONS: ReadonlySet<string | symbol> = new Set([
  "site",
  "measured",
  "changed",
  "devices",
  "clients",
  "counted",
  "versions",
  "replicas",
  "directory",
  "directories",
]);

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** A real operator whose every effect can be delayed, lost, answered with an error, or be the last thing that its process did. */
export class FaultyOperator {
  readonly name: string;
  readonly effects: Effect[] = [];
  readonly hub: FaultyHub;
  mishap: ((effect: Effect) => Mishap | undefined) | undefined;
  alive = true;
  /** Elapsed instant of the last list of nodes. */
  listedAt = Number.NEGATIVE_INFINITY;
  readonly #world: World;
  readonly #options: FaultyOperatorOptions;
  readonly #process: SimulatedOperator;

  constructor(world: World, options: FaultyOperatorOptions = {}) {
    this.#world = world;
    this.#options = options;
    this.name = options.name ?? "rollward";
    this.mishap = options.mishap;
    this.hub = new FaultyHub(world, this, options);
    this.#process = new SimulatedOperator({
      clock: world.clock,
      hub: this.hub,
      prober: this.#prober(),
      random: seededRandom(options.seed ?? 1),
      namespace: FLEET_NAMESPACE,
      onEvent: (event) => void world.said.push({ at: world.clock.now(), event }),
      told: { queue: () => ({ retrying: (_key, _delay, _failures, error) => options.observer?.failed(this.name, error) }) },
      ...(options.devices
        ? { inventory: this.#inventory(options.devices.inventory), notices: this.#notices(options.devices.notices) }
        : {}),
      ...(options.clients
        ? { clients: this.#inventory(options.clients.inventory), clientsCountedEvery: options.clients.countedEvery }
        : {}),
    });
    this.#process.start();
  }

  /** Dies without goodbye: what it has sent is done, nothing more is sent and nobody hears the answers. */
  crash(): void {
    if (!this.alive) return;
    this.alive = false;
    this.#process.crash();
    void this.hub.close();
  }

  /** Runs one effect through its mishap. */
  async perform<T>(name: string, target: string, detail: string, done: (effect: Effect) => Promise<T>): Promise<T> {
    const { observer } = this.#options;
    const effect: Effect = { operator: this.name, index: this.effects.length, name, target, detail, listedAt: this.listedAt };
    this.effects.push(effect);
    const mishap = this.mishap?.(effect);
    if (mishap?.delayMilliseconds) await sleep(this.#world.clock, mishap.delayMilliseconds);
    if (!this.alive) return never();
    if (mishap?.crash === "before") {
      this.crash();
      return never();
    }
    if (mishap?.error && !mishap.commits) throw mishap.error;
    observer?.sent(effect);
    try {
      const answer = await done(effect);
      if (mishap?.crash === "after") {
        this.crash();
        return await never();
      }
      if (mishap?.error) throw mishap.error;
      return this.alive ? answer : await never();
    } finally {
      observer?.ended(effect);
    }
  }

  /** Every change of the inventory passes its mishap; who died hears nothing any more. */
  #inventory<Store extends object>(inventory: Store): Store {
    return new Proxy(inventory, {
      get: (target, name): unknown => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        if (name === "onChange" || name === "close") return value.bind(target) as unknown;
        const call = async (given: readonly unknown[]): Promise<unknown> => (this.alive ? Reflect.apply(value, target, given) : never());
        if (QUESTIONS.has(name)) return (...given: unknown[]) => call(given);
        return (...given: unknown[]) =>
          this.perform(`inventory.${String(name)}`, "", JSON.stringify(given[0]), () => call(given)).catch((error: unknown) => {
            throw error instanceof ApiError ? new InventoryUnavailable(error.message) : error;
          });
      },
    });
  }

  #notices(notices: Notices): Notices {
    return {
      ...notices,
      send: (notice, channels) =>
        this.perform("notice", notice.site.name, `${notice.kind} ${notice.version ?? ""}`, () => notices.send(notice, channels)).catch(
          () => false,
        ),
    };
  }

  #prober(): Prober {
    const { prober, runtime } = this.#world;
    const { observer, sabotage } = this.#options;
    return {
      tcp: (host, port, timeout) => (this.alive ? prober.tcp(host, port, timeout) : never()),
      http: (request) => {
        if (!this.alive) return never();
        const path = new URL(request.url).pathname;
        if (request.method !== "POST" || (path !== "/drain" && path !== "/undrain")) return prober.http(request);
        const verb = path === "/drain" ? "drain.start" : "drain.cancel";
        const asked = request.body as Readonly<Record<string, unknown>>;
        const address = new URL(request.url).hostname;
        const plane = () => runtime.listener(address, 8080)?.instance.plane;
        const token = String(asked["token"]);
        const unheard: DataPlaneAnswer = { status: 0, body: "no answer", milliseconds: 2_000 };
        return this.perform(verb, plane()?.identity.node ?? address, token, (effect) => {
          const target = plane();
          const body = sabotage?.drain ? sabotage.drain(asked, verb, this.#world, request.url) : asked;
          if (body === undefined) return Promise.resolve({ status: 200, body: "", milliseconds: 1 });
          const before = target?.drainToken;
          const served = target?.health === "Healthy" && before === undefined;
          const answer = prober.http({ ...request, body });
          if (target && verb === "drain.start" && target.drainToken === token) {
            const { node, containerID } = target.identity;
            observer?.drained(effect, { node, containerID, token, began: before !== token, sessionsServed: served });
          }
          return answer;
        }).catch((error: unknown) => {
          if (error instanceof ApiError) return unheard;
          throw error;
        });
      },
    };
  }
}

/** The operator's view of the API server; every write passes its mishap, with a name that tells what it does. */
export class FaultyHub extends InMemoryCluster {
  readonly #operator: FaultyOperator;
  readonly #clock: World["clock"];
  readonly #sabotage: Sabotage | undefined;

  constructor(world: World, operator: FaultyOperator, options: FaultyOperatorOptions) {
    super(world.store, {
      clock: world.clock,
      user: operator.name,
      lagMilliseconds: options.lagMilliseconds ?? 2,
      latencyMilliseconds: options.latencyMilliseconds ?? 1,
    });
    this.#operator = operator;
    this.#clock = world.clock;
    this.#sabotage = options.sabotage;
  }

  override async get<T extends KubernetesObject>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined> {
    const found = await this.#heard(super.get(kind, name, namespace));
    const seen = found && this.#seen(kind, found);
    return (this.#sabotage?.get ? this.#sabotage.get(kind, seen) : seen) as T | undefined;
  }

  override async list<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Promise<readonly T[]> {
    const asked = this.#clock.elapsed();
    const found = (await this.#heard(super.list(kind, options))).map((one) => this.#seen(kind, one));
    if (kind.kind === "Node") this.#operator.listedAt = asked;
    return (this.#sabotage?.list ? this.#sabotage.list(kind, found) : found) as readonly T[];
  }

  override cache<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Cache<T> {
    const cache = super.cache(kind, options);
    const { view } = this.#sabotage ?? {};
    return view === undefined ? cache : seenThrough(cache, (object) => view(kind, object) as T);
  }

  #seen<T extends KubernetesObject>(kind: Kind<T>, object: T): T {
    const { view } = this.#sabotage ?? {};
    return view === undefined ? object : (view(kind, object) as T);
  }

  override create<T extends KubernetesObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    if (options.dryRun) return this.#heard(super.create(kind, object, options));
    return this.#operator.perform(`create ${kind.kind}`, object.metadata.name ?? "", "", () => super.create(kind, object, options));
  }

  override update<T extends KubernetesObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#operator.perform(`update ${kind.kind}`, object.metadata.name, "", () => super.update(kind, object, options));
  }

  override updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    const name = kind.kind === "PoPCluster" ? "status" : kind.kind === "Fleet" ? "grants" : `status of ${kind.kind}`;
    const detail = kind.kind === "PoPCluster" ? summaryOf(object as unknown as PopCluster) : "";
    const { ignoresConflicts, status } = this.#sabotage ?? {};
    const written = status === undefined ? object : (status(kind, object) as T);
    // Who writes something else than was decided believes that it wrote what was decided.
    const believed = (answer: T): T => (status === undefined ? answer : { ...answer, status: (object as { status?: unknown }).status });
    return this.#operator.perform(name, object.metadata.name, detail, async () => {
      if (ignoresConflicts !== true && ignoresConflicts !== kind.kind) return believed(await super.updateStatus(kind, written));
      const newest = await super.get(kind, object.metadata.name, object.metadata.namespace);
      const { resourceVersion } = (newest ?? object).metadata;
      return believed(await super.updateStatus(kind, { ...written, metadata: { ...written.metadata, resourceVersion } }));
    });
  }

  override patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string | undefined,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    const { effect, detail } = nameOf(kind, operations);
    const sent = this.#sabotage?.patch ? this.#sabotage.patch(kind, operations, effect) : operations;
    if (sent === undefined) return this.get(kind, name, namespace) as Promise<T>;
    return this.#operator.perform(effect, name, detail, () => super.patch(kind, name, namespace, sent));
  }

  override delete(
    kind: Kind,
    name: string,
    namespace: string | undefined,
    options: { readonly uid?: string; readonly gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    return this.#operator.perform(`delete ${kind.kind}`, name, "", () => super.delete(kind, name, namespace, options));
  }

  /** A dead process hears nothing any more; a rejection would only let it go on. */
  async #heard<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      return this.#operator.alive ? answer : await never();
    } catch (error) {
      if (!this.#operator.alive) return never();
      throw error;
    }
  }
}

/** A cache whose objects are seen otherwise than they are. */
function seenThrough<T extends KubernetesObject>(cache: Cache<T>, view: (object: T) => T): Cache<T> {
  return {
    get: (name, namespace) => {
      const found = cache.get(name, namespace);
      return found && view(found);
    },
    list: () => cache.list().map(view),
    onChange: (listener) => cache.onChange((object, deleted) => listener(view(object), deleted)),
    whenSynced: (signal) => cache.whenSynced(signal),
    stop: () => cache.stop(),
    onSilence: (listener) => cache.onSilence(listener),
    get silent() {
      return cache.silent;
    },
    get synced() {
      return cache.synced;
    },
    get age() {
      return cache.age;
    },
  };
}

const escaped = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
export const CLAIM_PATH = `/metadata/annotations/${escaped(CLAIM_ANNOTATION)}`;
export const LABEL_PATH = `/metadata/labels/${escaped(REVISION_LABEL)}`;

function nameOf(kind: Kind, operations: readonly JsonPatchOperation[]): { readonly effect: string; readonly detail: string } {
  if (kind.kind === "PoPCluster")
    return { effect: "finalizer", detail: operations.some((one) => JSON.stringify(one).includes("claims")) ? "on" : "off" };
  const writes = operations.filter((one) => one.op !== "test");
  for (const one of writes) {
    if (one.path === LABEL_PATH)
      return one.op === "remove" ? { effect: "label-off", detail: "" } : { effect: "label-on", detail: String(one.value) };
    const claim =
      one.op === "remove"
        ? undefined
        : one.path === CLAIM_PATH
          ? one.value
          : (one.value as Record<string, unknown> | undefined)?.[CLAIM_ANNOTATION];
    if (typeof claim === "string") return { effect: claim.startsWith(RELEASED_PREFIX) ? "release" : "claim", detail: claim };
  }
  return { effect: `patch ${kind.kind}`, detail: "" };
}

/** `Rolling n1:Done n2:Claimed`, so that a trace names the write that it means. */
export function summaryOf(pop: Pick<PopCluster, "status">): string {
  const { run, nodes } = pop.status ?? {};
  return [run ? `${run.kind}/${run.state}` : "-", ...(nodes ?? []).map((node) => `${node.name.replace(/^.*-/, "")}:${node.step}`)].join(
    " ",
  );
}
