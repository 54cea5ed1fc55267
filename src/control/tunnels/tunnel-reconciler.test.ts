import { expect, test } from "vitest";
import type { Resource } from "../../api/define-resource.ts";
import { ACCOUNT_LABEL } from "../../api/names.ts";
import { allResources, TUNNEL_SITE } from "../../api/resources.ts";
import type { TunnelSite } from "../../api/tunnel-site.ts";
import { reconcile } from "../../runtime/reconcile.ts";
import { VirtualClock } from "../../simulation/clock.ts";
import { customKind } from "../../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../../simulation/cluster/store.ts";
import { openHubCaches } from "../hub-caches.ts";
import { NAMESPACE } from "../kinds.ts";
import { isConflict } from "../ports.ts";
import type { Draft } from "../ports.ts";
import { TunnelIndex } from "./tunnel-index.ts";
import { TunnelReconciler } from "./tunnel-reconciler.ts";

/** The CRD of an operator that did not know `status.resilience` yet: the server drops it without a word. */
function olderCrd({ crd }: Pick<Resource<unknown>, "crd">): Resource<unknown>["crd"] {
  return () => {
    const older = structuredClone(crd());
    const [version] = older.spec.versions as readonly [
      { schema: { openAPIV3Schema: { properties: { status: { properties: Record<string, unknown> } } } } },
    ];
    delete version.schema.openAPIV3Schema.properties.status.properties["resilience"];
    return older;
  };
}

async function world(siteKind: Pick<Resource<unknown>, "apiVersion" | "kind" | "plural" | "namespaced" | "crd">) {
  const clock = new VirtualClock(Date.parse("2026-11-25T12:00:00Z"));
  const kinds = allResources.map((resource) => customKind(resource.kind === "TunnelSite" ? siteKind : resource));
  const cluster = new InMemoryCluster(new Store({ clock, kinds }), { clock });
  const labels = { [ACCOUNT_LABEL]: "acme" };
  const made = Promise.all([
    cluster.create(NAMESPACE, { apiVersion: "v1", kind: "Namespace", metadata: { name: "acme", labels } }),
    cluster.create<TunnelSite>(TUNNEL_SITE, {
      apiVersion: TUNNEL_SITE.apiVersion,
      kind: "TunnelSite",
      metadata: { namespace: "acme", name: "berlin" },
      spec: { type: "IPsec", primaryPoP: "ber1" },
    } as unknown as Draft<TunnelSite>),
  ]);
  await clock.advance(100);
  await made;
  const hubCaches = openHubCaches(cluster, "fleet");
  await clock.advance(100);
  const listeners = { site: () => undefined, partners: () => undefined };
  const index = new TunnelIndex(hubCaches, "fleet", listeners);
  await clock.advance(100);
  const reader = { readingsOf: () => new Map(), askedMilliseconds: 0 };
  const kind = new TunnelReconciler({ hub: cluster, hubCaches, index, reader, namespace: "fleet" });
  let wakes = 0;
  const look = async (): Promise<string> => {
    const loop = { clock, isLeader: () => true, want: () => {}, wakeAt: () => {}, wakeAfter: () => void (wakes += 1), isConflict };
    const ended = reconcile(kind, loop, "acme/berlin").then(
      () => "rests",
      (error: Error) => error.message,
    );
    await clock.advance(5_000);
    return ended;
  };
  const versionNow = async (): Promise<string> => (await cluster.get<TunnelSite>(TUNNEL_SITE, "berlin", "acme"))!.metadata.resourceVersion;
  return { look, versionNow, wakes: () => wakes };
}

test("[G11] a status that the server keeps otherwise than it was written is an error with what to do, after one write: it backs off", async () => {
  const { look, wakes } = await world({ ...TUNNEL_SITE, crd: olderCrd(TUNNEL_SITE) });
  expect(await look()).toBe(
    "the API server keeps the status of TunnelSite acme/berlin otherwise than it was written (status.resilience); " +
      "apply the CRDs of this operator's version (rollward crds), or look for a webhook that edits it",
  );
  expect(wakes(), "the queue's own back-off is what brings it back").toBe(0);
});

test("[G11] a status that is kept as it was written is written once, and then nothing is", async () => {
  const { look, versionNow, wakes } = await world(TUNNEL_SITE);
  expect(await look()).toBe("rests");
  const first = await versionNow();
  expect(await look()).toBe("rests");
  expect([await versionNow(), wakes()]).toEqual([first, 0]);
});
