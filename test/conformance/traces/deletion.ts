import { CONFIG_MAP, POD, type ConfigMapObject, type PodObject } from "../../../src/control/kinds.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { trace } from "../trace.ts";

trace("a finalizer keeps a deleted object until it is taken off", async (t) => {
  const metadata = { name: "one", namespace: t.namespace, finalizers: ["rollward.dev/claims"] };
  await t.ok("create", (cluster) => cluster.create(CONFIG_MAP, { metadata }));
  await t.ok("delete", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace));
  await t.ok("still there, marked", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace));
  await t.ok("delete again changes nothing", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace));
  await t.ok("the same", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace));
  await t.ok("it can still be written", (cluster) =>
    cluster.patch(CONFIG_MAP, "one", t.namespace, [{ op: "add", path: "/data", value: { a: "b" } }]),
  );
  await t.fails("no further finalizer", "422 Invalid", (cluster) =>
    cluster.patch(CONFIG_MAP, "one", t.namespace, [{ op: "add", path: "/metadata/finalizers/-", value: "x.example/y" }]),
  );
  const off = [
    { op: "test", path: "/metadata/finalizers/0", value: "rollward.dev/claims" },
    { op: "remove", path: "/metadata/finalizers/0" },
  ] as const;
  await t.ok("taken off", (cluster) => cluster.patch(CONFIG_MAP, "one", t.namespace, off), {
    compare: (object) => object.metadata.finalizers,
  });
  await t.ok("gone", async (cluster) => ({ found: (await cluster.get(CONFIG_MAP, "one", t.namespace)) !== undefined }));
});

trace("the last finalizer may also go by an update", async (t) => {
  await t.ok("create", (cluster) =>
    cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace, finalizers: ["rollward.dev/claims"] } }),
  );
  await t.ok("delete", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace));
  const live = (await t.ok("get", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace)))!;
  await t.ok("update", (cluster) => cluster.update(CONFIG_MAP, { ...live, metadata: { ...live.metadata, finalizers: [] } }), {
    compare: (object) => object.metadata.name,
  });
  await t.ok("gone", async (cluster) => ({ found: (await cluster.get(CONFIG_MAP, "one", t.namespace)) !== undefined }));
});

trace("[G6] a delete with another UID deletes nothing; what is gone is no error", async (t) => {
  const first = await t.ok("create", (cluster) => cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace } }));
  await t.ok("delete by UID", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace, { uid: first.metadata.uid }));
  await t.ok("delete what is gone", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace, { uid: first.metadata.uid }));
  await t.ok("same name, new UID", (cluster) => cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace } }));
  await t.fails("delete by the old UID", "409 Conflict", (cluster) =>
    cluster.delete(CONFIG_MAP, "one", t.namespace, { uid: first.metadata.uid }),
  );
});

trace("dependents go with their last owner, and with an owner of the same name but another UID", async (t) => {
  const create = (name: string, owners: readonly ConfigMapObject[] = []) => {
    const ownerReferences = owners.map(({ metadata }) => ({ apiVersion: "v1", kind: "ConfigMap", name: metadata.name, uid: metadata.uid }));
    return t.cluster.create(CONFIG_MAP, {
      metadata: { name, namespace: t.namespace, ...(owners.length > 0 && { ownerReferences }) },
    });
  };
  const [one, two] = [await t.ok("owner one", () => create("one")), await t.ok("owner two", () => create("two"))];
  await t.ok("of one", () => create("of-one", [one]));
  await t.ok("of both", () => create("of-both", [one, two]), { compare: ({ metadata }) => metadata.name });
  await t.ok("delete one", (cluster) => cluster.delete(CONFIG_MAP, "one", t.namespace));
  const names = async () =>
    (await t.cluster.list(CONFIG_MAP, { namespace: t.namespace }))
      .map(({ metadata }) => metadata.name)
      .filter((name) => name !== "kube-root-ca.crt");
  await t.eventually("of-one has gone", names, (seen) => !seen.includes("of-one") && seen.includes("of-both"), { compare: (seen) => seen });
  await t.ok("delete two", (cluster) => cluster.delete(CONFIG_MAP, "two", t.namespace));
  await t.eventually("of-both has gone", names, (seen) => seen.length === 0);
  await t.ok("one, anew", () => create("one"));
  await t.ok("of the old one", () => create("of-old", [one]), { compare: ({ metadata }) => metadata.name });
  await t.eventually("of-old has gone", names, (seen) => !seen.includes("of-old") && seen.includes("one"), { compare: (seen) => seen });
});

