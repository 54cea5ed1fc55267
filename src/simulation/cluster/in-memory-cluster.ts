import type { Clock } from "../../runtime/clock.ts";
import {
  ApiError,
  isNotFound,
  type Cache,
  type Cluster,
  type DataPlaneAnswer,
  type Draft,
  type JsonPatchOperation,
  type Kind,
  type KubernetesObject,
  type ListOptions,
  type PodCall,
  type Prober,
  type WriteOptions,
} from "../../control/ports.ts";
import { sleep } from "../../runtime/clock.ts";
import { POD } from "../../control/kinds.ts";
import { asPublic, type RawObject } from "./objects.ts";
import type { AuditEntry, Store } from "./store.ts";
import { bindPod, evictPod } from "./subresources.ts";
import { matcherFor, WatchedCache } from "./watch.ts";
import { createObject, deleteObject, patchObject, updateObject, updateObjectStatus } from "./writes.ts";

/** One call, as a fault hook sees it. */
export interface Operation {
  readonly verb: "get" | "list" | "proxy" | AuditEntry["verb"];
  readonly kind: string;
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly subresource: AuditEntry["subresource"];
  readonly user: string;
}

/** What goes wrong with one call: it is delayed, fails before it did anything, or fails after it did all (a time-out that committed). */
export interface Fault {
  readonly delayMilliseconds?: number;
  readonly error?: ApiError;
  readonly afterCommit?: boolean;
}

export interface InMemoryClusterOptions {
  readonly clock: Clock;
  /** As in messages; default "the cluster". */
  readonly name?: string;
  /** Whom the audit log names; default "operator". */
  readonly user?: string;
  /** How far the caches of this view are behind the store; default 0. Calls always read the truth. */
  readonly lagMilliseconds?: number;
  /** How long a call takes, half of it before and half after the server acts; default 0. */
  readonly latencyMilliseconds?: number;
  /** Whether caches know this view's own writes as soon as they are answered, as the real adapter's do; default true. */
  readonly seesOwnWrites?: boolean;
  readonly fault?: (operation: Operation) => Fault | undefined;
  /** The way of this API server to its pods; without it pods cannot be asked. */
  readonly network?: Pick<Prober, "http">;
  /** Called for every call that was answered, or failed (code 0: no answer); watches are none. Must not throw. */
  readonly observe?: CallObserver | undefined;
}

type CallObserver = (call: { readonly verb: string; readonly kind: string; readonly code: number }) => void;

interface WriteTarget {
  readonly name: string | undefined;
  readonly namespace: string | undefined;
  readonly subresource?: AuditEntry["subresource"];
  readonly dryRun?: boolean | undefined;
}

/**
 * The Cluster port on a Store: one client's view of the cluster. Several views of one store stand for several processes, each behind an
 * API server of its own that lags as it likes. Objects that it gives out are frozen.
 */
export class InMemoryCluster implements Cluster {
  readonly name: string;
  readonly user: string;
  /** May be changed at any time; events under way keep their time. */
  lagMilliseconds: number;
  latencyMilliseconds: number;
  seesOwnWrites: boolean;
  fault: ((operation: Operation) => Fault | undefined) | undefined;
  readonly #network: Pick<Prober, "http"> | undefined;
  readonly #observe: CallObserver | undefined;
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #caches = new Map<WatchedCache<KubernetesObject>, Kind>();
  readonly #closing = new AbortController();

