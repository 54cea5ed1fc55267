import { NAMESPACE } from "../control/kinds.ts";
import type { Cluster } from "../control/ports.ts";
import type { Site, Sites } from "../control/sites.ts";

/** What stands in for the answer of a PoP's own cluster, by the name of its kubeconfig Secret. */
export type SiteTrouble = Exclude<Site, { readonly state: "Reachable" }> | { readonly state: "Another"; readonly uid: string };

/**
 * All PoPs in the one simulated cluster, told by its kube-system namespace as a real one is (P17); those with a kubeconfig Secret can be
 * cut off, or led to another cluster.
 */
export class SimulatedSites implements Sites {
  readonly #cluster: Cluster;
  readonly #troubles: ReadonlyMap<string, SiteTrouble>;

  constructor(cluster: Cluster, troubles: ReadonlyMap<string, SiteTrouble> = new Map()) {
    this.#cluster = cluster;
    this.#troubles = troubles;
  }

  async of(secret: { readonly name: string } | undefined): Promise<Site> {
    const trouble = secret && this.#troubles.get(secret.name);
    if (trouble && trouble.state !== "Another") return trouble;
    if (trouble) return { state: "Reachable", uid: trouble.uid, cluster: this.#cluster };
    const system = await this.#cluster.get(NAMESPACE, "kube-system");
    return system
      ? { state: "Reachable", uid: system.metadata.uid, cluster: this.#cluster }
      : { state: "Unreachable", message: "there is no kube-system namespace" };
  }

  keepOnly(): void {
    // All PoPs are in the one cluster, which belongs to the world.
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
