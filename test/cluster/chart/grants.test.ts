import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../../tools/control-plane/audit-log.ts";
import { grantsOf, grantText, unusedGrants } from "./grants.ts";
import type { Rendered } from "./helm.ts";

const named = (kind: string, namespace?: string) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind,
  metadata: { name: "one", ...(namespace === undefined ? {} : { namespace }) },
});
const role = (kind: string, rules: readonly object[], namespace?: string): Rendered => ({ ...named(kind, namespace), rules });
const binding = (kind: string, namespace?: string): Rendered => ({
  ...named(`${kind}Binding`, namespace),
  roleRef: { kind, name: "one" },
  subjects: [{ kind: "ServiceAccount", name: "operator", namespace: "fleet" }],
});
const did = (verb: string, resource: string, where: { namespace?: string; name?: string; subresource?: string } = {}): AuditEntry =>
  ({ verb, objectRef: { apiVersion: "v1", resource, ...where } }) as unknown as AuditEntry;

const OBJECTS = [
  role("ClusterRole", [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] }]),
  binding("ClusterRole"),
  role("Role", [{ apiGroups: [""], resources: ["pods", "pods/eviction"], verbs: ["get", "create"] }], "plane"),
  binding("Role", "plane"),
  role("Role", [{ apiGroups: [""], resources: ["leases"], resourceNames: ["rollward"], verbs: ["get"] }], "fleet"),
  binding("Role", "fleet"),
];
const unused = (...entries: AuditEntry[]) => unusedGrants(grantsOf(OBJECTS, "operator"), entries).map(grantText);

describe("[L] the grants of a service account", () => {
  it("are every verb on every resource of what is bound to it, and of nobody else", () => {
    expect(grantsOf(OBJECTS, "operator")).toHaveLength(7);
    expect(grantsOf(OBJECTS, "other")).toEqual([]);
  });

  it("are used by the calls that they allow; a call counts for the narrowest, so that a wider one has to be needed by itself", () => {
    const inPlane = did("get", "pods", { namespace: "plane", name: "one" });
    expect(unused(inPlane)).toContain("ClusterRole one: get pods");
    expect(unused(inPlane, did("get", "pods", { namespace: "other", name: "one" }))).not.toContain("ClusterRole one: get pods");
    expect(unused(inPlane)).not.toContain("Role one: get pods in plane");
  });

  it("tell a subresource, a name and a namespace from another one", () => {
    const eviction = did("create", "pods", { namespace: "plane", name: "one", subresource: "eviction" });
    expect(unused(eviction)).toEqual(expect.arrayContaining(["Role one: create pods in plane", "Role one: get leases rollward in fleet"]));
    expect(unused(eviction)).not.toContain("Role one: create pods/eviction in plane");
    expect(unused(did("get", "leases", { namespace: "fleet", name: "other" }))).toContain("Role one: get leases rollward in fleet");
    expect(unused(did("get", "leases", { namespace: "fleet", name: "rollward" }))).not.toContain("Role one: get leases rollward in fleet");
  });
});
