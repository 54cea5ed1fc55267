import { ApiError, type Cache, type Kind, type KubernetesObject, type ListOptions } from "../../control/ports.ts";
import { asPublic, deepFreeze, keyOf, type RawObject } from "./objects.ts";
import { parseFieldSelector, parseLabelSelector } from "./selectors.ts";
import type { Store, StoreEvent } from "./store.ts";

/** The real server sends one about each minute to whoever asks for bookmarks. */
const BOOKMARK_MILLISECONDS = 60_000;

export interface WatchOptions extends ListOptions {
  /** How far this view is behind the store, asked at each event. */
  readonly lag: () => number;
  readonly onStop?: () => void;
}

type Step =
  | { readonly due: number; readonly event: StoreEvent }
  | { readonly due: number; readonly snapshot: readonly RawObject[]; readonly resourceVersion: number };

/** Which objects of a kind a list or watch is about; throws a 400 for a selector that cannot be read. */
export function matcherFor(store: Store, kind: Kind, options: ListOptions): (object: RawObject) => boolean {
  const { namespace, labelSelector = "", fieldSelector = "" } = options;
  const labels = parseLabelSelector(labelSelector);
  const fields = parseFieldSelector<RawObject>(fieldSelector, {
    "metadata.name": (object) => object.metadata.name,
    ...(kind.namespaced && { "metadata.namespace": (object: RawObject) => object.metadata.namespace ?? "" }),
    ...store.definition(kind).selectableFields,
  });
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) && labels(object.metadata.labels) && fields(object);
}

/**
 * One client's cache of one kind: events reach it in order, `lag` milliseconds after the store had them, one timer each, so that a seeded
 * clock decides which of several watchers hears first. While broken it stands still; then it either hears all it missed, or (410) lists
 * anew and hears only the difference.
 */
export class WatchedCache<T extends KubernetesObject> implements Cache<T> {
  readonly #store: Store;
  readonly #kind: Kind<T>;
  readonly #options: WatchOptions;
  readonly #matches: (object: RawObject) => boolean;
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Set<(object: T, deleted: boolean) => void>();
  readonly #waiting = new Set<{ resolve: () => void; reject: (reason: unknown) => void }>();
  #queue: Step[] = [];
  #disarm: (() => void) | undefined;
  #unsubscribe: (() => void) | undefined;
  #synced = false;
  #stopped = false;
  #heard: number;
  /** Since when bookmarks come; undefined while the connection is broken. */
  #connected: number | undefined;
  #earliest = 0;
  /** The resourceVersion up to which the watch has told. */
  #seen = 0;

  constructor(store: Store, kind: Kind<T>, options: WatchOptions) {
    this.#store = store;
    this.#kind = kind;
    this.#options = options;
    this.#matches = matcherFor(store, kind, options);
    this.#heard = store.clock.elapsed();
    this.#connect();
  }

  get(name: string, namespace?: string): T | undefined {
    return this.#objects.get(keyOf(name, namespace));
  }

