import type { ThroughApiServer } from "../core/health/probe.ts";
import type { DataPlaneAnswer, PodCall, Prober } from "./ports.ts";
import type { Sites } from "./sites.ts";

/** Calls to pods that only their own API server reaches go that way (rule P17); all others as they are. */
export const throughSites = (prober: Prober, sites: Pick<Sites, "of">): Prober => ({
  tcp: (...asked) => prober.tcp(...asked),
  http: (call) => (call.through === undefined ? prober.http(call) : askThrough(sites, call.through, call)),
});

/** Never throws, as the Prober port says: where nobody can be asked, nothing is known of the pod (rule G9). */
async function askThrough(sites: Pick<Sites, "of">, through: ThroughApiServer, call: PodCall): Promise<DataPlaneAnswer> {
  const { secret, clusterUID, namespace, pod } = through;
  const unknown = (body: string): DataPlaneAnswer => ({ status: 0, body, milliseconds: 0, unreadable: true });
  try {
    const site = await sites.of(secret);
    if (site.state !== "Reachable") return unknown(site.message);
    if (site.uid !== clusterUID)
      return unknown(`Secret ${secret.name} leads to another cluster now (${site.uid}), so pod ${pod} was not asked`);
    return await site.cluster.askPod({ name: pod, namespace }, call);
  } catch (error) {
    return unknown(error instanceof Error ? error.message : String(error));
  }
}
