import {
  ApiError,
  type Cache,
  type Cluster,
  type DataPlaneAnswer,
  type Draft,
  isNotFound,
  type JsonPatchOperation,
  type Kind,
  type KubernetesObject,
  type ListOptions,
  type PodCall,
  type WriteOptions,
} from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import { ObjectCache } from "./cache.ts";
import type { Log } from "./log.ts";
import { listPages } from "./paged-list.ts";
import { podAnswer, podProxyPath } from "./pod-proxy.ts";
import type { ReflectorTimings } from "./reflector.ts";
import { objectTitle, resourcePath } from "./resource-path.ts";
import type { Call } from "./call.ts";
import type { Transport } from "./transport.ts";

export interface ClusterSettings {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
  readonly timings?: Partial<ReflectorTimings>;
}

const POD: Kind = { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true };
/** Of an answer of a pod at most this many bytes are kept, unless the call says otherwise. */
const POD_ANSWER_BYTES = 64 * 1024;

/** The Cluster port on a real API server. */
export class KubernetesCluster implements Cluster {
  readonly #settings: ClusterSettings;
  readonly #transport: Transport;
  readonly #caches = new Set<ObjectCache<KubernetesObject>>();
  readonly #closing = new AbortController();

  constructor(settings: ClusterSettings) {
    this.#settings = settings;
    this.#transport = settings.transport;
  }

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get name(): string {
    return this.#transport.name;
  }

  async get<T extends KubernetesObject>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined> {
    try {
      return await this.#transport.request<T>(this.#call("get", "GET", kind, namespace, name));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async list<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Promise<readonly T[]> {
    const objects: T[] = [];
    await listPages(this.#transport, kind, options, {
      restart: () => void objects.splice(0),
      object: (object) => void objects.push(object),
    });
    return objects;
  }

  create<T extends KubernetesObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T> {
    const { name, generateName, namespace } = object.metadata;
    const call = this.#call("create", "POST", kind, namespace, name ?? `${generateName ?? ""}…`);
    return this.#write(
      kind,
      { ...call, path: resourcePath(kind, namespace), query: writeQuery(options), body: typed(kind, object) },
      options,
    );
  }

  update<T extends KubernetesObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T> {
    const { name, namespace } = object.metadata;
    const call = this.#call("update", "PUT", kind, namespace, name);
    return this.#write(kind, { ...call, query: writeQuery(options), body: typed(kind, object) }, options);
  }

  updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T> {
    const { name, namespace } = object.metadata;
    const call = this.#call("update status", "PUT", kind, namespace, name);
    return this.#write(kind, { ...call, path: resourcePath(kind, namespace, name, "status"), body: typed(kind, object) });
  }

  patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string | undefined,
    operations: readonly JsonPatchOperation[],
  ): Promise<T> {
    const call = this.#call("patch", "PATCH", kind, namespace, name);
    return this.#write(kind, { ...call, body: operations, contentType: "application/json-patch+json" });
  }

  async delete(
    kind: Kind,
    name: string,
    namespace: string | undefined,
    options: { readonly uid?: string; readonly gracePeriodSeconds?: number } = {},
  ): Promise<void> {
    const { uid, gracePeriodSeconds } = options;
    const body = {
      apiVersion: "v1",
      kind: "DeleteOptions",
      ...(uid === undefined ? {} : { preconditions: { uid } }),
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    };
    try {
      await this.#transport.request({ ...this.#call("delete", "DELETE", kind, namespace, name), body });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  async evict(
    pod: { readonly name: string; readonly namespace: string; readonly uid: string },
    options: { readonly dryRun?: boolean } = {},
  ): Promise<void> {
    const { name, namespace, uid } = pod;
    await this.#transport.request({
      ...this.#call("evict", "POST", POD, namespace, name),
      path: resourcePath(POD, namespace, name, "eviction"),
      body: {
        apiVersion: "policy/v1",
        kind: "Eviction",
        metadata: { name, namespace },
        deleteOptions: { preconditions: { uid }, ...(options.dryRun ? { dryRun: ["All"] } : {}) },
      },
      // A 429 here is the disruption budget's answer, for the caller to judge.
      retry: false,
    });
  }

  /** The scheme, port and path of the URL; where the pod gave no answer, `pod-proxy.ts` says what the server said instead. */
  async askPod(pod: { readonly name: string; readonly namespace: string }, asked: PodCall): Promise<DataPlaneAnswer> {
    const started = performance.now();
    const { method, timeoutMilliseconds } = asked;
    const call: Call = {
      verb: "proxy",
      kind: POD.kind,
      title: objectTitle(POD, pod.namespace, pod.name),
      method,
      path: podProxyPath(pod, asked.url),
      ...(asked.body === undefined ? {} : { body: asked.body }),
      deadlineMilliseconds: timeoutMilliseconds,
      retry: false,
    };
    const answered = await this.#transport.exchange(call, asked.maximumBytes ?? POD_ANSWER_BYTES).catch((error: unknown) => error);
    return { ...podAnswer(answered, timeoutMilliseconds), milliseconds: performance.now() - started };
  }

  /** Begins to watch at once; `stop` or `close` ends it. Each call is a watch of its own. */
  cache<T extends KubernetesObject>(kind: Kind<T>, options: ListOptions = {}): Cache<T> {
    if (this.closed.aborted) throw new ApiError(0, "Unreachable", `watch ${kind.plural} at ${this.name}: its connections were closed`);
    const { transport, clock, log, random = Math.random, timings } = this.#settings;
    const cache: ObjectCache<T> = new ObjectCache<T>({
      transport,
      clock,
      log,
      random,
      kind,
      options,
      ...(timings ? { timings } : {}),
      onStop: () => void this.#caches.delete(cache as unknown as ObjectCache<KubernetesObject>),
    });
    this.#caches.add(cache as unknown as ObjectCache<KubernetesObject>);
    return cache;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const cache of this.#caches) cache.stop();
    await this.#transport.close();
  }

  #call(verb: string, method: Call["method"], kind: Kind, namespace: string | undefined, name: string): Call {
    return { verb, kind: kind.kind, title: objectTitle(kind, namespace, name), method, path: resourcePath(kind, namespace, name) };
  }

  /** A write; what the server answers is offered to the caches, so that the next look does not find the state before it. */
  async #write<T extends KubernetesObject>(kind: Kind<T>, call: Call, options?: WriteOptions): Promise<T> {
    const written = await this.#transport.request<T>(call);
    if (!written?.metadata) throw new ApiError(0, "Unreachable", `${call.verb} ${call.title} at ${this.name}: the answer is no object`);
    if (!options?.dryRun) {
      for (const cache of this.#caches) {
        if (cache.kind.plural === kind.plural && cache.kind.apiVersion === kind.apiVersion) cache.offer(written);
      }
    }
    return written;
  }
}

/** Objects of lists of old servers and drafts may lack their type; the server refuses them without. */
function typed<T extends object>(kind: Kind, object: T): T & { apiVersion: string; kind: string } {
  return { ...object, apiVersion: kind.apiVersion, kind: kind.kind };
}

function writeQuery(options: WriteOptions | undefined): NonNullable<Call["query"]> {
  return { dryRun: options?.dryRun ? "All" : undefined, fieldValidation: options?.fieldValidation };
}
