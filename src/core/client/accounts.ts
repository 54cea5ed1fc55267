import type { AccountPolicy, AccountPolicyStatus } from "../../api/account-policy.ts";
import type { ClientPolicies } from "../../api/client-policy.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";

/** What Clients need of their account, wherever it stands in the cluster. */
export interface ClientAccount {
  /** The labels of its namespace. */
  readonly labels: Readonly<Record<string, string>>;
  readonly namespace: string;
  /** Absent: it has no AccountPolicy, or more than one; all of its systems are Managed (rule C1). */
  readonly policies?: ClientPolicies;
  /** Of that AccountPolicy. */
  readonly generation?: number;
  readonly status?: AccountPolicyStatus;
}

interface Labelled {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> | undefined };
}

/**
 * Accounts by name. The provider's own namespace is nobody's, whatever its labels say. An account with AccountPolicies in two namespaces
 * has none that counts: which of them was meant nobody knows, and what is not offered can still be offered later.
 */
export function clientAccounts(
  namespaces: readonly Labelled[],
  policies: readonly Pick<AccountPolicy, "metadata" | "spec" | "status">[],
  fleetNamespace: string,
): ReadonlyMap<string, ClientAccount> {
  const byNamespace = new Map(policies.map((policy) => [policy.metadata.namespace ?? "", policy]));
  const accounts = new Map<string, ClientAccount>();
  const counted = new Map<string, number>();
  for (const { metadata } of namespaces.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    const { name: namespace, labels = {} } = metadata;
    const account = labels[ACCOUNT_LABEL];
    if (account === undefined || account === "" || namespace === fleetNamespace) continue;
    const policy = byNamespace.get(namespace);
    const policiesFound = (counted.get(account) ?? 0) + (policy === undefined ? 0 : 1);
    counted.set(account, policiesFound);
    const known = accounts.get(account);
    if (policy === undefined) {
      if (known === undefined) accounts.set(account, { labels, namespace });
    } else if (policiesFound > 1) {
      accounts.set(account, { labels: known!.labels, namespace: known!.namespace });
    } else {
      const { spec, status } = policy;
      accounts.set(account, {
        labels,
        namespace,
        ...(spec.clients === undefined ? {} : { policies: spec.clients }),
        generation: policy.metadata.generation ?? 0,
        ...(status === undefined ? {} : { status }),
      });
    }
  }
  return accounts;
}
