import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Cluster, Draft, Kind, KubernetesObject } from "../../../src/control/ports.ts";

const FILE = join(import.meta.dirname, "../../../config/rbac/operator.yaml");
const PLURALS: Readonly<Record<string, { readonly plural: string; readonly namespaced: boolean }>> = {
  ServiceAccount: { plural: "serviceaccounts", namespaced: true },
  ClusterRole: { plural: "clusterroles", namespaced: false },
  ClusterRoleBinding: { plural: "clusterrolebindings", namespaced: false },
  Role: { plural: "roles", namespaced: true },
  RoleBinding: { plural: "rolebindings", namespaced: true },
};

/** Applies the shipped RBAC, with a user of the test's control plane in the place of the service account. */
export async function grantOperatorRights(cluster: Cluster, user: string): Promise<void> {
  for (const document of parseAllDocuments(readFileSync(FILE, "utf8"))) {
    const object = document.toJS() as KubernetesObject & { subjects?: unknown };
    const shape = PLURALS[object.kind ?? ""];
    if (!shape) throw new Error(`config/rbac/operator.yaml has a ${object.kind}, which this test does not know`);
    const kind: Kind = { apiVersion: object.apiVersion!, kind: object.kind!, ...shape };
    const bound =
      object.subjects === undefined
        ? object
        : { ...object, subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: user }] };
    await cluster.create(kind, bound as unknown as Draft<KubernetesObject>);
  }
}
