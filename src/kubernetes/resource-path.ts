import type { Kind } from "../control/ports.ts";

/** The path of a kind, of one object of it (`name`) or of a subresource of that: `/apis/apps/v1/namespaces/a/daemonsets/b/status`. */
export function resourcePath(kind: Kind, namespace?: string, name?: string, subresource?: string): string {
  const root = kind.apiVersion.includes("/") ? `/apis/${kind.apiVersion}` : `/api/${kind.apiVersion}`;
  if (name !== undefined && kind.namespaced !== (namespace !== undefined)) {
    throw new Error(
      `${kind.kind} ${name}: ${kind.namespaced ? "a namespaced object needs its namespace" : "an object of the cluster has no namespace"}`,
    );
  }
  const parts = namespace === undefined ? [kind.plural] : ["namespaces", namespace, kind.plural];
  if (name !== undefined) parts.push(name);
  if (subresource !== undefined) parts.push(subresource);
  return `${root}/${parts.map(encodeURIComponent).join("/")}`;
}

/** `Node fra1-2` or `Pod rollward/fra1-2-x`: how an object is named in messages. */
export function objectTitle(kind: Kind, namespace: string | undefined, name: string | undefined): string {
  if (name === undefined) return namespace === undefined ? `all ${kind.plural}` : `${kind.plural} in ${namespace}`;
  return `${kind.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
