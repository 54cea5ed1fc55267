import { MAINTENANCE_WINDOW } from "../../../src/api/resources.ts";
import { CONFIG_MAP, NODE, POD, type ConfigMapObject, type PodObject } from "../../../src/control/kinds.ts";
import type { Draft, Kind } from "../../../src/control/ports.ts";
import { trace, type Player } from "../trace.ts";

const namesBy = (t: Player, kind: Kind, options: object) => async () =>
  (await t.cluster.list(kind, { namespace: t.namespace, ...options }))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== "kube-root-ca.crt");

trace("label selectors: equality, sets, presence and absence", async (t) => {
  const labels: Record<string, Record<string, string>> = {
    a: { pop: "fra1", tier: "1" },
    b: { pop: "fra1", tier: "2" },
    c: { pop: "tyo1" },
    d: {},
  };
  for (const [name, own] of Object.entries(labels))
    await t.cluster.create(CONFIG_MAP, { metadata: { name, namespace: t.namespace, labels: own } });
  const selectors = [
    "",
    "pop=fra1",
    "pop==fra1",
    "pop!=fra1",
    "pop=fra1,tier=2",
    "pop in (fra1,tyo1)",
    "pop in (fra1, ber1)",
    "tier notin (1)",
    "pop",
    "!pop",
    "!tier,pop",
    "pop=",
    "tier in (1,2),pop notin (tyo1)",
  ];
  for (const labelSelector of selectors) await t.ok(`list ${labelSelector}`, namesBy(t, CONFIG_MAP, { labelSelector }));
  for (const labelSelector of ["pop in fra1", "pop=(x)", "=x"])
    await t.fails(`list ${labelSelector}`, "400 BadRequest", namesBy(t, CONFIG_MAP, { labelSelector }));
});

trace("field selectors: names everywhere, and what the kind offers", async (t) => {
  for (const name of ["a", "b"]) await t.cluster.create(CONFIG_MAP, { metadata: { name, namespace: t.namespace } });
  await t.ok("by name", namesBy(t, CONFIG_MAP, { fieldSelector: "metadata.name=a" }));
  await t.ok("by another name", namesBy(t, CONFIG_MAP, { fieldSelector: "metadata.name!=a" }));
  await t.fails("by data", "400 BadRequest", namesBy(t, CONFIG_MAP, { fieldSelector: "data.key=a" }));
  const pod = (name: string, nodeName?: string) =>
    ({
      metadata: { name, namespace: t.namespace },
      spec: { schedulerName: "nobody", ...(nodeName && { nodeName }), containers: [{ name: "c", image: "i" }] },
    }) as unknown as Draft<PodObject>;
  await t.cluster.create(POD, pod("bound", "node-1"));
  await t.cluster.create(POD, pod("unbound"));
  await t.ok("pods of a node", namesBy(t, POD, { fieldSelector: "spec.nodeName=node-1" }));
  await t.ok("pods of no node", namesBy(t, POD, { fieldSelector: "spec.nodeName=" }));
  await t.ok("pods by phase", namesBy(t, POD, { fieldSelector: "status.phase=Pending,spec.nodeName!=node-1" }));
  await t.cluster.create(NODE, { metadata: { name: `${t.namespace}-up`, labels: { set: t.namespace } } });
  await t.cluster.create(NODE, {
    metadata: { name: `${t.namespace}-cordoned`, labels: { set: t.namespace } },
    spec: { unschedulable: true },
  });
  const nodes = (value: string) =>
    namesBy(t, NODE, { namespace: undefined, labelSelector: `set=${t.namespace}`, fieldSelector: `spec.unschedulable=${value}` });
  await t.ok("cordoned nodes", nodes("true"));
  await t.ok("the others", nodes("false"));
  await t.fails(
    "custom resources by what is not selectable",
    "400 BadRequest",
    namesBy(t, MAINTENANCE_WINDOW, { fieldSelector: "spec.notice=48h" }),
  );
});

