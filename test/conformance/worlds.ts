import { KubeConfig } from "@kubernetes/client-node";
import { allResources } from "../../src/api/resources.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import { KubernetesCluster } from "../../src/kubernetes/cluster.ts";
import { Transport } from "../../src/kubernetes/transport.ts";
import { VirtualClock } from "../../src/simulation/clock.ts";
import { customKind } from "../../src/simulation/cluster/custom-kind.ts";
import { collectGarbage } from "../../src/simulation/cluster/garbage.ts";
import { InMemoryCluster } from "../../src/simulation/cluster/in-memory-cluster.ts";
import { Store } from "../../src/simulation/cluster/store.ts";
import { runControlPlane } from "../../src/simulation/daemon-sets.ts";
import { startControlPlane } from "../../tools/control-plane/run.ts";
import type { World } from "./trace.ts";

export interface RunningWorld extends World {
  createNamespace(name: string): Promise<void>;
  stop(): Promise<void>;
}

export function inMemoryWorld(): RunningWorld {
  const clock = new VirtualClock(Date.UTC(2026, 0, 4, 1));
  const store = new Store({ clock, kinds: allResources.map((resource) => customKind(resource)) });
  const cluster = new InMemoryCluster(store, { clock, user: "trace" });
  const other = new InMemoryCluster(store, { clock, user: "another client" });
  const controllers = new InMemoryCluster(store, { clock, user: "control plane" });
  const stops = [collectGarbage(store), runControlPlane(controllers, clock)];
  return {
    cluster,
    other,
    pause: () => clock.advance(50),
    createNamespace: async () => undefined,
    stop: async () => {
      for (const stop of stops) stop();
      await Promise.all([cluster.close(), other.close(), controllers.close()]);
    },
  };
}

/** A control plane of its own, with our CRDs; about 5 s. */
export async function realWorld(): Promise<RunningWorld> {
  const controlPlane = await startControlPlane();
  const create = async (path: string, body: unknown): Promise<void> => {
    const { status, body: text } = await controlPlane.call("admin", "POST", path, body);
    if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`);
  };
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(controlPlane.kubeconfig("admin"));
  const connect = (name: string): KubernetesCluster => {
    const transport = new Transport({ kubeconfig, name, userAgent: "conformance/1", clock: processClock });
    return new KubernetesCluster({ transport, clock: processClock, log: () => undefined });
  };
  const [cluster, other] = [connect("the control plane"), connect("the control plane, by another client")];
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, 50));
  for (const resource of allResources) await create("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", resource.crd());
  for (const { apiVersion, plural } of allResources) {
    while ((await controlPlane.call("admin", "GET", `/apis/${apiVersion}/${plural}`)).status !== 200) await pause();
  }
  return {
    cluster,
    other,
    pause,
    createNamespace: async (name) => {
      await create("/api/v1/namespaces", { metadata: { name } });
      // Without its service account no pod can be created.
      while ((await controlPlane.call("admin", "GET", `/api/v1/namespaces/${name}/serviceaccounts/default`)).status !== 200) await pause();
    },
    stop: async () => {
      await Promise.all([cluster.close(), other.close()]);
      await controlPlane.stop();
    },
  };
}

const processClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  at: (at, wake) => processClock.after(at - Date.now(), wake),
  after: (milliseconds, wake) => {
    const timer = setTimeout(wake, milliseconds);
    return () => clearTimeout(timer);
  },
};