const pod = (namespace: string, name: string, spec: object = {}): Draft<PodObject> => ({
  metadata: { name, namespace, labels: { app: name } },
  spec: { schedulerName: "nobody", containers: [{ name: "main", image: "registry.example/x:1" }], ...spec },
});
const marks = (object: PodObject | undefined) => {
  const { deletionTimestamp, deletionGracePeriodSeconds } = (object?.metadata ?? {}) as {
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
  };
  return { found: object !== undefined, deletionTimestamp, deletionGracePeriodSeconds };
};

trace("a bound pod is deleted gracefully: the time can only be shortened, 0 ends it", async (t) => {
  await t.ok(
    "create, bound",
    (cluster) => cluster.create(POD, pod(t.namespace, "bound", { nodeName: "somewhere", terminationGracePeriodSeconds: 60 })),
    { compare: marks },
  );
  const look = (seconds: number | undefined) =>
    t.eventually(
      `${seconds ?? "no"} s to go`,
      async (cluster) => marks(await cluster.get(POD, "bound", t.namespace)),
      ({ deletionGracePeriodSeconds }) => deletionGracePeriodSeconds === seconds,
      { compare: (seen) => seen },
    );
  const remove = (gracePeriodSeconds?: number) =>
    t.cluster.delete(POD, "bound", t.namespace, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
  await t.ok("delete", () => remove());
  await look(60);
  await t.ok("delete with 90 s", () => remove(90));
  await look(60);
  await t.ok("delete with 20 s", () => remove(20));
  await look(20);
  await t.ok("delete with 0", () => remove(0));
  await look(undefined);
});

trace("an unbound pod, and one that has ended, goes at once", async (t) => {
  await t.ok("create, unbound", (cluster) => cluster.create(POD, pod(t.namespace, "unbound")), {
    compare: (object) => object.status?.phase,
  });
  await t.ok("delete", (cluster) => cluster.delete(POD, "unbound", t.namespace));
  await t.ok("gone", (cluster) => cluster.get(POD, "unbound", t.namespace), { compare: marks });
  const ended = await t.ok("create, bound", (cluster) => cluster.create(POD, pod(t.namespace, "ended", { nodeName: "somewhere" })), {
    compare: marks,
  });
  await t.ok("it fails", (cluster) => cluster.updateStatus(POD, { ...ended, status: { ...ended.status, phase: "Failed" } }), {
    compare: ({ status }) => status?.phase,
  });
  await t.ok("delete", (cluster) => cluster.delete(POD, "ended", t.namespace));
  await t.ok("gone", (cluster) => cluster.get(POD, "ended", t.namespace), { compare: marks });
});

trace("a pod with a finalizer outlives the end of its grace period", async (t) => {
  const draft = pod(t.namespace, "held", { nodeName: "somewhere" });
  await t.ok("create", (cluster) => cluster.create(POD, { ...draft, metadata: { ...draft.metadata, finalizers: ["x.example/y"] } }), {
    compare: marks,
  });
  await t.ok("delete with 5 s", (cluster) => cluster.delete(POD, "held", t.namespace, { gracePeriodSeconds: 5 }));
  await t.ok("delete with 0", (cluster) => cluster.delete(POD, "held", t.namespace, { gracePeriodSeconds: 0 }));
  await t.ok("still there", (cluster) => cluster.get(POD, "held", t.namespace), { compare: marks });
  await t.ok("finalizer off", (cluster) => cluster.patch(POD, "held", t.namespace, [{ op: "remove", path: "/metadata/finalizers" }]), {
    compare: ({ metadata }) => metadata.finalizers,
  });
  await t.ok("gone", (cluster) => cluster.get(POD, "held", t.namespace), { compare: marks });
});