  list(): readonly T[] {
    return [...this.#objects.values()];
  }

  get synced(): boolean {
    return this.#synced;
  }

  get age(): number {
    return this.#store.clock.elapsed() - this.#lastHeard();
  }

  /** A broken connection of this cluster is one that nobody has noticed yet: its server answers whoever asks. */
  get silent(): boolean {
    return false;
  }

  onSilence(): () => void {
    return () => {};
  }

  onChange(listener: (object: T, deleted: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (this.#synced) return resolve();
      if (this.#stopped) return reject(stoppedError(this.#kind.kind));
      this.#waiting.add({ resolve, reject });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /**
   * A write of this view's own, as it was answered: whoever reads after it does not find the state before it. What the watch has passed
   * already is not added again, it may have been deleted since; with a selector, only what is known is brought up to date, because
   * which objects are selected is the server's to say.
   */
  offer(object: RawObject): void {
    const { name, namespace } = object.metadata;
    const known = this.get(name, namespace);
    if (this.#stopped || !this.#synced || (this.#options.namespace !== undefined && namespace !== this.#options.namespace)) return;
    if (known === undefined && (this.#options.labelSelector !== undefined || this.#options.fieldSelector !== undefined)) return;
    if (versionOf(object) > (known ? versionOf(known) : this.#seen)) this.#keep(object);
  }

  /**
   * Cuts the connection for a while. With `relist` the server has forgotten where we were (410): what happened in between is seen only as
   * a difference, or, when it was undone, never.
   */
  break(milliseconds: number, relist: boolean): void {
    if (this.#stopped) return;
    this.#heard = this.#lastHeard();
    this.#connected = undefined;
    this.#earliest = Math.max(this.#earliest, this.#store.clock.elapsed() + milliseconds);
    this.#disarm?.();
    this.#disarm = undefined;
    if (relist) {
      this.#unsubscribe?.();
      this.#queue = [];
      this.#disarm = this.#store.clock.after(this.#earliest - this.#store.clock.elapsed(), () => {
        this.#disarm = undefined;
        this.#connect();
      });
    } else {
      this.#queue = this.#queue.map((step) => ({ ...step, due: Math.max(step.due, this.#earliest) }));
      this.#disarm = this.#store.clock.after(milliseconds, () => {
        this.#disarm = undefined;
        this.#connected = this.#store.clock.elapsed();
        this.#arm();
      });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#disarm?.();
    this.#queue = [];
    this.#listeners.clear();
    for (const { reject } of this.#waiting) reject(stoppedError(this.#kind.kind));
    this.#waiting.clear();
    this.#options.onStop?.();
  }

  #connect(): void {
    this.#connected = this.#store.clock.elapsed();
    const kind = this.#kind;
    this.#enqueue({
      due: this.#due(),
      snapshot: this.#store.list(kind).filter(this.#matches),
      resourceVersion: this.#store.resourceVersion,
    });
    this.#unsubscribe = this.#store.subscribe((event) => {
      if (event.kind.kind === kind.kind && event.kind.apiVersion === kind.apiVersion) this.#enqueue({ due: this.#due(), event });
    });
  }

  #due(): number {
    return Math.max(this.#earliest, this.#store.clock.elapsed() + this.#options.lag());
  }

  #enqueue(step: Step): void {
    this.#queue.push(step);
    this.#arm();
  }

  /** Only ever for the first of the queue: a lag that shrinks hastens the next event, it does not let it pass. */
  #arm(): void {
    const [next] = this.#queue;
    if (next === undefined || this.#disarm !== undefined) return;
    this.#disarm = this.#store.clock.after(next.due - this.#store.clock.elapsed(), () => {
      this.#disarm = undefined;
      this.#queue.shift();
      this.#arm();
      this.#heard = this.#store.clock.elapsed();
      if ("event" in next) this.#apply(next.event);
      else this.#replace(next.snapshot, next.resourceVersion);
    });
  }

  #lastHeard(): number {
    if (this.#connected === undefined || !this.#synced) return this.#heard;
    const bookmarks = Math.floor((this.#store.clock.elapsed() - this.#connected) / BOOKMARK_MILLISECONDS);
    return Math.max(this.#heard, this.#connected + bookmarks * BOOKMARK_MILLISECONDS);
  }

  #replace(snapshot: readonly RawObject[], resourceVersion: number): void {
    const present = new Set(snapshot.map(({ metadata }) => keyOf(metadata.name, metadata.namespace)));
    const gone = [...this.#objects].filter(([key, object]) => !present.has(key) && versionOf(object) <= resourceVersion);
    const changed = snapshot.filter((object) => versionOf(object) > versionOf(this.get(object.metadata.name, object.metadata.namespace)));
    this.#seen = resourceVersion;
    this.#synced = true;
    for (const [key, object] of gone) this.#drop(key, object);
    for (const object of changed) this.#keep(object);
    for (const { resolve } of this.#waiting) resolve();
    this.#waiting.clear();
  }

  #apply({ type, object, resourceVersion }: StoreEvent): void {
    const key = keyOf(object.metadata.name, object.metadata.namespace);
    const known = this.#objects.get(key);
    this.#seen = resourceVersion;
    const selected = type !== "DELETED" && this.#matches(object);
    // Writes of our own are known before the watch tells of them, whether or not they leave the selection.
    if (selected && versionOf(known) < resourceVersion) this.#keep(object);
    if (!selected && known !== undefined && versionOf(known) <= resourceVersion) this.#drop(key, known);
  }

  #keep(object: RawObject): void {
    const full = asPublic<T>(object);
    const kept = deepFreeze(this.#kind.project?.(full) ?? full);
    const known = this.get(object.metadata.name, object.metadata.namespace);
    this.#objects.set(keyOf(object.metadata.name, object.metadata.namespace), kept);
    // Deleted and created anew between two lists: two things, not a change of one (rule G6).
    if (known !== undefined && known.metadata.uid !== kept.metadata.uid) this.#notify(known, true);
    this.#notify(kept, false);
  }

  #drop(key: string, object: T): void {
    this.#objects.delete(key);
    this.#notify(object, true);
  }

  #notify(object: T, deleted: boolean): void {
    for (const listener of this.#listeners) if (!this.#stopped) listener(object, deleted);
  }
}

const versionOf = (object: { readonly metadata: { readonly resourceVersion: string } } | undefined): number =>
  Number(object?.metadata.resourceVersion ?? 0);

const stoppedError = (kind: string): ApiError => new ApiError(0, "Unreachable", `The watch of ${kind} was stopped before it had synced.`);
