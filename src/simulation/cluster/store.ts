import type { Clock } from "../../runtime/clock.ts";
import type { Kind } from "../../control/ports.ts";
import { seededRandom } from "../clock.ts";
import { BUILT_IN_KINDS, type KindDefinition } from "./kinds.ts";
import { deepFreeze, keyOf, timestamp, type RawObject } from "./objects.ts";

export interface StoreEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly kind: Kind;
  /** The object as it is now; of a deletion, as it was last, with the deletion's resourceVersion. */
  readonly object: RawObject;
  readonly previous: RawObject | undefined;
  readonly resourceVersion: number;
}

/** One write as an audit log would show it; refused ones too, with their code. */
export interface AuditEntry {
  /** Calendar milliseconds. */
  readonly at: number;
  readonly user: string;
  readonly verb: "create" | "update" | "patch" | "delete";
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly subresource: "status" | "eviction" | "binding" | undefined;
  readonly dryRun: boolean;
  /** HTTP status that the server gave, whether or not the caller heard it. */
  readonly code: number;
  /** The server's resourceVersion after it: an unchanged number tells a write that changed nothing. */
  readonly resourceVersion: number;
}

const kindKey = (kind: Kind): string => `${kind.apiVersion}/${kind.kind}`;

/**
 * The one truth of a simulated cluster, like etcd behind all its API servers: frozen objects, one growing resourceVersion, an event
 * for each change, in order. It checks nothing; `writes.ts` does. Oracles read it directly, views never see past their lag.
 */
export class Store {
  readonly clock: Clock;
  readonly audit: AuditEntry[] = [];
  readonly #kinds = new Map<string, KindDefinition>();
  readonly #objects = new Map<string, Map<string, RawObject>>();
  /** Keys of objects by kind and label, as `key=value`. */
  readonly #labelled = new Map<string, Map<string, Set<string>>>();
  /** What `list` answered, until the kind is written again. */
  readonly #listed = new Map<string, readonly RawObject[]>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  readonly #random: () => number;
  #resourceVersion = 1_000;

  constructor(options: { readonly clock: Clock; readonly seed?: number; readonly kinds?: readonly KindDefinition[] }) {
    this.clock = options.clock;
    this.#random = seededRandom(options.seed ?? 1);
    for (const definition of [...BUILT_IN_KINDS, ...(options.kinds ?? [])]) this.registerKind(definition);
    // kube-system's UID is a cluster's identity (rule P17).
    for (const name of ["default", "kube-system"]) this.#seedNamespace(name);
  }

  registerKind(definition: KindDefinition): void {
    this.#kinds.set(kindKey(definition.kind), definition);
    this.#objects.set(kindKey(definition.kind), this.#objects.get(kindKey(definition.kind)) ?? new Map<string, RawObject>());
  }

  definition(kind: Kind): KindDefinition {
    const definition = this.#kinds.get(kindKey(kind));
    if (definition === undefined)
      throw new Error(`The in-memory cluster does not know ${kindKey(kind)}: call registerKind() with its definition first.`);
    return definition;
  }

  definitions(): readonly KindDefinition[] {
    return [...this.#kinds.values()];
  }

  get resourceVersion(): number {
    return this.#resourceVersion;
  }

  get(kind: Kind, name: string, namespace?: string): RawObject | undefined {
    return this.#all(kind).get(keyOf(name, namespace));
  }

  /** All objects of a kind, in the order of namespace and name. */
  list(kind: Kind): readonly RawObject[] {
    const known = this.#listed.get(kindKey(kind));
    if (known !== undefined) return known;
    const entries = [...this.#all(kind)].sort(([a], [b]) => (a < b ? -1 : 1));
    const listed = Object.freeze(entries.map(([, object]) => object));
    this.#listed.set(kindKey(kind), listed);
    return listed;
  }

  /** Those of a kind that have a label, in the same order. */
  listLabelled(kind: Kind, label: string, value: string): readonly RawObject[] {
    const keys = [...(this.#labelled.get(kindKey(kind))?.get(`${label}=${value}`) ?? [])];
    const all = this.#all(kind);
    return keys.sort().map((key) => all.get(key)!);
  }

  /** Writes the object under a new resourceVersion and tells everybody; returns it frozen, as it is stored. */
  put(kind: Kind, object: RawObject): RawObject {
    const key = keyOf(object.metadata.name, object.metadata.namespace);
    const previous = this.#all(kind).get(key);
    object.metadata.resourceVersion = String(++this.#resourceVersion);
    this.#relabel(kind, key, previous, object);
    this.#all(kind).set(key, deepFreeze(object));
    this.#listed.delete(kindKey(kind));
    this.#tell({ type: previous === undefined ? "ADDED" : "MODIFIED", kind, object, previous, resourceVersion: this.#resourceVersion });
    return object;
  }

  remove(kind: Kind, object: RawObject): void {
    const key = keyOf(object.metadata.name, object.metadata.namespace);
    this.#relabel(kind, key, this.#all(kind).get(key), undefined);
    this.#all(kind).delete(key);
    this.#listed.delete(kindKey(kind));
    const resourceVersion = ++this.#resourceVersion;
    const last = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(resourceVersion) } });
    this.#tell({ type: "DELETED", kind, object: last, previous: object, resourceVersion });
  }

  /** Calls back at once, within the write. A listener must not write: it takes note and acts later. Returns the unsubscription. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** A UID in the usual form, the same ones for the same seed. */
  newUid(): string {
    const hex = this.#characters(32, "0123456789abcdef");
    return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20)].join("-");
  }

  /** The five characters after a generateName; no vowels, so that no word comes about. */
  newNameSuffix(): string {
    return this.#characters(5, "bcdfghjklmnpqrstvwxz2456789");
  }

  now(): string {
    return timestamp(this.clock.now());
  }

  #characters(count: number, alphabet: string): string {
    return Array.from({ length: count }, () => alphabet[Math.floor(this.#random() * alphabet.length)]).join("");
  }

  #all(kind: Kind): Map<string, RawObject> {
    this.definition(kind);
    return this.#objects.get(kindKey(kind))!;
  }

  #relabel(kind: Kind, key: string, before: RawObject | undefined, after: RawObject | undefined): void {
    const labelled = this.#labelled.get(kindKey(kind)) ?? new Map<string, Set<string>>();
    this.#labelled.set(kindKey(kind), labelled);
    for (const [label, value] of Object.entries(before?.metadata.labels ?? {})) labelled.get(`${label}=${value}`)?.delete(key);
    for (const [label, value] of Object.entries(after?.metadata.labels ?? {})) {
      const term = `${label}=${value}`;
      labelled.set(term, (labelled.get(term) ?? new Set<string>()).add(key));
    }
  }

  #tell(event: StoreEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #seedNamespace(name: string): void {
    const kind = [...this.#kinds.values()].find((definition) => definition.kind.kind === "Namespace")!.kind;
    const metadata = {
      name,
      uid: this.newUid(),
      resourceVersion: "",
      creationTimestamp: this.now(),
      labels: { "kubernetes.io/metadata.name": name },
    };
    this.put(kind, { apiVersion: "v1", kind: "Namespace", metadata, status: { phase: "Active" } });
  }
}
