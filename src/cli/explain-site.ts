import { ACCOUNT_LABEL } from "../api/names.ts";
import { SOCKET_ROLLOUT, type SocketRollout } from "../api/socket-rollout.ts";
import { SOCKET_SITE, type SocketSite } from "../api/socket-site.ts";
import { type Inventory, InventoryUnavailable } from "../control/inventory.ts";
import type { Cluster } from "../control/ports.ts";
import type { Explanation } from "../core/explain/explanation.ts";
import type { KnownSite } from "../core/explain/known-site.ts";
import { explainSocketRollout } from "../core/explain/socket-rollout.ts";
import { explainSocketSite } from "../core/explain/socket-site.ts";
import { allowed, NAMESPACE } from "./accounts.ts";
import { opened } from "./inventory-option.ts";

/** Opens the inventory that a URL names, whoever asked closes it; rejects with a sentence. */
export type OpenSites = (url: string) => Promise<Pick<Inventory, "site"> & { close(): Promise<void> }>;

export interface SiteSources {
  /** The fleet namespace, where rollouts are. */
  readonly namespace: string;
  readonly inventory?: string;
  readonly open: OpenSites | undefined;
}

/** A site as its status, the rollouts and, where `--inventory` names it, the inventory tell it; nobody needs more rights than for the site. */
export async function siteExplained(cluster: Cluster, site: SocketSite, { namespace, inventory, open }: SiteSources): Promise<Explanation> {
  const waitsForRamp = site.status?.holds?.some(({ reason }) => reason === "NotInRamp") === true;
  const rollouts = waitsForRamp ? await allowed(() => cluster.list<SocketRollout>(SOCKET_ROLLOUT, { namespace })) : undefined;
  const known = inventory === undefined || open === undefined ? undefined : await knownOf(cluster, site, inventory, open);
  const explained = explainSocketSite(site, {
    ...(rollouts === undefined ? {} : { rollouts }),
    ...(known === undefined || "problem" in known ? {} : { known }),
  });
  if (known === undefined || !("problem" in known)) return explained;
  return { ...explained, sections: [{ title: "Inventory", lines: [known.problem] }, ...explained.sections] };
}

/** A rollout; of one that counts no site it is asked which sites there are, and why none of them counts. */
export async function socketRolloutExplained(cluster: Cluster, rollout: SocketRollout): Promise<Explanation> {
  if (rollout.status?.numbers?.sites !== 0) return explainSocketRollout(rollout);
  return explainSocketRollout(rollout, await allowed(() => cluster.list<SocketSite>(SOCKET_SITE)));
}

/** An inventory that is away takes nothing of what the status tells. */
async function knownOf(
  cluster: Cluster,
  site: SocketSite,
  url: string,
  open: OpenSites,
): Promise<KnownSite | { readonly problem: string }> {
  const { metadata, spec, status } = site;
  const namespace = metadata.namespace ?? "";
  const found = await allowed(() => cluster.get(NAMESPACE, namespace));
  const account = found === undefined ? namespace : (found.metadata.labels?.[ACCOUNT_LABEL] ?? "");
  const named = status?.upgrade?.command?.id;
  const inventory = await opened(open, url);
  try {
    const serials = spec.sockets.map(({ serial }) => serial);
    const { devices, commands } = await inventory.site({ uid: metadata.uid, account, serials, ...(named === undefined ? {} : { named }) });
    const command = named === undefined ? undefined : commands.get(named);
    return { sockets: [...devices.values()], ...(command === undefined ? {} : { command }) };
  } catch (error) {
    if (!(error instanceof InventoryUnavailable)) throw error;
    return { problem: `${error.message} What follows is what the status says.` };
  } finally {
    await inventory.close();
  }
}
