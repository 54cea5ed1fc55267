import type { Cache, KubernetesObject } from "./ports.ts";

/**
 * The objects of a cache by what they are looked for by, kept current by what changes: who looks at one PoP goes through its own pods, and
 * not through those of the whole fleet. An object may be found under several terms, or under none.
 */
export class CacheIndex<T extends KubernetesObject> {
  readonly #termsOf: (object: T) => readonly string[];
  /** Term → `namespace/name` → object. */
  readonly #found = new Map<string, Map<string, T>>();
  readonly #terms = new Map<string, readonly string[]>();

  /** Made together with the cache, before anybody else listens to it: who is woken by a change finds it here. */
  constructor(cache: Pick<Cache<T>, "list" | "onChange">, termsOf: (object: T) => readonly string[]) {
    this.#termsOf = termsOf;
    for (const object of cache.list()) this.#keep(object);
    cache.onChange((object, deleted) => (deleted ? this.#drop(object) : this.#keep(object)));
  }

  /** What is found under any of these terms, each object once. */
  find(...terms: readonly string[]): readonly T[] {
    const [only] = terms;
    if (terms.length === 1) return [...(this.#found.get(only!)?.values() ?? [])];
    const found = new Map<string, T>();
    for (const term of terms) for (const [key, object] of this.#found.get(term) ?? []) found.set(key, object);
    return [...found.values()];
  }

  count(term: string): number {
    return this.#found.get(term)?.size ?? 0;
  }

  #keep(object: T): void {
    this.#drop(object);
    const key = keyOf(object);
    const terms = this.#termsOf(object);
    if (terms.length > 0) this.#terms.set(key, terms);
    for (const term of terms) {
      const objects = this.#found.get(term) ?? new Map<string, T>();
      this.#found.set(term, objects.set(key, object));
    }
  }

  #drop(object: T): void {
    const key = keyOf(object);
    for (const term of this.#terms.get(key) ?? []) {
      const objects = this.#found.get(term);
      objects?.delete(key);
      if (objects?.size === 0) this.#found.delete(term);
    }
    this.#terms.delete(key);
  }
}

const keyOf = ({ metadata }: KubernetesObject): string => `${metadata.namespace ?? ""}/${metadata.name}`;
