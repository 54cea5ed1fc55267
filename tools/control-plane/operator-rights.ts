// Gives a user, or a group, of the control plane what the project ships for the operator (config/rbac/operator.yaml), and nothing else: whatever
// the operator needs beyond it is refused here as it would be on a cluster of somebody's.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ControlPlane } from "./run.ts";
import { ROOT } from "./versions.ts";

const FILE = "config/rbac/operator.yaml";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

interface Shipped {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly subjects?: unknown;
}

/** Creates the shipped objects with the user in the place of the service account. The namespaces that they name have to be there. */
export const grantOperatorRights = (controlPlane: Pick<ControlPlane, "call">, user: string): Promise<void> =>
  grantRights(controlPlane, FILE, { kind: "User", name: user });

/** The same for another file of rights, and for whom it is meant there. */
export async function grantRights(
  controlPlane: Pick<ControlPlane, "call">,
  file: string,
  subject: { readonly kind: "User" | "Group"; readonly name: string },
): Promise<void> {
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", ...subject }];
  for (const document of parseAllDocuments(readFileSync(join(ROOT, file), "utf8"))) {
    const object = document.toJS() as Shipped;
    const bound = object.subjects === undefined ? object : { ...object, subjects };
    const { status, body } = await controlPlane.call("admin", "POST", collectionOf(object, file), bound);
    if (status !== 201) throw new Error(`${object.kind} ${object.metadata.name} of ${file} was not created: ${status} ${body}`);
  }
}

function collectionOf({ kind, metadata }: Shipped, file: string): string {
  switch (kind) {
    case "ServiceAccount":
      return `/api/v1/namespaces/${metadata.namespace}/serviceaccounts`;
    case "ClusterRole":
    case "ClusterRoleBinding":
      return `${RBAC}/${kind.toLowerCase()}s`;
    case "Role":
    case "RoleBinding":
      return `${RBAC}/namespaces/${metadata.namespace}/${kind.toLowerCase()}s`;
    default:
      throw new Error(`${file} has a ${kind}; tools/control-plane/operator-rights.ts has to be told where such objects are created.`);
  }
}
