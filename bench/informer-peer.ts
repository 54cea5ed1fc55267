// The peer of socket-sites.ts, in a process of its own: the informer of @kubernetes/client-node over all SocketSites, as its README
// writes one. Says on the channel to its parent when it holds all of them, and what it takes since; ends when it is told to.
import { CustomObjectsApi, KubeConfig, type KubernetesObject, makeInformer } from "@kubernetes/client-node";
import { SOCKET_SITE } from "../src/api/socket-site.ts";

export interface Synced {
  readonly objects: number;
  /** Since the process was started. */
  readonly milliseconds: number;
}

const [group = "", version = ""] = SOCKET_SITE.apiVersion.split("/");
const { plural } = SOCKET_SITE;
const kubeconfig = new KubeConfig();
kubeconfig.loadFromFile(process.argv[2] ?? "");
const api = kubeconfig.makeApiClient(CustomObjectsApi);
const list = () => api.listCustomObjectForAllNamespaces({ group, version, resourcePlural: plural });
const informer = makeInformer<KubernetesObject>(kubeconfig, `/apis/${group}/${version}/${plural}`, list);
informer.on("error", (error) => {
  throw error;
});
await informer.start();
process.send?.({ objects: informer.list().length, milliseconds: performance.now() } satisfies Synced);
process.once("message", () => process.exit(0));
process.once("disconnect", () => process.exit(0));
