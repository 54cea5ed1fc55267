import type { Approval } from "../api/approval.ts";
import type { ObjectMeta } from "../api/common.ts";
import type { Fleet } from "../api/fleet.ts";
import type { MaintenanceWindow } from "../api/maintenance-window.ts";
import type { PopCluster } from "../api/pop-cluster.ts";
import type { PopRollout, RolloutForecast } from "../api/pop-rollout.ts";
import type { ThroughApiServer } from "../core/health/probe.ts";

/**
 * What the controllers need of the world. Each port has two implementations (the real one and the simulated one) and one
 * conformance suite. Nothing here decides anything.
 */

/** A kind of object at an API server. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Drops what nobody reads before an object is kept in a cache; the full object is what `get` and `list` answer. */
  project?(object: T): T;
}

export interface KubernetesObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** What is sent: like an object, but the server fills in the rest. */
export type Draft<T> = Omit<T, "metadata"> & {
  metadata: {
    name?: string;
    generateName?: string;
    namespace?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    finalizers?: string[];
    resourceVersion?: string;
    uid?: string;
  };
};

export type JsonPatchOperation =
  | { readonly op: "test"; readonly path: string; readonly value: unknown }
  | { readonly op: "add" | "replace"; readonly path: string; readonly value: unknown }
  | { readonly op: "remove"; readonly path: string };

/** One answer of an API server that is no success. Told apart by `code` and `reason`, never by text. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0 when no answer came (network, deadline). */
  readonly code: number;
  /** The Status object's reason (`Conflict`, `NotFound`, `Invalid` …), or `Unreachable` / `Timeout` when code is 0. */
  readonly reason: string;
  readonly retryAfterMilliseconds: number | undefined;
  /** The Status object's details.causes, when it had any: field and message. */
  readonly causes: readonly { readonly field?: string; readonly message: string }[];

  constructor(code: number, reason: string, message: string, retryAfterMilliseconds?: number, causes: ApiError["causes"] = []) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.retryAfterMilliseconds = retryAfterMilliseconds;
    this.causes = causes;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.code === 404;
/**
 * Somebody was here since we looked: 409 Conflict, or 422 of a JSON patch whose `test` failed (rule G5a). Observe again. An object that the
 * schema or a policy refuses is a 422 too, but one that names causes: looking again mends nothing of it.
 */
export const isConflict = (error: unknown): boolean =>
  error instanceof ApiError && (error.code === 409 || (error.code === 422 && error.causes.length === 0));
/** The object itself is refused, by its schema or by a policy (422 with its causes): a person has to mend it, or we. */
export const isInvalid = (error: unknown): boolean => error instanceof ApiError && error.code === 422 && error.causes.length > 0;

export interface ListOptions {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** A projected copy of one kind, kept current by a watch. It wakes; it never moves a ledger (architecture, step 4). */
export interface Cache<T extends KubernetesObject> {
  get(name: string, namespace?: string): T | undefined;
  list(): readonly T[];
  /** True after the first full sync; stays true while a watch is being restored. */
  readonly synced: boolean;
  /** Milliseconds of elapsed time since an event, bookmark or list last showed that the view is alive. */
  readonly age: number;
  /** The server did not answer the last try to read or watch: what is seen here may be old, and its age does not tell that yet. */
  readonly silent: boolean;
  /** Called when the server falls silent, and when it is heard again. Returns the unsubscription. */
  onSilence(listener: (silent: boolean) => void): () => void;
  /** Called with the object after each change, and with the last known object and `deleted: true` after its deletion. Returns the unsubscription. */
  onChange(listener: (object: T, deleted: boolean) => void): () => void;
  /** Resolves when synced; rejects when the signal aborts. */
  whenSynced(signal?: AbortSignal): Promise<void>;
  /** Ends the watch. No listener is called after it returns. */
  stop(): void;
}

export interface WriteOptions {
  readonly dryRun?: boolean;
  /** `Strict` refuses unknown fields (strict dry run, rule P3). */
  readonly fieldValidation?: "Strict" | "Warn" | "Ignore";
}

/** One API server. Every call has a deadline; every failure is an ApiError. */
export interface Cluster {
  /** A name for messages: "the hub" or "the cluster of PoP fra1". */
  readonly name: string;
  get<T extends KubernetesObject>(kind: Kind<T>, name: string, namespace?: string): Promise<T | undefined>;
  /** A consistent, complete list (resourceVersion unset: read from the store's newest), paged inside. */
  list<T extends KubernetesObject>(kind: Kind<T>, options?: ListOptions): Promise<readonly T[]>;
  create<T extends KubernetesObject>(kind: Kind<T>, object: Draft<T>, options?: WriteOptions): Promise<T>;
  /** Replaces the whole object, conditional on its metadata.resourceVersion. */
  update<T extends KubernetesObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces the status, conditional on metadata.resourceVersion: the compare-and-set of every ledger. */
  updateStatus<T extends KubernetesObject>(kind: Kind<T>, object: T): Promise<T>;
  /** One JSON patch (RFC 6902), applied whole or not at all; a failing `test` is a 422. */
  patch<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string | undefined,
    operations: readonly JsonPatchOperation[],
  ): Promise<T>;
  /** Deletes; `uid` makes it conditional. Not found is success. */
  delete(
    kind: Kind,
    name: string,
    namespace: string | undefined,
    options?: { readonly uid?: string; readonly gracePeriodSeconds?: number },
  ): Promise<void>;
  /** The eviction subresource of a pod; 429 = a PodDisruptionBudget refuses, with its message. */
  evict(
    pod: { readonly name: string; readonly namespace: string; readonly uid: string },
    options?: { readonly dryRun?: boolean },
  ): Promise<void>;
  /**
   * A call to a pod by its name (`pods/proxy`). Never throws: where the pod gave no answer the status is 0, with what was found; where this
   * server could not be asked, or does not let us, it is unreadable.
   */
  askPod(pod: { readonly name: string; readonly namespace: string }, call: PodCall): Promise<DataPlaneAnswer>;
  cache<T extends KubernetesObject>(kind: Kind<T>, options?: ListOptions): Cache<T>;
  /** Aborted when it is closed: what was opened on it shows nothing any more, and is let go. */
  readonly closed: AbortSignal;
  /** Closes connections and all caches. */
  close(): Promise<void>;
}