trace("a list longer than a page is complete, in the order of the names", async (t) => {
  for (let n = 0; n < 520; n++) await t.cluster.create(CONFIG_MAP, { metadata: { name: `item-${n}`, namespace: t.namespace } });
  await t.ok("list", namesBy(t, CONFIG_MAP, {}));
});

trace("a cache hears each change in order, a deletion with the last known object, and nothing after stop", async (t) => {
  await t.ok("before", (cluster) =>
    cluster.create(CONFIG_MAP, { metadata: { name: "before", namespace: t.namespace, labels: { in: "1" } } }),
  );
  const cache = t.cluster.cache(CONFIG_MAP, { namespace: t.namespace, labelSelector: "in" });
  const heard: string[] = [];
  cache.onChange((object, deleted) =>
    heard.push(`${deleted ? "deleted" : "changed"} ${object.metadata.name} ${JSON.stringify(object.data ?? {})}`),
  );
  const synced = cache.whenSynced();
  await t.eventually(
    "synced",
    async () => cache.synced,
    (seen) => seen,
  );
  await synced;
  const hears = (line: string) =>
    t.eventually(
      `hears: ${line}`,
      async () => [...heard],
      (seen) => seen.at(-1) === line,
      { compare: (seen) => seen },
    );
  const patch = (path: string, value: unknown) => t.other.patch(CONFIG_MAP, "one", t.namespace, [{ op: "add", path, value }]);
  await t.ok("one", () =>
    t.other.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace, labels: { in: "1" } }, data: { n: "1" } }),
  );
  await hears('changed one {"n":"1"}');
  await t.ok("unselected", () => t.other.create(CONFIG_MAP, { metadata: { name: "other", namespace: t.namespace } }));
  await t.ok("changed", () => patch("/data/n", "2"));
  await hears('changed one {"n":"2"}');
  await t.ok("not changed", () => patch("/data/n", "2"));
  await t.ok("leaves the selection", () => patch("/metadata/labels", {}));
  await hears('deleted one {"n":"2"}');
  await t.ok("comes back", () => patch("/metadata/labels", { in: "2" }));
  await hears('changed one {"n":"2"}');
  await t.ok("delete", () => t.other.delete(CONFIG_MAP, "before", t.namespace));
  await hears("deleted before {}");
  await t.ok("kept", async () =>
    cache
      .list()
      .map(({ metadata }) => metadata.name)
      .sort(),
  );
  await t.ok("got", async () => ({ one: cache.get("one", t.namespace)?.data, other: cache.get("other", t.namespace) ?? "absent" }));
  cache.stop();
  await t.ok("after stop", () => t.other.delete(CONFIG_MAP, "one", t.namespace));
  await t.quiet();
  await t.ok("heard no more", async () => heard.length);
});

trace("two caches of one kind, one by name: each hears its own", async (t) => {
  const create = (name: string) => t.cluster.create(CONFIG_MAP, { metadata: { name, namespace: t.namespace } });
  const heard: string[] = [];
  const cache = t.cluster.cache<ConfigMapObject>(CONFIG_MAP, { namespace: t.namespace, fieldSelector: "metadata.name=mine" });
  cache.onChange((object, deleted) => heard.push(`${deleted ? "deleted" : "changed"} ${object.metadata.name}`));
  await t.eventually(
    "synced",
    async () => cache.synced,
    (seen) => seen,
  );
  for (const name of ["other", "mine"]) await t.ok(name, () => create(name));
  await t.ok("delete other", (cluster) => cluster.delete(CONFIG_MAP, "other", t.namespace));
  await t.ok("delete mine", (cluster) => cluster.delete(CONFIG_MAP, "mine", t.namespace));
  await t.eventually(
    "heard",
    async () => [...heard],
    (seen) => seen.length >= 2,
    { compare: (seen) => seen },
  );
  cache.stop();
});