  constructor(store: Store, options: InMemoryClusterOptions) {
    this.#store = store;
    this.#clock = options.clock;
    this.name = options.name ?? "the cluster";
    this.user = options.user ?? "operator";
    this.lagMilliseconds = options.lagMilliseconds ?? 0;
    this.latencyMilliseconds = options.latencyMilliseconds ?? 0;
    this.seesOwnWrites = options.seesOwnWrites ?? true;
    this.fault = options.fault;
    this.#network = options.network;
    this.#observe = options.observe;
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get<T extends KubernetesObject>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined> {
    return this.#call({ verb: "get", kind: kind.kind, name, namespace, subresource: undefined }, () => {
      const found = this.#store.get(kind, name, namespace);
      return found && asPublic<T>(found);
    });
  }

  list<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Promise<readonly T[]> {
    return this.#call({ verb: "list", kind: kind.kind, name: undefined, namespace: options.namespace, subresource: undefined }, () => {
      const matches = matcherFor(this.#store, kind, options);
      // Of what the selector asks for, the first label that has to be there narrows most lists to one PoP's.
      const [, label, value] = /^([-\w./]+)=([-\w.]+)(?:,|$)/.exec(options.labelSelector ?? "") ?? [];
      const candidates = label === undefined || value === undefined ? this.#store.list(kind) : this.#store.listLabelled(kind, label, value);
      return candidates.filter(matches).map((object) => asPublic<T>(object));
    });
  }

  create<T extends KubernetesObject>(kind: Kind<T>, object: Draft<T>, options: WriteOptions = {}): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.#write("create", kind, { name, namespace, dryRun: options.dryRun }, () => createObject(this.#store, kind, object, options));
  }

  update<T extends KubernetesObject>(kind: Kind<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.#write("update", kind, { name, namespace, dryRun: options.dryRun }, () => updateObject(this.#store, kind, object, options));
  }

  updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    const { name, namespace } = object.metadata;
    return this.#write("update", kind, { name, namespace, subresource: "status" }, () => updateObjectStatus(this.#store, kind, object));
  }

  patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string | undefined,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    return this.#write("patch", kind, { name, namespace }, () => patchObject(this.#store, kind, name, namespace, operations));
  }

  async delete(
    kind: Kind,
    name: string,
    namespace: string | undefined,
    options: { readonly uid?: string; readonly gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    try {
      await this.#write("delete", kind, { name, namespace }, () => deleteObject(this.#store, kind, name, namespace, options));
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async evict(
    pod: { readonly name: string; readonly namespace: string; readonly uid: string },
    options: { readonly dryRun?: boolean } = {},
  ): Promise<void> {
    const { name, namespace, uid } = pod;
    await this.#write("create", POD, { name, namespace, subresource: "eviction", dryRun: options.dryRun }, () =>
      evictPod(this.#store, name, namespace, { uid, ...options }),
    );
  }

  /** Binds a pod to a node: the `binding` subresource, which only the scheduler uses and which is no part of the port. */
  async bind(pod: { readonly name: string; readonly namespace: string }, nodeName: string): Promise<void> {
    const { name, namespace } = pod;
    await this.#write("create", POD, { name, namespace, subresource: "binding" }, () => bindPod(this.#store, name, namespace, nodeName));
  }

  /** By the address of the pod; the host in the URL is nobody's. */
  async askPod({ name, namespace }: { readonly name: string; readonly namespace: string }, call: PodCall): Promise<DataPlaneAnswer> {
    const nothing = (body: string, unreadable = true) => ({ status: 0, body, milliseconds: 0, ...(unreadable ? { unreadable } : {}) });
    try {
      const pod = await this.#call({ verb: "proxy", kind: POD.kind, name, namespace, subresource: undefined }, () =>
        this.#store.get(POD, name, namespace),
      );
      if (pod === undefined) return nothing("the pod is not there any more", false);
      const address = (pod["status"] as { readonly podIP?: string } | undefined)?.podIP;
      if (this.#network === undefined || address === undefined) return nothing("there is no way to the pod");
      const url = new URL(call.url);
      url.hostname = address;
      return await this.#network.http({ ...call, url: url.href });
    } catch (error) {
      return nothing(error instanceof Error ? error.message : String(error));
    }
  }

  cache<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Cache<T> {
    if (this.closed.aborted) throw this.#unreachable();
    const onStop = () => void this.#caches.delete(cache as unknown as WatchedCache<KubernetesObject>);
    const cache = new WatchedCache<T>(this.#store, kind, { ...options, lag: () => this.lagMilliseconds, onStop });
    this.#caches.set(cache as unknown as WatchedCache<KubernetesObject>, kind);
    return cache;
  }

  /** Cuts all watches of this view for a while; with `relist` (default) they come back by a new list, as after a 410. */
  breakWatches(milliseconds: number, options: { readonly relist?: boolean } = {}): void {
    for (const cache of this.#caches.keys()) cache.break(milliseconds, options.relist ?? true);
  }

  /** Also what a killed process looks like: calls under way that have not reached the server never do, and nobody hears an answer. */
  async close(): Promise<void> {
    this.#closing.abort();
    for (const cache of this.#caches.keys()) cache.stop();
  }

  #write<T extends KubernetesObject>(
    verb: AuditEntry["verb"],
    kind: Kind,
    target: WriteTarget,
    perform: () => RawObject | void,
  ): Promise<T> {
    const { name, namespace, subresource, dryRun = false } = target;
    const record = (code: number, answered?: RawObject | void) => {
      const at = this.#clock.now();
      const { resourceVersion } = this.#store;
      const written = answered?.metadata.name ?? name ?? "";
      this.#store.audit.push({
        at,
        user: this.user,
        verb,
        kind: kind.kind,
        name: written,
        namespace,
        subresource,
        dryRun,
        code,
        resourceVersion,
      });
    };
    const commit = (): T => {
      try {
        const answered = perform();
        record(verb === "create" ? 201 : 200, answered);
        return answered as unknown as T;
      } catch (error) {
        if (error instanceof ApiError) record(error.code);
        throw error;
      }
    };
    const written = this.#call({ verb, kind: kind.kind, name, namespace, subresource }, commit, record);
    return dryRun || !this.seesOwnWrites ? written : written.then((answered) => this.#tellCaches(kind, answered));
  }

  #tellCaches<T>(kind: Kind, answered: T): T {
    const object = answered as RawObject | undefined;
    for (const [cache, of] of this.#caches)
      if (object !== undefined && of.kind === kind.kind && of.apiVersion === kind.apiVersion) cache.offer(object);
    return answered;
  }

  /** Without an observer the very promise of the answer: one turn more for everybody would be another order of everything. */
  #call<R>(operation: Omit<Operation, "user">, perform: () => R, refused?: (code: number) => void): Promise<R> {
    const answer = this.#answer(operation, perform, refused);
    return this.#observe === undefined ? answer : this.#observed(operation, answer, this.#observe);
  }

  async #observed<R>({ verb, kind }: Omit<Operation, "user">, answer: Promise<R>, observe: CallObserver): Promise<R> {
    try {
      const found = await answer;
      observe({ verb, kind, code: verb === "create" ? 201 : verb === "get" && found === undefined ? 404 : 200 });
      return found;
    } catch (error) {
      if (error instanceof ApiError) observe({ verb, kind, code: error.code });
      throw error;
    }
  }

  async #answer<R>(operation: Omit<Operation, "user">, perform: () => R, refused?: (code: number) => void): Promise<R> {
    if (this.closed.aborted) throw this.#unreachable();
    const fault = this.fault?.({ ...operation, user: this.user });
    await this.#pass(this.latencyMilliseconds / 2 + (fault?.delayMilliseconds ?? 0));
    if (fault?.error !== undefined && !fault.afterCommit) {
      if (fault.error.code > 0) refused?.(fault.error.code);
      throw fault.error;
    }
    const answer = perform();
    await this.#pass(this.latencyMilliseconds / 2);
    if (fault?.error !== undefined) throw fault.error;
    return answer;
  }

  /** Always at least one turn of the promise queue: no call is ever answered within itself. */
  async #pass(milliseconds: number): Promise<void> {
    await (milliseconds > 0 ? sleep(this.#clock, milliseconds) : undefined);
    if (this.closed.aborted) throw this.#unreachable();
  }

  #unreachable(): ApiError {
    return new ApiError(0, "Unreachable", `${this.name}: the connection is closed.`);
  }
}
