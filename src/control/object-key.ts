import type { ObjectMeta } from "../api/common.ts";

/** An object of an account as queues know it, and as label values of metrics name it: `<namespace>/<name>`. */
export const keyOf = ({ metadata }: { readonly metadata: ObjectMeta }): string => `${metadata.namespace ?? ""}/${metadata.name}`;

export function splitKey(key: string): readonly [namespace: string, name: string] {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
}
