import { describe, expect, test } from "vitest";
import { DAEMON_SET, NODE, POD, type DaemonSetObject, type NodeObject, type PodObject } from "../control/kinds.ts";
import type { Draft } from "../control/ports.ts";
import { VirtualClock } from "./clock.ts";
import { InMemoryCluster } from "./cluster/in-memory-cluster.ts";
import { asPublic } from "./cluster/objects.ts";
import { Store } from "./cluster/store.ts";
import { runControlPlane } from "./daemon-sets.ts";

/* What is the same on a real control plane is in test/conformance; here is what takes minutes there. */

async function world(nodes: readonly string[], spec: object = {}, lagMilliseconds = 0) {
  const clock = new VirtualClock(Date.UTC(2026, 0, 4, 1));
  const store = new Store({ clock });
  const cluster = new InMemoryCluster(store, { clock });
  const stop = runControlPlane(new InMemoryCluster(store, { clock, user: "control plane", lagMilliseconds }), clock);
  for (const name of nodes) await addNode(cluster, name);
  const template = { metadata: { labels: { app: "x" } }, spec: { containers: [{ name: "main", image: "registry.example/x:1" }] } };
  const draft = {
    metadata: { name: "ds", namespace: "default" },
    spec: { selector: { matchLabels: { app: "x" } }, updateStrategy: { type: "OnDelete" }, template, ...spec },
  };
  await cluster.create(DAEMON_SET, draft as unknown as Draft<DaemonSetObject>);
  const pods = () => store.list(POD).map((pod) => asPublic<PodObject>(pod));
  return { clock, store, cluster, pods, stop };
}

const addNode = (cluster: InMemoryCluster, name: string): Promise<NodeObject> =>
  cluster.create(NODE, { metadata: { name }, status: { conditions: [{ type: "Ready", status: "True" }] } });

async function setPhase(cluster: InMemoryCluster, pod: PodObject, phase: "Running" | "Failed", ready = phase === "Running"): Promise<void> {
  const live = (await cluster.get(POD, pod.metadata.name, "default"))!;
  const condition = { type: "Ready", status: ready ? "True" : "False" } as const;
  await cluster.updateStatus(POD, { ...live, status: { ...live.status, phase, conditions: [condition] } });
}

