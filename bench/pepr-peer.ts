// The peer of socket-sites.ts, in a process of its own: the watch of pepr (kubernetes-fluent-client) over all SocketSites, with the
// settings that pepr gives it and a callback that only counts. Says on the channel to its parent when it was called for each of them.
// argv: the folder where pepr is installed, how many sites there are; the cluster is that of KUBECONFIG.
import { createRequire } from "node:module";
import { join } from "node:path";
import { SOCKET_SITE } from "../src/api/socket-site.ts";
import type { Synced } from "./informer-peer.ts";

/** The part of pepr that is used here. */
interface Pepr {
  readonly a: { readonly GenericKind: new () => object };
  RegisterKind(
    model: new () => object,
    kind: { readonly group: string; readonly version: string; readonly kind: string; readonly plural: string },
  ): void;
  K8s(model: new () => object): {
    Watch(
      seen: (site: { readonly metadata?: { readonly uid?: string } }) => void,
      settings: {
        readonly resyncFailureMax: number;
        readonly resyncDelaySec: number;
        readonly lastSeenLimitSeconds: number;
        readonly relistIntervalSec: number;
      },
    ): { start(): Promise<unknown> };
  };
}

const [folder = "", wanted = "0"] = process.argv.slice(2);
const pepr = createRequire(join(folder, "package.json"))("pepr") as Pepr;
const [group = "", version = ""] = SOCKET_SITE.apiVersion.split("/");
const Site = class extends pepr.a.GenericKind {};
pepr.RegisterKind(Site, { group, version, kind: SOCKET_SITE.kind, plural: SOCKET_SITE.plural });
const seen = new Set<string>();
let told = false;
const watch = pepr.K8s(Site).Watch(
  ({ metadata }) => {
    seen.add(metadata?.uid ?? "");
    if (told || seen.size < Number(wanted)) return;
    told = true;
    process.send?.({ objects: seen.size, milliseconds: performance.now() } satisfies Synced);
  },
  { resyncFailureMax: 5, resyncDelaySec: 5, lastSeenLimitSeconds: 300, relistIntervalSec: 600 },
);
process.once("disconnect", () => process.exit(0));
await watch.start();