export interface PodCall {
  readonly method: "GET" | "POST";
  /** Scheme, port and path count; the host is the pod's. */
  readonly url: string;
  readonly body?: unknown;
  readonly timeoutMilliseconds: number;
  /** At most this many bytes of the answer are kept (default 64 kB). */
  readonly maximumBytes?: number;
}

/** What a data plane answered to a drain call. */
export interface DataPlaneAnswer {
  /** HTTP status, or 0 when no answer came. */
  readonly status: number;
  /** The answer's text; with status 0 what was found instead, in words. */
  readonly body: string;
  readonly milliseconds: number;
  /** With status 0: the other side answered by refusing or closing the connection, so it was reached. */
  readonly refused?: boolean;
  /** With status 0: who leads there (the API server of its cluster) could not be asked, so nothing is known of the other side. */
  readonly unreadable?: boolean;
  /** The body was longer than was asked to be kept. */
  readonly truncated?: boolean;
}

/** Calls that leave the API server: probes and the data plane's own interface. Addresses are host:port of a node or pod. */
export interface Prober {
  http(request: {
    readonly method: "GET" | "POST";
    readonly url: string;
    readonly body?: unknown;
    readonly timeoutMilliseconds: number;
    readonly headers?: Readonly<Record<string, string>>;
    readonly ca?: string;
    /** At most this many bytes of the answer are kept (default 64 kB). */
    readonly maximumBytes?: number;
    /** On a connection of its own: a kept one would hide that nobody can connect any more. */
    readonly fresh?: boolean;
    /** Not at the address of the URL but by the name of the pod, through its API server. */
    readonly through?: ThroughApiServer;
  }): Promise<DataPlaneAnswer>;
  /** Milliseconds to connect, `Refused` when the other side said no, or undefined when nothing answered. */
  tcp(host: string, port: number, timeoutMilliseconds: number): Promise<number | "Refused" | undefined>;
}

export interface ClusterEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
  readonly regarding: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
  };
}

/** Publishes events of `events.k8s.io/v1`, deduplicated into series; never throws, never blocks a decision. */
export interface EventSink {
  publish(event: ClusterEvent): void;
  flush(): Promise<void>;
}

/** The fleet as it stands, for a look at what is to come: plain objects, so that another thread can be handed them. */
export interface ForecastInput {
  /** Calendar milliseconds; from here on things are to come. */
  readonly now: number;
  readonly namespace: string;
  readonly fleet?: Fleet;
  readonly windows: readonly MaintenanceWindow[];
  readonly pops: readonly PopCluster[];
  readonly rollouts: readonly PopRollout[];
  readonly approvals: readonly Approval[];
  /** Who shares two-tunnel sites with whom, and how many: PoP → partner → sites (rule F2). */
  readonly partners: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

/** Looks ahead by the same decisions as the controllers' (rule F7). Slow work: it is done beside the loop, never in it. */
export interface Forecast {
  /** What is to come of each rollout that is not over, by its UID. Rejects when no answer comes. */
  lookAhead(input: ForecastInput): Promise<ReadonlyMap<string, RolloutForecast>>;
}
