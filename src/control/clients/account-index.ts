import { ACCOUNT_LABEL } from "../../api/names.ts";
import { type ClientAccount, clientAccounts } from "../../core/client/accounts.ts";
import type { HubCaches } from "../hub-caches.ts";

/** The accounts by name, as Clients need them; put together anew when a namespace or the spec of a policy has changed. */
export class ClientAccountIndex {
  readonly #caches: Pick<HubCaches, "namespaces" | "accountPolicies">;
  readonly #fleetNamespace: string;
  /** UID and generation of the policy of each namespace. */
  readonly #generations = new Map<string, string>();
  #accounts: ReadonlyMap<string, ClientAccount> | undefined;

  constructor(caches: Pick<HubCaches, "namespaces" | "accountPolicies">, fleetNamespace: string) {
    this.#caches = caches;
    this.#fleetNamespace = fleetNamespace;
    caches.namespaces.onChange(() => (this.#accounts = undefined));
    caches.accountPolicies.onChange(({ metadata: { namespace = "", uid, generation } }, deleted) => {
      const seen = deleted ? undefined : `${uid} ${generation}`;
      if (this.#generations.get(namespace) === seen) return;
      if (seen === undefined) this.#generations.delete(namespace);
      else this.#generations.set(namespace, seen);
      this.#accounts = undefined;
    });
  }

  /** By name. The status in it may be old: nothing here reads it. */
  get all(): ReadonlyMap<string, ClientAccount> {
    const { namespaces, accountPolicies } = this.#caches;
    return (this.#accounts ??= clientAccounts(namespaces.list(), accountPolicies.list(), this.#fleetNamespace));
  }

  /** The account of a namespace; the provider's own is nobody's. */
  accountOf(namespace: string): string | undefined {
    return namespace === this.#fleetNamespace ? undefined : this.#caches.namespaces.get(namespace)?.metadata.labels?.[ACCOUNT_LABEL];
  }
}
