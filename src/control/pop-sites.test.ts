import { beforeEach, expect, test } from "vitest";
import type { PopCluster } from "../api/pop-cluster.ts";
import { PopReconciler, type PopReconcilerPorts } from "./pop-reconciler.ts";
import type { SecretReference, Site } from "./sites.ts";

/** The PoPs of the fleet by the kubeconfig Secret that they name, as the hub's cache has them. */
const pops = new Map<string, string | undefined>();
const popOf = (name: string) => {
  const secret = pops.get(name);
  return { metadata: { name }, spec: secret === undefined ? {} : { kubeconfigSecretRef: { name: secret } } } as PopCluster;
};

let kept: string[][];
let reconciler: PopReconciler;
beforeEach(() => {
  kept = [];
  pops.clear();
  const never: Promise<Site> = new Promise(() => {});
  const ports = {
    namespace: "fleet",
    told: { popGone: () => undefined },
    hubCaches: { pops: { get: (name: string) => (pops.has(name) ? popOf(name) : undefined), list: () => [...pops.keys()].map(popOf) } },
    sites: {
      of: () => never,
      keepOnly: (secrets: readonly SecretReference[]) => void kept.push(secrets.map(({ namespace, name }) => `${namespace}/${name}`)),
    },
  };
  reconciler = new PopReconciler(ports as unknown as PopReconcilerPorts);
});

test("[P17] when a PoP goes, only the clusters that other PoPs name are kept; one of the hub names none", () => {
  for (const [pop, secret] of [["ber1", "kubeconfig-ber"], ["tyo1"], ["ams1", "kubeconfig-ams"]] as const) pops.set(pop, secret);
  reconciler.forget("fra1");
  expect(kept).toEqual([["fleet/kubeconfig-ber", "fleet/kubeconfig-ams"]]);
});

test("[P17] a PoP that names another Secret than before leaves the cluster of the one before; looked at again it closes nothing", () => {
  pops.set("fra1", "old");
  void reconciler.observe("fra1");
  expect(kept).toEqual([]);
  pops.set("fra1", "new");
  void reconciler.observe("fra1");
  void reconciler.observe("fra1");
  expect(kept).toEqual([["fleet/new"]]);
});
