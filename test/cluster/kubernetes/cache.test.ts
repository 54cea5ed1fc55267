import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { ApiError, type Cache } from "../../../src/control/ports.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { clusterOf, CONFIG_MAP, type ConfigMap, NAMESPACE } from "./bench.ts";

/** Dead after 3 s of silence instead of 150 s. */
const IMPATIENT = { idleMilliseconds: 3_000, backoffMinimumMilliseconds: 50, backoffMaximumMilliseconds: 500 };

/** A watch tells at once; a machine that is busy, seconds later. */
const SOON = { timeout: 20_000 };

describeWithControlPlane("[T3] caches on a real API server", () => {
  let plane: ControlPlane;
  let writer: KubernetesCluster;
  const open: KubernetesCluster[] = [];
  beforeAll(async () => {
    plane = await startControlPlane();
    writer = clusterOf(plane);
    await writer.create(NAMESPACE, { metadata: { name: "watched" } });
  });
  afterEach(async () => {
    for (const cluster of open.splice(0)) await cluster.close();
  });
  afterAll(async () => {
    await writer?.close();
    await plane?.stop();
  });

  const create = (name: string, labels: Record<string, string> = {}) =>
    writer.create(CONFIG_MAP, { metadata: { name, namespace: "watched", labels }, data: {} });
  function reader(timings = {}): KubernetesCluster {
    const cluster = clusterOf(plane, { deadlineMilliseconds: 2_000 }, timings);
    open.push(cluster);
    return cluster;
  }
  function listen(cache: Cache<ConfigMap>): string[] {
    const heard: string[] = [];
    cache.onChange(
      (object, deleted) =>
        void (object.metadata.name === "kube-root-ca.crt" || heard.push(`${deleted ? "-" : "+"}${object.metadata.name}`)),
    );
    return heard;
  }

  test("the first view comes by a streaming list, without a list call; changes and deletions follow", async () => {
    await create("before");
    const calls: string[] = [];
    const cluster = clusterOf(plane, { observe: ({ verb, kind, code }) => void calls.push(`${verb} ${kind} ${code}`) });
    open.push(cluster);
    const cache = cluster.cache(CONFIG_MAP, { namespace: "watched" });
    const heard = listen(cache);
    await cache.whenSynced();
    expect(cache.get("before", "watched")?.metadata).not.toHaveProperty("managedFields");
    const after = await create("after");
    await expect.poll(() => heard, SOON).toEqual(["+before", "+after"]);
    await writer.update(CONFIG_MAP, { ...after, data: { k: "v" } });
    await writer.delete(CONFIG_MAP, "before", "watched");
    await expect.poll(() => heard, SOON).toEqual(["+before", "+after", "+after", "-before"]);
    expect(cache.get("after", "watched")?.data).toEqual({ k: "v" });
    expect(calls, "one streaming list that went on as the watch, and no paged list").toEqual(["watch ConfigMap 200"]);
  });

  test("an object that leaves the label selector is told as deleted, one that enters as new", async () => {
    const cache = reader().cache(CONFIG_MAP, { namespace: "watched", labelSelector: "pop=fra1" });
    const heard = listen(cache);
    await cache.whenSynced();
    const moved = await create("moved", { pop: "fra1" });
    const left = await writer.update(CONFIG_MAP, { ...moved, metadata: { ...moved.metadata, labels: {} } });
    await writer.update(CONFIG_MAP, { ...left, metadata: { ...left.metadata, labels: { pop: "fra1" } } });
    await expect.poll(() => heard, SOON).toEqual(["+moved", "-moved", "+moved"]);
  });

  test("a write is in the writer's own cache when it returns", async () => {
    const cluster = reader();
    const cache = cluster.cache(CONFIG_MAP, { namespace: "watched" });
    await cache.whenSynced();
    for (let index = 0; index < 20; index++) {
      const created = await cluster.create(CONFIG_MAP, { metadata: { name: `own${index}`, namespace: "watched" } });
      expect(cache.get(`own${index}`, "watched")?.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
      const patched = await cluster.patch(CONFIG_MAP, `own${index}`, "watched", [{ op: "add", path: "/data", value: { n: "1" } }]);
      expect(cache.get(`own${index}`, "watched")?.metadata.resourceVersion).toBe(patched.metadata.resourceVersion);
    }
  });

  test("an API server that is killed and started again: the view catches up with what happened, and nothing is told twice", async () => {
    const cache = reader(IMPATIENT).cache(CONFIG_MAP, { namespace: "watched" });
    const heard = listen(cache);
    await cache.whenSynced();
    heard.length = 0;
    await plane.restartApiServer("SIGKILL");
    await create("after-restart");
    await expect.poll(() => heard, { timeout: 20_000 }).toEqual(["+after-restart"]);
    expect(cache.synced).toBe(true);
  });

  test("a frozen API server: calls end at their deadline, the watch is taken for dead, and both recover", async () => {
    const cluster = reader(IMPATIENT);
    const cache = cluster.cache(CONFIG_MAP, { namespace: "watched" });
    const heard = listen(cache);
    await cache.whenSynced();
    heard.length = 0;
    plane.signal("kube-apiserver", "SIGSTOP");
    try {
      // The signal takes a moment; a call that still got through proves nothing.
      let error: unknown;
      for (let time = 0; !error && time < 20; time++)
        error = await cluster.get(CONFIG_MAP, "any", "watched").catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ApiError);
      expect(error).toMatchObject({
        code: 0,
        reason: "Timeout",
        message: "get ConfigMap watched/any at the hub: no answer within 2000 ms",
      });
      await expect.poll(() => cache.age, { timeout: 10_000 }).toBeGreaterThan(4_000);
    } finally {
      plane.signal("kube-apiserver", "SIGCONT");
    }
    await expect.poll(async () => create("after-frost").catch(() => undefined), { timeout: 20_000 }).toBeDefined();
    await expect.poll(() => heard, { timeout: 20_000 }).toContain("+after-frost");
  });
});
