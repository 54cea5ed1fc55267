import type { Cache, Kind, KubernetesObject, ListOptions } from "../control/ports.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "./log.ts";
import { Reflector, type ReflectorSink, type ReflectorTimings } from "./reflector.ts";
import { compareResourceVersions, isNewer } from "./resource-version.ts";
import type { Transport } from "./transport.ts";

export interface CacheSettings<T extends KubernetesObject> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly kind: Kind<T>;
  readonly options: ListOptions;
  readonly log: Log;
  readonly timings?: Partial<ReflectorTimings>;
  readonly onStop?: () => void;
}

interface Entry<T> {
  readonly object: T;
  /** Came from a write of ours and may be ahead of the watch. */
  readonly offered: boolean;
}

type Listener<T> = (object: T, deleted: boolean) => void;

const keyOf = (object: KubernetesObject): string => `${object.metadata.namespace ?? ""}/${object.metadata.name}`;

/** A projected view of one kind, kept current by a reflector, and told of our own writes before the watch brings them. */
export class ObjectCache<T extends KubernetesObject> implements Cache<T> {
  readonly kind: Kind<T>;
  readonly #settings: CacheSettings<T>;
  readonly #reflector: Reflector<T>;
  readonly #listeners = new Set<Listener<T>>();
  #entries = new Map<string, Entry<T>>();
  /** The keys that were offered since the list under way began: it may be older than these writes. */
  readonly #offeredMeanwhile = new Set<string>();
  #listed: readonly T[] | undefined;
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  #lastAlive: number;
  #silent = false;
  readonly #silenceListeners = new Set<(silent: boolean) => void>();
  #stopped = false;

  constructor(settings: CacheSettings<T>) {
    this.kind = settings.kind;
    this.#settings = settings;
    this.#lastAlive = settings.clock.elapsed();
    const { transport, clock, random, kind, options, log, timings } = settings;
    this.#reflector = new Reflector({
      transport,
      clock,
      random,
      kind,
      options,
      log,
      ingest: (object) => this.#ingest(object),
      sink: this.#sink(),
      ...(timings ? { timings } : {}),
    });
    this.#synced.promise.catch(() => {});
    this.#reflector.start();
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#entries.get(`${namespace ?? ""}/${name}`)?.object;
  }

  list(): readonly T[] {
    this.#listed ??= [...this.#entries.values()].map((entry) => entry.object);
    return this.#listed;
  }

  get synced(): boolean {
    return this.#isSynced;
  }

  get age(): number {
    return this.#settings.clock.elapsed() - this.#lastAlive;
  }

  get silent(): boolean {
    return this.#silent;
  }

  onSilence(listener: (silent: boolean) => void): () => void {
    this.#silenceListeners.add(listener);
    return () => void this.#silenceListeners.delete(listener);
  }

  onChange(listener: Listener<T>): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (!signal) return this.#synced.promise;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#synced.promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#listeners.clear();
    this.#silenceListeners.clear();
    this.#reflector.stop();
    this.#synced.reject(new Error(`the cache of ${this.kind.plural} at ${this.#settings.transport.name} was stopped before it was synced`));
    this.#settings.onStop?.();
  }

  /**
   * An object as a write of ours was answered. The newer version is kept, so that a reader does not find the state before its own
   * write. What the watch has already passed is not added again: it may have been deleted since.
   */
  offer(object: T): void {
    const { options } = this.#settings;
    if (this.#stopped || !this.#isSynced) return;
    if (options.namespace !== undefined && object.metadata.namespace !== options.namespace) return;
    const key = keyOf(object);
    const known = this.#entries.get(key);
    // Whether an object is selected is the server's to say: with a selector only what is known already is brought up to date.
    if (!known && (options.labelSelector !== undefined || options.fieldSelector !== undefined)) return;
    const { resourceVersion } = object.metadata;
    if (!isNewer(resourceVersion, known?.object.metadata.resourceVersion ?? this.#reflector.resourceVersion)) return;
    this.#offeredMeanwhile.add(key);
    this.#put(key, { object: this.#ingest(object), offered: true });
  }

  #ingest(object: T): T {
    const { managedFields: _, ...metadata } = object.metadata as T["metadata"] & { managedFields?: unknown };
    const slim: T = { ...object, metadata };
    return this.#settings.kind.project ? this.#settings.kind.project(slim) : slim;
  }

  #sink(): ReflectorSink<T> {
    return {
      resyncing: () => this.#offeredMeanwhile.clear(),
      replace: (objects, resourceVersion) => this.#replace(objects, resourceVersion),
      changed: (object) => {
        const key = keyOf(object);
        if (!this.#isAheadOf(key, object)) this.#put(key, { object, offered: false });
      },
      deleted: (object) => {
        const key = keyOf(object);
        if (this.#entries.has(key) && !this.#isAheadOf(key, object)) this.#remove(key, object);
      },
      alive: () => {
        this.#lastAlive = this.#settings.clock.elapsed();
        this.#setSilent(false);
      },
      unanswered: () => this.#setSilent(true),
    };
  }

  #setSilent(silent: boolean): void {
    if (this.#silent === silent) return;
    this.#silent = silent;
    for (const listener of this.#silenceListeners) listener(silent);
  }

  /** A write of ours was answered with a newer version than the event brings. */
  #isAheadOf(key: string, object: T): boolean {
    const known = this.#entries.get(key);
    return known !== undefined && known.offered && isNewer(known.object.metadata.resourceVersion, object.metadata.resourceVersion);
  }

  #replace(objects: readonly T[], resourceVersion: string): void {
    const before = this.#entries;
    const after = new Map<string, Entry<T>>();
    for (const object of objects) after.set(keyOf(object), { object, offered: false });
    for (const key of this.#offeredMeanwhile) {
      const offered = before.get(key);
      if (offered?.offered && isNewer(offered.object.metadata.resourceVersion, resourceVersion)) after.set(key, offered);
    }
    this.#offeredMeanwhile.clear();
    this.#entries = after;
    this.#listed = undefined;
    this.#isSynced = true;
    this.#synced.resolve();
    for (const [key, { object }] of before) if (!isSame(object, after.get(key)?.object)) this.#tell(object, true);
    for (const [key, { object }] of after) if (!isUnchanged(before.get(key)?.object, object)) this.#tell(object, false);
  }

  #put(key: string, entry: Entry<T>): void {
    const before = this.#entries.get(key)?.object;
    this.#entries.set(key, entry);
    if (isUnchanged(before, entry.object)) return;
    this.#listed = undefined;
    if (before && !isSame(before, entry.object)) this.#tell(before, true);
    this.#tell(entry.object, false);
  }

  #remove(key: string, last: T): void {
    this.#entries.delete(key);
    this.#listed = undefined;
    this.#tell(last, true);
  }

  /** One listener's exception is its own: the others and the stream go on. */
  #tell(object: T, deleted: boolean): void {
    for (const listener of this.#listeners) {
      try {
        listener(object, deleted);
      } catch (error) {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#settings.log("error", `a listener of ${this.kind.plural} threw on ${keyOf(object)}; the cache goes on: ${text}`);
      }
    }
  }
}

/** Identity is the UID (rule G6): the same name with another UID is another thing. */
function isSame(one: KubernetesObject, other: KubernetesObject | undefined): boolean {
  return other !== undefined && one.metadata.uid === other.metadata.uid;
}

function isUnchanged(before: KubernetesObject | undefined, after: KubernetesObject): boolean {
  if (before === undefined || !isSame(before, after)) return false;
  return compareResourceVersions(before.metadata.resourceVersion, after.metadata.resourceVersion) === 0;
}
