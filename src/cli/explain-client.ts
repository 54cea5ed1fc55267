import { ACCOUNT_POLICY, type AccountPolicy } from "../api/account-policy.ts";
import { CLIENT_ROLLOUT, type ClientRollout } from "../api/client-rollout.ts";
import { FLEET } from "../api/resources.ts";
import type { ClientInventory } from "../control/client-inventory.ts";
import type { Cluster } from "../control/ports.ts";
import { clientAccounts } from "../core/client/accounts.ts";
import { userKey } from "../core/client/cohort.ts";
import { missingEverywhere } from "../core/client/missing-files.ts";
import { type ExplainedClient, type ExplainedDevice, explainClient } from "../core/explain/client.ts";
import { explainClientOfAccount } from "../core/explain/client-of-account.ts";
import type { Explanation } from "../core/explain/explanation.ts";
import { zoneProblem } from "../core/time/zone.ts";
import { allowed, findAccount, labelsOf, NAMESPACE, policyOf } from "./accounts.ts";
import { EXIT } from "./exit-codes.ts";
import { noSuchAccount } from "./inventory-accounts.ts";
import { type OpenClients, withClients } from "./inventory-option.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";

export interface ExplainClientOptions {
  readonly namespace: string;
  readonly inventory?: string;
  readonly zone: string;
}

/** Whether the words name a Client: `client ACCOUNT/DEVICE`, or `client/ACCOUNT/DEVICE`; its device as it stands there. */
export function clientNamed(first: string, second: string | undefined): string | undefined {
  if (/^clients?$/i.test(first)) return second ?? "";
  return /^client\//i.test(first) && second === undefined ? first.slice("client/".length) : undefined;
}

/**
 * One Client: what runs, what comes, why not yet and when; by the inventory and the cluster together (rules C1–C8). To whoever may not read
 * rollouts, what the AccountPolicy of the account tells (rule I15).
 */
export async function clientExplained(
  io: CliIo,
  cluster: Cluster,
  open: OpenClients,
  named: string,
  { namespace, inventory, zone }: ExplainClientOptions,
): Promise<Explanation> {
  const slash = named.indexOf("/");
  const [account, device] = [named.slice(0, slash), named.slice(slash + 1)];
  if (slash <= 0 || device === "")
    throw new Refusal(
      EXIT.badInput,
      `${JSON.stringify(named)} names no Client; write ACCOUNT/DEVICE, for example rollward explain client acme/d-1`,
    );
  const problem = zoneProblem(zone);
  if (problem !== undefined) throw new Refusal(EXIT.badInput, `--zone: ${problem}`);
  const kept =
    inventory === undefined
      ? undefined
      : await withClients(open, inventory, async (clients) => ({
          known: await deviceOf(clients, account, device),
          missing: missingEverywhere(await clients.replicas()),
        }));
  const rollouts = await allowed(() => cluster.list<ClientRollout>(CLIENT_ROLLOUT, { namespace }));
  if (rollouts === undefined) {
    const policy = await policyOf(cluster, account);
    return explainClientOfAccount({ account, device, ...(kept === undefined ? {} : { known: kept.known }), policy, zone });
  }
  const [fleet, found] = await Promise.all([cluster.get(FLEET, "fleet", namespace), accountOf(cluster, account, namespace)]);
  const seen: ExplainedClient = {
    account,
    device,
    ...kept,
    ...found,
    rollouts,
    fleetPaused: fleet?.spec.paused === true,
    zone,
  };
  return explainClient(seen, io.now());
}

async function deviceOf(clients: ClientInventory, account: string, device: string): Promise<ExplainedDevice> {
  const known = await clients.client({ account, device });
  if (known === undefined) {
    const instead = (await noSuchAccount(clients, account)) ?? `rollward users --account ${account} --names lists those that have`;
    throw new Refusal(EXIT.nothingToActOn, `no Client ${device} of account ${account} has been heard of; ${instead}`);
  }
  const directory = await clients.directory(account);
  // As the gateway does: the directory's word before the Client's own.
  const user = directory.owners.get(userKey(device)) ?? known.user;
  const groups = user === undefined ? [] : (directory.groups.get(userKey(user)) ?? []);
  return { ...known, ...(user === undefined ? {} : { user }), groups };
}

/** By the labels of all namespaces, as the gateway finds it; to whoever may not list them, the namespace of that name. */
async function accountOf(
  cluster: Cluster,
  account: string,
  fleetNamespace: string,
): Promise<Pick<ExplainedClient, "labels" | "policies" | "status">> {
  const all = await allowed(() => Promise.all([cluster.list(NAMESPACE), cluster.list<AccountPolicy>(ACCOUNT_POLICY)]));
  if (all !== undefined) {
    const { labels, policies, status } = clientAccounts(all[0], all[1], fleetNamespace).get(account) ?? { labels: {} };
    return { labels, ...(policies === undefined ? {} : { policies }), ...(status === undefined ? {} : { status }) };
  }
  const { namespace, policy } = await findAccount(cluster, account);
  return {
    labels: await labelsOf(cluster, namespace, account),
    ...(policy?.spec.clients === undefined ? {} : { policies: policy.spec.clients }),
    ...(policy?.status === undefined ? {} : { status: policy.status }),
  };
}
