import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import { CLIENT_SYSTEMS, type ClientSystem } from "../api/client-rollout.ts";
import { ACCOUNT_LABEL } from "../api/names.ts";
import { ApiError, type Cluster, type Kind } from "../control/ports.ts";
import { policyKey } from "../core/client/policy.ts";
import { closest } from "../core/closest.ts";
import { EXIT } from "./exit-codes.ts";
import { Refusal } from "./refusal.ts";

/** Namespaces bear the name of their account as a label. */
export const NAMESPACE: Kind = { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false };

/** Where an account stands in the cluster. */
export interface FoundAccount {
  readonly namespace: string;
  readonly policy?: AccountPolicy;
}

/**
 * The policy of an account, as somebody names it: the namespace of that name, which alone is read where it has one, so that whoever may
 * read nothing else can ask (rule I15); else the namespace that is labelled with it.
 */
export async function findAccount(cluster: Cluster, account: string): Promise<FoundAccount> {
  const own = await policyIn(cluster, account);
  if (own !== undefined && (own.status?.account ?? account) === account) return { namespace: account, policy: own };
  const labelled = await allowed(() => cluster.list(NAMESPACE, { labelSelector: `${ACCOUNT_LABEL}=${account}` }));
  const namespace = labelled?.[0]?.metadata.name;
  if (namespace !== undefined) {
    const policy = namespace === account ? own : await policyIn(cluster, namespace);
    return { namespace, ...(policy === undefined ? {} : { policy }) };
  }
  return { namespace: account, ...(own === undefined ? {} : { policy: own }) };
}

/** The policy itself, or a sentence that says what to write. */
export async function policyOf(cluster: Cluster, account: string): Promise<AccountPolicy> {
  const { namespace, policy } = await findAccount(cluster, account);
  if (policy !== undefined) return policy;
  const names =
    (await allowed(() => cluster.list(NAMESPACE, { labelSelector: ACCOUNT_LABEL })))?.map(({ metadata }) => metadata.name) ?? [];
  const meant = names.includes(namespace) ? undefined : closest(account, names);
  const instead = meant === undefined ? "write one, named account, with clients.windows and so on" : `did you mean ${meant}?`;
  throw new Refusal(EXIT.nothingToActOn, `there is no AccountPolicy in namespace ${namespace}; ${instead}`);
}

/** The labels of an account's namespace; to whoever may not read it, the one that makes it an account's. */
export async function labelsOf(cluster: Cluster, namespace: string, account: string): Promise<Readonly<Record<string, string>>> {
  const found = await allowed(() => cluster.get(NAMESPACE, namespace));
  return found?.metadata.labels ?? { [ACCOUNT_LABEL]: account };
}

const policyIn = (cluster: Cluster, namespace: string): Promise<AccountPolicy | undefined> =>
  cluster.get<AccountPolicy>(ACCOUNT_POLICY, "account", namespace);

/** Undefined to whoever has no right to it: what was asked can be answered without. */
export async function allowed<Answer>(ask: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ApiError && error.code === 403) return undefined;
    throw error;
  }
}

/** Reads `windows`, `macOS`, `LINUX`; a refusal names what there is. */
export function systemOf(text: string): ClientSystem {
  const found = CLIENT_SYSTEMS.find((system) => system.toLowerCase() === text.toLowerCase());
  if (found !== undefined) return found;
  const names = CLIENT_SYSTEMS.map(policyKey);
  const meant = closest(text.toLowerCase(), names);
  const instead = `write one of ${names.join(", ")}${meant === undefined ? "" : ` (did you mean ${meant}?)`}`;
  throw new Refusal(EXIT.badInput, `--os is ${JSON.stringify(text)}; ${instead}`);
}