describe("the DaemonSet controller", () => {
  test("one pod for each of 3 nodes, also while its caches are 2 s behind: no pod is made twice", async () => {
    const { clock, pods, store } = await world(["a", "b", "c"], {}, 2_000);
    await clock.advance(30_000);
    expect(
      pods()
        .map(({ spec }) => spec.nodeName ?? "")
        .toSorted((a, b) => a.localeCompare(b)),
    ).toEqual(["a", "b", "c"]);
    expect(
      store.audit.filter(({ kind, verb, subresource }) => kind === "Pod" && verb === "create" && subresource === undefined),
    ).toHaveLength(3);
  });

  test("failed pods are replaced after 0, 1, 2, 4 … s", async () => {
    const { clock, cluster, pods, store } = await world(["a"]);
    await clock.advance(1_000);
    const born: number[] = [];
    store.subscribe(({ type, kind }) => type === "ADDED" && kind.kind === "Pod" && born.push(clock.elapsed()));
    for (let round = 0; round < 5; round++) {
      const before = clock.elapsed();
      await setPhase(cluster, pods()[0]!, "Failed");
      await clock.runUntil(() => born.length === round + 1);
      born[round] = clock.elapsed() - before;
      await clock.advance(30); // bound
    }
    expect(born.map((delay) => Math.round(delay / 1_000))).toEqual([0, 1, 2, 4, 8]);
  });

  test("a pod that runs for longer than minReadySeconds is available, not before", async () => {
    const { clock, cluster, pods } = await world(["a"], { minReadySeconds: 30 });
    await clock.advance(1_000);
    const live = pods()[0]!;
    const since = new Date(clock.now()).toISOString();
    await cluster.updateStatus(POD, {
      ...live,
      status: { ...live.status, phase: "Running", conditions: [{ type: "Ready", status: "True", lastTransitionTime: since }] },
    });
    const available = async () => (await cluster.get(DAEMON_SET, "ds", "default"))?.status?.numberAvailable ?? 0;
    await clock.advance(28_000);
    expect(await available()).toBe(0);
    await clock.advance(4_000);
    expect(await available()).toBe(1);
  });

  test("with RollingUpdate a new template replaces one ready pod at a time", async () => {
    const { clock, cluster, pods } = await world(["a", "b", "c"], { updateStrategy: { type: "RollingUpdate" } });
    await clock.advance(1_000);
    for (const pod of pods()) await setPhase(cluster, pod, "Running");
    await clock.advance(1_000);
    await cluster.patch(DAEMON_SET, "ds", "default", [
      { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/x:2" },
    ]);
    const images = () =>
      pods()
        .map(({ spec, metadata }) => spec.containers[0]!.image.slice(-1) + (metadata.deletionTimestamp ? " going" : ""))
        .sort();
    await clock.advance(5_000);
    expect(images()).toEqual(["1", "1", "1 going"]);
    await cluster.delete(POD, pods().find(({ metadata }) => metadata.deletionTimestamp)!.metadata.name, "default", {
      gracePeriodSeconds: 0,
    });
    await clock.advance(5_000);
    expect(images()).toEqual(["1", "1", "2"]);
    await setPhase(
      cluster,
      pods().find(({ spec }) => spec.containers[0]!.image.endsWith(":2"))!,
      "Running",
    );
    await clock.advance(5_000);
    expect(images()).toEqual(["1", "1 going", "2"]);
  });

  test("a settled world is written no more: zero writes in a day", async () => {
    const { clock, cluster, pods, store } = await world(["a", "b"]);
    await clock.advance(1_000);
    for (const pod of pods()) await setPhase(cluster, pod, "Running");
    await clock.advance(60_000);
    const { resourceVersion } = store;
    const writes = store.audit.length;
    await clock.advance(86_400_000);
    expect([store.resourceVersion, store.audit.length]).toEqual([resourceVersion, writes]);
  });

  test("after its end nothing is left in the clock", async () => {
    const { clock, cluster, stop } = await world(["a"]);
    await clock.advance(1_000);
    stop();
    await cluster.close();
    expect(clock.pending).toBe(0);
  });
});

describe("nodes that go", () => {
  test("the pod of a vanished node is deleted for good after 40 s, not if the node is back by then", async () => {
    const { clock, cluster, pods } = await world(["a", "b"]);
    await clock.advance(1_000);
    for (const name of ["a", "b"]) await cluster.delete(NODE, name, undefined);
    await clock.advance(30_000);
    await addNode(cluster, "b");
    const onB = pods().find(({ spec }) => spec.nodeName === "b")!.metadata.uid;
    await clock.advance(9_000);
    expect(pods()).toHaveLength(2);
    await clock.advance(60_000);
    expect(pods().map(({ metadata, spec }) => [metadata.uid, spec.nodeName])).toEqual([[onB, "b"]]);
  });

  test("a node that is not ready is tainted NoSchedule and NoExecute; its pod stays, the taints go with the cause", async () => {
    const { clock, cluster, pods } = await world(["a"]);
    await clock.advance(1_000);
    const ready = async (status: "True" | "False" | "Unknown") => {
      const node = (await cluster.get(NODE, "a"))!;
      await cluster.updateStatus(NODE, { ...node, status: { ...node.status, conditions: [{ type: "Ready", status }] } });
      await clock.advance(1_000);
      return ((await cluster.get(NODE, "a"))?.spec?.taints ?? []).map(({ key, effect }) => `${key.split("/")[1]}:${effect}`);
    };
    expect(await ready("False")).toEqual(["not-ready:NoSchedule", "not-ready:NoExecute"]);
    expect(await ready("Unknown")).toEqual(["unreachable:NoSchedule", "unreachable:NoExecute"]);
    expect(pods().map(({ metadata }) => metadata.deletionTimestamp)).toEqual([undefined]);
    expect(await ready("True")).toEqual([]);
  });
});
