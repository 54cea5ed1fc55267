import { expect, test } from "vitest";
import type { Resource } from "../api/define-resource.ts";
import type { PopCluster, PopClusterStatus } from "../api/pop-cluster.ts";
import { allResources, POP_CLUSTER } from "../api/resources.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { customKind } from "../simulation/cluster/custom-kind.ts";
import { InMemoryCluster } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import { popDraft } from "../simulation/world.ts";
import { isConflict } from "./ports.ts";
import { type ObservedPopCluster, PopReconciler, type PopReconcilerPorts } from "./pop-reconciler.ts";

/** The CRD of an operator that did not know `status.revisions` yet: the server drops it without a word. */
function olderCrd({ crd }: Pick<Resource<unknown>, "crd">): Resource<unknown>["crd"] {
  return () => {
    const older = structuredClone(crd());
    const [version] = older.spec.versions as readonly [
      { schema: { openAPIV3Schema: { properties: { status: { properties: Record<string, unknown> } } } } },
    ];
    delete version.schema.openAPIV3Schema.properties.status.properties["revisions"];
    return older;
  };
}

async function claimOn(crd: Resource<unknown>["crd"]): Promise<unknown> {
  const clock = new VirtualClock(Date.parse("2026-11-25T12:00:00Z"));
  const kinds = allResources.map((resource) => customKind(resource.kind === "PoPCluster" ? { ...resource, crd } : resource));
  const cluster = new InMemoryCluster(new Store({ clock, kinds }), { clock });
  const settled = async <Result>(work: Promise<Result>): Promise<Result> => {
    await clock.advance(100);
    return work;
  };
  const pop = await settled(cluster.create<PopCluster>(POP_CLUSTER, popDraft("fra1")));
  const told: PopCluster[] = [];
  const ports = { hub: cluster, told: { pop: (one: PopCluster) => void told.push(one) } } as unknown as PopReconcilerPorts;
  // A claim of a node: when it is written everything is observed anew, so that no other port is asked.
  const nodes = [{ name: "n1", uid: "uid-n1", step: "Claimed" as const, since: "2026-11-25T12:00:00Z", attempt: 1, token: "run-1/1" }];
  const status: PopClusterStatus = { observedGeneration: 1, revisions: { wanted: "r2" }, nodes };
  const observed = { objects: { pop }, site: { state: "Unreachable" } } as unknown as ObservedPopCluster;
  return settled(new PopReconciler(ports).claim(observed, status).catch((error: unknown) => error));
}

test("[G11] a ledger that the server keeps otherwise than it was written is an error that names the fields, and no reason to write at once", async () => {
  const error = await claimOn(olderCrd(POP_CLUSTER));
  expect(isConflict(error)).toBe(false);
  expect((error as Error).message).toBe(
    "the API server keeps the status of PoPCluster fra1 otherwise than it was written (status.revisions); " +
      "apply the CRDs of this operator's version (rollward crds), or look for a webhook that edits it",
  );
});

test("[G11] a ledger that is kept as it was written is claimed", async () => {
  expect(await claimOn(() => POP_CLUSTER.crd())).toBeUndefined();
});
