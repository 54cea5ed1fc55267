/**
 * A pure function of an object that never changes, computed once: a decision asks the same of one view many times. Remembered are the
 * last answer of each object and the argument that it was for; with the object it is forgotten.
 */
export function oncePer<Key extends object, Argument, Value>(
  compute: (key: Key, argument: Argument) => Value,
): (key: Key, argument: Argument) => Value {
  const known = new WeakMap<Key, { readonly argument: Argument; readonly value: Value }>();
  return (key, argument) => {
    const found = known.get(key);
    if (found && Object.is(found.argument, argument)) return found.value;
    const value = compute(key, argument);
    known.set(key, { argument, value });
    return value;
  };
}
