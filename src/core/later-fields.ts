/**
 * The fields of a stored object that a schema of ours does not know: an operator of a later version wrote them, and finds them again when it
 * comes back (rule I21). Only what stands at the top of `stored` is looked at: what is below a field that we know is carried by whoever
 * copies that field.
 */
export function laterFields(schema: { readonly shape: object }, stored: object | undefined): object {
  return Object.fromEntries(Object.entries(stored ?? {}).filter(([field]) => !Object.hasOwn(schema.shape, field)));
}
