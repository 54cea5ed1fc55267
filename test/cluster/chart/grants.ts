// What the roles of the chart give to one service account, taken apart into single verbs, and which of these the API server's audit log
// shows in use.
import type { AuditEntry } from "../../../tools/control-plane/audit-log.ts";
import type { Rendered } from "./helm.ts";

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
}

/** One verb on one resource (`pods/eviction`), everywhere or in one namespace, on all objects or on those of one name. */
export interface Grant {
  readonly role: string;
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
  readonly namespace?: string;
  readonly name?: string;
}

interface Binding extends Rendered {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects: readonly { readonly kind: string; readonly name: string; readonly namespace: string }[];
}

const BINDINGS = new Set(["ClusterRoleBinding", "RoleBinding"]);

/** Every grant of a service account; a role that nobody of these objects binds gives nothing. */
export function grantsOf(objects: readonly Rendered[], serviceAccount: string): Grant[] {
  const bindings = objects.filter(({ kind }) => BINDINGS.has(kind)) as Binding[];
  return bindings
    .filter(({ subjects }) => subjects.some(({ kind, name }) => kind === "ServiceAccount" && name === serviceAccount))
    .flatMap(({ metadata: { namespace }, roleRef }) => {
      const role = objects.find(
        ({ kind, metadata }) =>
          kind === roleRef.kind && metadata.name === roleRef.name && (kind === "ClusterRole" || metadata.namespace === namespace),
      );
      if (role === undefined) throw new Error(`${roleRef.kind} ${roleRef.name} is bound to ${serviceAccount} and is not in the chart`);
      const place = namespace === undefined ? {} : { namespace };
      return (role["rules"] as Rule[]).flatMap((rule) => grantsOfRule(rule, { role: `${roleRef.kind} ${roleRef.name}`, ...place }));
    });
}

function grantsOfRule(rule: Rule, place: Pick<Grant, "role" | "namespace">): Grant[] {
  const names = rule.resourceNames === undefined ? [{}] : rule.resourceNames.map((name) => ({ name }));
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((resource) =>
      rule.verbs.flatMap((verb) => names.map((name): Grant => ({ ...place, ...name, group, resource, verb }))),
    ),
  );
}

/** Does the grant allow what the entry did? */
function allows(grant: Grant, { verb, objectRef }: AuditEntry): boolean {
  if (objectRef === undefined) return false;
  const { apiGroup = "", resource, subresource, namespace, name } = objectRef;
  return (
    grant.verb === verb &&
    grant.group === apiGroup &&
    grant.resource === (subresource === undefined ? resource : `${resource}/${subresource}`) &&
    (grant.namespace === undefined || grant.namespace === namespace) &&
    (grant.name === undefined || grant.name === name)
  );
}

const narrowness = ({ namespace, name }: Grant): number => (namespace === undefined ? 0 : 2) + (name === undefined ? 0 : 1);

/**
 * The grants that no call needed. A call counts for the narrowest grant that allows it: one that is as wide as the cluster is used only
 * by what no Role of a namespace would have allowed.
 */
export function unusedGrants(grants: readonly Grant[], entries: readonly AuditEntry[]): Grant[] {
  const used = new Set<Grant>();
  for (const entry of entries) {
    const [narrowest] = grants.filter((grant) => allows(grant, entry)).toSorted((a, b) => narrowness(b) - narrowness(a));
    if (narrowest !== undefined) used.add(narrowest);
  }
  return grants.filter((grant) => !used.has(grant));
}

/** `ClusterRole rollward: patch nodes`; with where and on what, if it is less than everything. */
export const grantText = ({ role, group, resource, verb, namespace, name }: Grant): string =>
  `${role}: ${verb} ${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in ${namespace}`}`;
