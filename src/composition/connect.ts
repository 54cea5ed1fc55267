import { RealClock } from "../control/clock/real-clock.ts";
import type { Cluster } from "../control/ports.ts";
import { KubernetesCluster } from "../kubernetes/cluster.ts";
import { Transport } from "../kubernetes/transport.ts";
import { loadKubeconfig } from "./kubeconfig.ts";
import { USER_AGENT } from "./version.ts";

/** Opens the API server for one command. */
export async function connect({ kubeconfig }: { readonly kubeconfig?: string }): Promise<Cluster> {
  const clock = new RealClock();
  const transport = new Transport({
    kubeconfig: loadKubeconfig(kubeconfig),
    name: "the cluster",
    userAgent: `${USER_AGENT} (command line)`,
    clock,
  });
  return new KubernetesCluster({ transport, clock, log: () => {} });
}
