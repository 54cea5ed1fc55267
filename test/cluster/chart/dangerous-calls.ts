// More than forty calls by which somebody who holds a token could take over a cluster, read what is not his, or stop a network. None of the chart's
// service accounts may make any of them; each is asked of the server's authorizer, and made, where it is a call and not only a right.
import { callApi, type ApiCaller } from "../../../tools/control-plane/api-request.ts";

const FLEET = "fleet";
const DATA_PLANE = "rollward-data-plane";
const RBAC = "rbac.authorization.k8s.io";

/** `verb group/resource[/subresource] [name] [@namespace]`; the core group is `core`. */
const CALLS = [
  // Secrets, and what is as good as one.
  "list core/secrets",
  "watch core/secrets",
  "get core/secrets any @kube-system",
  `get core/secrets any @${DATA_PLANE}`,
  "list core/secrets @fleet",
  `create core/secrets @${FLEET}`,
  `create core/serviceaccounts/token default @${DATA_PLANE}`,
  `create core/serviceaccounts/token rollward @${FLEET}`,
  "list core/configmaps @kube-system",
  // To run something, or to reach into what runs.
  `create core/pods/exec any @${DATA_PLANE}`,
  `create core/pods/attach any @${DATA_PLANE}`,
  `create core/pods/portforward any @${DATA_PLANE}`,
  `get core/pods/log any @${DATA_PLANE}`,
  `patch core/pods/ephemeralcontainers any @${DATA_PLANE}`,
  "create core/pods @kube-system",
  `create core/pods @${FLEET}`,
  `create apps/daemonsets @kube-system`,
  `create apps/deployments @${DATA_PLANE}`,
  `patch apps/deployments rollward-operator @${FLEET}`,
  `create batch/jobs @${FLEET}`,
  `deletecollection core/pods @${DATA_PLANE}`,
  // Nodes beyond the patch of a claim.
  "delete core/nodes any",
  "create core/nodes",
  "update core/nodes any",
  "patch core/nodes/status any",
  "get core/nodes/proxy any",
  "create core/nodes/proxy any",
  // To become somebody else, or to give oneself more.
  "impersonate core/users system:admin",
  `impersonate core/groups system:masters`,
  `escalate ${RBAC}/clusterroles rollward`,
  `bind ${RBAC}/clusterroles cluster-admin`,
  `create ${RBAC}/clusterrolebindings`,
  `patch ${RBAC}/clusterroles rollward`,
  `create ${RBAC}/rolebindings @${FLEET}`,
  "update certificates.k8s.io/certificatesigningrequests/approval any",
  "approve certificates.k8s.io/signers kubernetes.io/kube-apiserver-client",
  // To stand between everybody and the API server.
  "create admissionregistration.k8s.io/mutatingwebhookconfigurations",
  "delete admissionregistration.k8s.io/validatingadmissionpolicies second-person.rollward.dev",
  "patch apiextensions.k8s.io/customresourcedefinitions popclusters.rollward.dev",
  "create apiregistration.k8s.io/apiservices",
  "delete core/namespaces rollward-data-plane",
  // To decide for people: their wishes and their approvals are theirs.
  `create rollward.dev/approvals @${FLEET}`,
  `update rollward.dev/fleets fleet @${FLEET}`,
  `create rollward.dev/poprollouts @${FLEET}`,
  `delete rollward.dev/popclusters fra1 @${FLEET}`,
] as const;

interface Attributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly namespace?: string;
}

const parsed = CALLS.map((text): { readonly text: string; readonly attributes: Attributes } => {
  const [verb = "", path = "", ...rest] = text.split(" ");
  const [group = "", resource = "", subresource] = path.split("/");
  const namespace = rest.find((word) => word.startsWith("@"))?.slice(1);
  const name = rest.find((word) => !word.startsWith("@"));
  return {
    text,
    attributes: {
      verb,
      group: group === "core" ? "" : group,
      resource,
      ...(subresource === undefined ? {} : { subresource }),
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  };
});

export const HOW_MANY = parsed.length;

const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "GET",
  create: "POST",
  update: "PUT",
  patch: "PATCH",
  delete: "DELETE",
  deletecollection: "DELETE",
};

/** The path of the call, or undefined for rights that are no call of their own (bind, impersonate). A write is a dry run, in case. */
function pathOf({ verb, group, resource, subresource, name, namespace }: Attributes): string | undefined {
  if (METHODS[verb] === undefined) return undefined;
  const version = group === "rollward.dev" ? "v1alpha1" : "v1";
  const root = group === "" ? "/api/v1" : `/apis/${group}/${version}`;
  const parts = [namespace === undefined ? undefined : `namespaces/${namespace}`, resource, name, subresource];
  const query = verb === "get" || verb === "list" ? "" : "?dryRun=All";
  return `${[root, ...parts.filter((part) => part !== undefined)].join("/")}${query}`;
}

/** The calls that the server would let the caller make, each as it stands in the table; and those that it made and was not refused. */
export async function allowedOf(caller: ApiCaller): Promise<string[]> {
  const answers = await Promise.all(
    parsed.map(async ({ text, attributes }) => {
      const resourceAttributes = { ...attributes, version: "*" };
      const review = await callApi(caller, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
        spec: { resourceAttributes },
      });
      const { status } = JSON.parse(review.body) as { status?: { allowed: boolean } };
      if (status === undefined) throw new Error(`the server did not say whether ${text} is allowed: ${review.body}`);
      const path = pathOf(attributes);
      const made =
        path === undefined
          ? undefined
          : await callApi(
              caller,
              METHODS[attributes.verb]!,
              path,
              attributes.verb === "get" || attributes.verb === "list" ? undefined : {},
            );
      return [
        ...(status.allowed ? [`${text}: allowed`] : []),
        ...(made !== undefined && made.status !== 403 ? [`${text}: answered ${made.status}`] : []),
      ];
    }),
  );
  return answers.flat();
}
