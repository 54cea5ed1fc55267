import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiError, type Draft, isConflict, isNotFound, type Kind, type KubernetesObject } from "../../../src/control/ports.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { clusterOf, CONFIG_MAP, type ConfigMap, NAMESPACE, NODE, POD, type Pod } from "./bench.ts";

interface Budget extends KubernetesObject {
  readonly spec: { readonly minAvailable: number; readonly selector: unknown };
  readonly status?: { readonly currentHealthy?: number };
}

const draft = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): Draft<ConfigMap> => ({
  metadata: { name, namespace: "default", labels },
  data,
});

const failureOf = async (call: Promise<unknown>): Promise<ApiError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

describeWithControlPlane("[T3] the Cluster port on a real API server", () => {
  let plane: ControlPlane;
  let hub: KubernetesCluster;
  beforeAll(async () => {
    plane = await startControlPlane();
    hub = clusterOf(plane);
  });
  afterAll(async () => {
    await hub?.close();
    await plane?.stop();
  });

  test("create, get, update and delete; what is not there is undefined, and deleting it is success", async () => {
    const created = await hub.create(CONFIG_MAP, draft("a", { k: "1" }));
    const updated = await hub.update(CONFIG_MAP, { ...created, data: { k: "2" } });
    expect((await hub.get(CONFIG_MAP, "a", "default"))?.data).toEqual({ k: "2" });
    expect(isConflict(await failureOf(hub.update(CONFIG_MAP, { ...created, data: { k: "3" } })))).toBe(true);
    expect((await failureOf(hub.delete(CONFIG_MAP, "a", "default", { uid: "another" }))).code).toBe(409);
    await hub.delete(CONFIG_MAP, "a", "default", { uid: updated.metadata.uid });
    await hub.delete(CONFIG_MAP, "a", "default");
    expect(await hub.get(CONFIG_MAP, "a", "default")).toBeUndefined();
  });

  test("[G5a] a JSON patch whose test fails is a 422 that counts as a conflict, and nothing of it is applied", async () => {
    const node = await hub.create(NODE, { metadata: { name: "fenced", annotations: { "x.dev/claim": "token-1" } } });
    const uidIs = (uid: string) => ({ op: "test", path: "/metadata/uid", value: uid }) as const;
    const claimIs = (value: string) => ({ op: "test", path: "/metadata/annotations/x.dev~1claim", value }) as const;
    const label = { op: "add", path: "/metadata/labels/x.dev~1revision", value: "r2" } as const;
    const patched = await hub.patch(NODE, "fenced", undefined, [
      uidIs(node.metadata.uid),
      claimIs("token-1"),
      { op: "add", path: "/metadata/labels", value: {} },
      label,
    ]);
    expect(patched.metadata.labels).toEqual({ "x.dev/revision": "r2" });
    for (const fence of [uidIs("another"), claimIs("token-2")]) {
      const error = await failureOf(hub.patch(NODE, "fenced", undefined, [fence, { ...label, value: "r3" }]));
      expect([error.code, error.reason, isConflict(error)]).toEqual([422, "Invalid", true]);
    }
    expect((await hub.get(NODE, "fenced"))?.metadata.labels).toEqual({ "x.dev/revision": "r2" });
    expect((await failureOf(hub.patch(NODE, "nobody", undefined, [label]))).code).toBe(404);
  });

  test("a status write on an old version is a 409, and leaves spec alone", async () => {
    // Nobody else writes a pod that no scheduler looks at.
    const spec = { schedulerName: "nobody", containers: [{ name: "c", image: "nothing" }] };
    const pod = await hub.create(POD, { metadata: { name: "status", namespace: "default" }, spec });
    const other = {
      ...pod,
      spec: { ...pod.spec, containers: [{ name: "c", image: "another" }] },
      status: { phase: "Running", message: "m" },
    };
    const written = await hub.updateStatus(POD, other);
    expect(written.status).toMatchObject({ phase: "Running", message: "m" });
    expect(written.spec.containers[0]?.image).toBe("nothing");
    const error = await failureOf(hub.updateStatus(POD, { ...pod, status: { phase: "Failed" } }));
    expect([error.code, error.reason]).toEqual([409, "Conflict"]);
    expect(error.message).toMatch(/^update status Pod default\/status at the hub: the server answered 409 Conflict: /);
  });

  test("[P3] a strict dry run refuses an unknown field by name, and creates nothing either way", async () => {
    const unknown = { ...draft("dry"), dota: {} } as unknown as Draft<ConfigMap>;
    const error = await failureOf(hub.create(CONFIG_MAP, unknown, { dryRun: true, fieldValidation: "Strict" }));
    expect([error.code, error.message.includes('unknown field "dota"')]).toEqual([400, true]);
    await hub.create(CONFIG_MAP, draft("dry"), { dryRun: true, fieldValidation: "Strict" });
    expect(await hub.get(CONFIG_MAP, "dry", "default")).toBeUndefined();
  });

  test("an invalid object is a 422 with its causes; an unknown kind is a 404", async () => {
    const error = await failureOf(hub.create(CONFIG_MAP, draft("Not-A-Name")));
    expect([error.code, error.causes[0]?.field]).toEqual([422, "metadata.name"]);
    const unknown: Kind = { apiVersion: "nobody.dev/v1", kind: "Ghost", plural: "ghosts", namespaced: false };
    expect(isNotFound(await failureOf(hub.list(unknown)))).toBe(true);
  });

  test("1,201 objects are listed in pages of 500, each with its kind; a selector selects", async () => {
    await hub.create(NAMESPACE, { metadata: { name: "many" } });
    const create = (index: number) =>
      hub.create(CONFIG_MAP, { metadata: { name: `m${index}`, namespace: "many", labels: { third: String(index % 3) } } });
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => create(index)));
    // The controller manager adds the root certificate of the namespace.
    await expect.poll(async () => (await hub.list(CONFIG_MAP, { namespace: "many" })).length, { timeout: 10_000 }).toBe(1_201);
    const all = await hub.list(CONFIG_MAP, { namespace: "many" });
    expect(all.every((object) => object.kind === "ConfigMap" && object.apiVersion === "v1")).toBe(true);
    expect(await hub.list(CONFIG_MAP, { namespace: "many", labelSelector: "third=1" })).toHaveLength(400);
    const lists = plane.auditEntries().filter((entry) => entry.verb === "list" && entry.requestURI.includes("/many/configmaps?limit=500"));
    expect(lists.some((entry) => entry.requestURI.includes("continue="))).toBe(true);
  });

  test("an eviction that a disruption budget forbids is a 429 with its message, at once and only once; another uid is a 409", async () => {
    const pod = await runningPod(hub, "guarded");
    const budget: Kind<Budget> = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", plural: "poddisruptionbudgets", namespaced: true };
    const spec = { minAvailable: 1, selector: { matchLabels: { app: "guarded" } } };
    await hub.create(budget, { metadata: { name: "guard", namespace: "default" }, spec });
    const counted = async () => (await hub.get(budget, "guard", "default"))?.status?.currentHealthy;
    await expect.poll(counted, { timeout: 20_000 }).toBe(1);
    const target = { name: "guarded", namespace: "default", uid: pod.metadata.uid };
    const started = performance.now();
    const error = await failureOf(hub.evict(target, { dryRun: true }));
    expect([error.code, error.reason]).toEqual([429, "TooManyRequests"]);
    expect(error.causes.map((cause) => cause.message).join()).toContain("guard");
    expect(performance.now() - started).toBeLessThan(2_000);
    const evictions = plane.auditEntries().filter((entry) => entry.requestURI.endsWith("/guarded/eviction"));
    expect(evictions).toHaveLength(1);
    await hub.delete(budget, "guard", "default");
    expect((await failureOf(hub.evict({ ...target, uid: "another" }))).code).toBe(409);
    await hub.evict(target, { dryRun: true });
    expect(await hub.get(POD, "guarded", "default")).toBeDefined();
    await hub.evict(target);
    await hub.delete(POD, "guarded", "default", { gracePeriodSeconds: 0 });
    expect(await hub.get(POD, "guarded", "default")).toBeUndefined();
  });

  test("our writes bear our user agent in the audit log, and our name as field manager", async () => {
    const created = await hub.create(CONFIG_MAP, draft("ours", { k: "1" }));
    const managers = (created.metadata as unknown as { managedFields: { manager: string }[] }).managedFields;
    expect(managers.map((entry) => entry.manager)).toEqual(["rollward"]);
    expect(plane.auditEntries().some((entry) => entry.userAgent === "rollward/0.0.0-test" && entry.verb === "create")).toBe(true);
  });
});

/** A pod that the API believes to run and be ready; no kubelet is needed for a budget to count it. */
async function runningPod(hub: KubernetesCluster, name: string): Promise<Pod> {
  await hub.create(NODE, { metadata: { name: `node-of-${name}` } });
  const metadata = { name, namespace: "default", labels: { app: name } };
  const spec = { nodeName: `node-of-${name}`, containers: [{ name: "c", image: "nothing" }], tolerations: [{ operator: "Exists" }] };
  const created = await hub.create(POD, { metadata, spec });
  const conditions = [{ type: "Ready", status: "True" }];
  return hub.updateStatus(POD, { ...created, status: { phase: "Running", conditions } });
}
