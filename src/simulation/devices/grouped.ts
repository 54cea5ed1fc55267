/** Values by a group and a key in it: asked for by group, replaced by key. */
export class Grouped<Value> {
  readonly #groups = new Map<string, Map<string, Value>>();

  set(group: string, key: string, value: Value): void {
    const there = this.#groups.get(group);
    if (there === undefined) this.#groups.set(group, new Map([[key, value]]));
    else there.set(key, value);
  }

  get(group: string, key: string): Value | undefined {
    return this.#groups.get(group)?.get(key);
  }

  of(group: string): readonly Value[] {
    return [...(this.#groups.get(group)?.values() ?? [])];
  }

  /** The same values in groups of its own. */
  copy(): Grouped<Value> {
    const copy = new Grouped<Value>();
    for (const [group, values] of this.#groups) for (const [key, value] of values) copy.set(group, key, value);
    return copy;
  }
}
