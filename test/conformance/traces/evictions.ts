import {
  DAEMON_SET,
  POD,
  POD_DISRUPTION_BUDGET,
  type DaemonSetObject,
  type PodDisruptionBudgetObject,
  type PodObject,
} from "../../../src/control/kinds.ts";
import type { Cluster, Draft } from "../../../src/control/ports.ts";
import { attempt, trace, type Player } from "../trace.ts";

async function readyPod(t: Player, name: string, ready = true, ownerReferences?: readonly object[]): Promise<PodObject> {
  const spec = { schedulerName: "nobody", nodeName: "somewhere", containers: [{ name: "c", image: "i" }] };
  const metadata = { name, namespace: t.namespace, labels: { app: "x" }, ...(ownerReferences && { ownerReferences }) };
  const created = await t.cluster.create(POD, { metadata, spec });
  const condition = { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-04T01:00:00Z" } as const;
  return t.cluster.updateStatus(POD, { ...created, status: { ...created.status, phase: "Running", conditions: [condition] } });
}

const budget = (t: Player, spec: object, name = "budget"): Draft<PodDisruptionBudgetObject> => ({
  metadata: { name, namespace: t.namespace },
  spec: { selector: { matchLabels: { app: "x" } }, ...spec },
});

/** Code, reason, and whether the refusal names the budget in its causes. */
const evict =
  (pod: PodObject, dryRun = false) =>
  async (cluster: Cluster) => {
    const { outcome, error } = await attempt(() =>
      cluster.evict({ name: pod.metadata.name, namespace: pod.metadata.namespace!, uid: pod.metadata.uid }, { dryRun }),
    );
    return { outcome, causes: error?.causes.map(({ message }) => message) ?? [], retryAfter: error?.retryAfterMilliseconds };
  };
type Seen = Awaited<ReturnType<ReturnType<typeof evict>>>;
const short = {
  compare: ({ outcome, causes, retryAfter }: Seen) => ({ outcome, retryAfter, named: causes.some((cause) => cause.includes("budget ")) }),
};
const becomes =
  (outcome: string, word = "") =>
  (seen: Seen): boolean =>
    seen.outcome === outcome && seen.causes.join().includes(word);

trace("a budget with an integer minAvailable lets go of as many pods as are healthy above it", async (t) => {
  const pods = [await readyPod(t, "a"), await readyPod(t, "b"), await readyPod(t, "c")] as const;
  await t.ok("budget", (cluster) => cluster.create(POD_DISRUPTION_BUDGET, budget(t, { minAvailable: 2 })), { compare: ({ spec }) => spec });
  await t.eventually("dry run", evict(pods[0], true), becomes("ok"), short);
  await t.ok("a dry run takes nothing", evict(pods[1], true), short);
  await t.ok("it is still there", async (cluster) => (await cluster.get(POD, "a", t.namespace))?.metadata.deletionTimestamp === undefined);
  await t.fails("another UID", "409 Conflict", (cluster) =>
    cluster.evict({ name: "a", namespace: t.namespace, uid: pods[1].metadata.uid }, { dryRun: true }),
  );
  await t.ok("evict", evict(pods[0]), short);
  await t.ok("it is going, and says why", async (cluster) => {
    const { metadata, status } = (await cluster.get(POD, "a", t.namespace))!;
    const condition = status?.conditions?.find(({ type }) => type === "DisruptionTarget");
    return { going: metadata.deletionTimestamp !== undefined, status: condition?.status, reason: condition?.reason };
  });
  await t.eventually("the next is refused", evict(pods[1], true), becomes("429 TooManyRequests", "needs 2 healthy pods and has 2"), short);
  await t.ok("refused, not dry either", evict(pods[1]), short);
  await t.fails("what is not there", "404 NotFound", (cluster) =>
    cluster.evict({ name: "none", namespace: t.namespace, uid: pods[1].metadata.uid }),
  );
});

trace("without a budget, or pending, a pod is evicted; under two budgets never", async (t) => {
  const free = await readyPod(t, "free");
  await t.ok("free", evict(free), short);
  const held = await readyPod(t, "held");
  for (const name of ["one", "two"]) await t.cluster.create(POD_DISRUPTION_BUDGET, budget(t, { minAvailable: 0 }, name));
  await t.eventually("two budgets", evict(held, true), ({ outcome }) => outcome.startsWith("500"), short);
  await t.ok("going already: budgets do not count", evict(free), short);
});

trace("a pod that is not ready may go while enough others are healthy", async (t) => {
  const sick = await readyPod(t, "sick", false);
  await t.ok("budget", (cluster) => cluster.create(POD_DISRUPTION_BUDGET, budget(t, { minAvailable: 1 })), { compare: ({ spec }) => spec });
  await t.eventually("nobody is healthy", evict(sick, true), becomes("429 TooManyRequests", "needs 1 healthy pods and has 0"), short);
  const well = await readyPod(t, "well");
  await t.eventually("another is", evict(sick, true), becomes("ok"), short);
  await t.eventually("that one is needed", evict(well, true), becomes("429 TooManyRequests", "needs 1 healthy pods and has 1"), short);
});

trace("[P3] over DaemonSet pods a budget by maxUnavailable or percentage allows nothing: it cannot be counted", async (t) => {
  const template = {
    metadata: { labels: { app: "x" } },
    spec: { nodeSelector: { nowhere: "true" }, containers: [{ name: "c", image: "i" }] },
  };
  const spec = { selector: { matchLabels: { app: "x" } }, updateStrategy: { type: "OnDelete" }, template };
  const daemonSet = await t.cluster.create(DAEMON_SET, {
    metadata: { name: "ds", namespace: t.namespace },
    spec,
  } as unknown as Draft<DaemonSetObject>);
  // No node is selected, so the controller does not touch a pod of a node that does not exist.
  const owner = { apiVersion: "apps/v1", kind: "DaemonSet", name: "ds", uid: daemonSet.metadata.uid, controller: true };
  const pods = [await readyPod(t, "a", true, [owner]), await readyPod(t, "b", true, [owner])] as const;
  for (const limit of [{ maxUnavailable: 1 }, { minAvailable: "10%" }]) {
    const step = Object.entries(limit).join();
    await t.ok(step, (cluster) => cluster.create(POD_DISRUPTION_BUDGET, budget(t, limit)), {
      compare: ({ spec: { minAvailable, maxUnavailable } }) => ({ minAvailable, maxUnavailable }),
    });
    await t.eventually(`${step}: nothing`, evict(pods[0], true), becomes("429 TooManyRequests", "still being processed"), short);
    await t.ok(`${step}: away`, (cluster) => cluster.delete(POD_DISRUPTION_BUDGET, "budget", t.namespace));
    await t.eventually("free again", evict(pods[0], true), becomes("ok"));
  }
  await t.ok("an integer minAvailable counts", (cluster) => cluster.create(POD_DISRUPTION_BUDGET, budget(t, { minAvailable: 1 })), {
    compare: () => undefined,
  });
  await t.eventually("one may go", evict(pods[0], true), becomes("ok"));
  await t.ok("it goes", evict(pods[0]), short);
  await t.eventually("not the other", evict(pods[1], true), becomes("429 TooManyRequests", "needs 1"), short);
  await t.fails("both limits at once", "422 Invalid", (cluster) =>
    cluster.create(POD_DISRUPTION_BUDGET, budget(t, { minAvailable: 1, maxUnavailable: 1 }, "both")),
  );
});
