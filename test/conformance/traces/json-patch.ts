import { CONFIG_MAP, NODE, type NodeObject } from "../../../src/control/kinds.ts";
import type { JsonPatchOperation } from "../../../src/control/ports.ts";
import { trace, type Player } from "../trace.ts";

async function patched(t: Player): Promise<(...operations: JsonPatchOperation[]) => Promise<unknown>> {
  const metadata = {
    name: "one",
    namespace: t.namespace,
    annotations: { "rollward.dev/claim": "t1", plain: "x" },
    finalizers: ["a.example/a", "b.example/b"],
  };
  await t.ok("create", (cluster) => cluster.create(CONFIG_MAP, { metadata, data: { key: "value" } }));
  return (...operations) => t.cluster.patch(CONFIG_MAP, "one", t.namespace, operations);
}

const claim = "/metadata/annotations/rollward.dev~1claim";

trace("[G5a] a test of the claim's value fences a patch; it is applied whole or not at all", async (t) => {
  const patch = await patched(t);
  await t.ok("as seen", () => patch({ op: "test", path: claim, value: "t1" }, { op: "replace", path: claim, value: "released:t1" }));
  await t.fails("late", "422 Invalid", () => patch({ op: "test", path: claim, value: "t1" }, { op: "replace", path: claim, value: "t2" }));
  await t.fails("half of it", "422 Invalid", () =>
    patch({ op: "add", path: "/data/half", value: "x" }, { op: "test", path: claim, value: "t1" }),
  );
  await t.ok("unchanged since", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace));
  await t.fails("another UID", "422 Invalid", () =>
    patch({ op: "test", path: "/metadata/uid", value: "11111111-1111-4111-8111-111111111111" }),
  );
  await t.fails("what is not there", "404 NotFound", (cluster) =>
    cluster.patch(CONFIG_MAP, "none", t.namespace, [{ op: "add", path: "/data", value: {} }]),
  );
});

trace("[G5a] a test for null passes where the member is absent, and fails where its parent is", async (t) => {
  const patch = await patched(t);
  await t.ok("absent annotation", () => patch({ op: "test", path: "/metadata/annotations/absent", value: null }));
  await t.fails("present annotation", "422 Invalid", () => patch({ op: "test", path: claim, value: null }));
  await t.ok("no labels at all", () => patch({ op: "test", path: "/metadata/labels", value: null }));
  await t.fails("a label of none", "422 Invalid", () => patch({ op: "test", path: "/metadata/labels/absent", value: null }));
  await t.fails("absent is not the empty string", "422 Invalid", () =>
    patch({ op: "test", path: "/metadata/annotations/absent", value: "" }),
  );
  await t.fails("two levels of nothing", "422 Invalid", () => patch({ op: "test", path: "/metadata/nothing/at/all", value: null }));
});

trace("[G5a] on a Node without taints and annotations: what absence looks like to a test", async (t) => {
  const name = `${t.namespace}-node`;
  await t.ok("create", (cluster) => cluster.create(NODE, { metadata: { name, labels: { a: "b" } } }), {
    compare: ({ metadata }) => metadata.labels,
  });
  const test = (path: string, value: unknown) => t.cluster.patch(NODE, name, undefined, [{ op: "test", path, value }]);
  const pick = { compare: (node: NodeObject) => node.metadata.labels };
  await t.ok("label absent", () => test("/metadata/labels/absent", null), pick);
  await t.ok("cordon absent", () => test("/spec/unschedulable", null), pick);
  await t.fails("cordon is not false", "422 Invalid", () => test("/spec/unschedulable", false));
  await t.ok(
    "label with a slash",
    (cluster) => cluster.patch(NODE, name, undefined, [{ op: "add", path: "/metadata/labels/x.example~1revision", value: "berlin-1" }]),
    pick,
  );
  await t.ok(
    "label with a slash, test and remove",
    (cluster) =>
      cluster.patch(NODE, name, undefined, [
        { op: "test", path: "/metadata/labels/x.example~1revision", value: "berlin-1" },
        { op: "remove", path: "/metadata/labels/x.example~1revision" },
      ]),
    pick,
  );
});

trace("~1 is a slash in a path, and an unescaped slash is a step down", async (t) => {
  const patch = await patched(t);
  await t.ok("slash", () => patch({ op: "test", path: claim, value: "t1" }));
  await t.ok("an absent tilde", () => patch({ op: "test", path: "/metadata/annotations/pla~01in", value: null }));
  await t.fails("unescaped", "422 Invalid", () => patch({ op: "test", path: "/metadata/annotations/rollward.dev/claim", value: "t1" }));
});

trace("add, replace and remove on members that are not there", async (t) => {
  const patch = await patched(t);
  await t.ok("replace an absent member adds it", () => patch({ op: "replace", path: "/data/new", value: "1" }));
  await t.fails("remove an absent member", "422 Invalid", () => patch({ op: "remove", path: "/data/none" }));
  await t.fails("add below nothing", "422 Invalid", () => patch({ op: "add", path: "/metadata/labels/a", value: "b" }));
  await t.ok("add the map first", () =>
    patch({ op: "add", path: "/metadata/labels", value: {} }, { op: "add", path: "/metadata/labels/a", value: "b" }),
  );
  await t.ok("the last member takes its map along", () => patch({ op: "remove", path: "/metadata/labels/a" }));
  await t.fails("so it is gone", "422 Invalid", () => patch({ op: "add", path: "/metadata/labels/a", value: "b" }));
  await t.ok("null in a map of strings is the empty string", () => patch({ op: "add", path: "/data/empty", value: null }));
});

trace("lists: indexes, the end, negative ones and what is out of range", async (t) => {
  const patch = await patched(t);
  const list = "/metadata/finalizers";
  await t.ok("append", () => patch({ op: "add", path: `${list}/-`, value: "c.example/c" }));
  await t.ok("insert", () => patch({ op: "add", path: `${list}/0`, value: "z.example/z" }));
  await t.ok("test by index", () => patch({ op: "test", path: `${list}/3`, value: "c.example/c" }));
  await t.fails("test out of range", "422 Invalid", () => patch({ op: "test", path: `${list}/9`, value: null }));
  await t.ok("remove by index", () => patch({ op: "remove", path: `${list}/0` }));
  await t.ok("negative index", () => patch({ op: "test", path: `${list}/-1`, value: "c.example/c" }));
  await t.ok("replace by index", () => patch({ op: "replace", path: `${list}/2`, value: "d.example/d" }));
  await t.fails("replace out of range", "422 Invalid", () => patch({ op: "replace", path: `${list}/3`, value: "x.example/x" }));
  await t.fails("no index", "422 Invalid", () => patch({ op: "test", path: `${list}/x`, value: "d.example/d" }));
  await t.ok("whole list, order counts", () => patch({ op: "test", path: list, value: ["a.example/a", "b.example/b", "d.example/d"] }));
  await t.fails("whole list in another order", "422 Invalid", () =>
    patch({ op: "test", path: list, value: ["b.example/b", "a.example/a", "d.example/d"] }),
  );
});

trace("a patch that changes nothing leaves the resourceVersion; identity and version cannot be patched", async (t) => {
  const patch = await patched(t);
  await t.ok("the same value", () => patch({ op: "replace", path: claim, value: "t1" }));
  await t.ok("only tests", () => patch({ op: "test", path: claim, value: "t1" }));
  await t.ok("no operation", () => patch());
  await t.ok("there and back", () => patch({ op: "add", path: "/data/x", value: "1" }, { op: "remove", path: "/data/x" }));
  await t.fails("UID", "422 Invalid", () => patch({ op: "replace", path: "/metadata/uid", value: "11111111-1111-4111-8111-111111111111" }));
  await t.fails("resourceVersion", "409 Conflict", () => patch({ op: "replace", path: "/metadata/resourceVersion", value: "1" }));
  await t.fails("a label that is none", "422 Invalid", () => patch({ op: "add", path: "/metadata/labels", value: { a: "b c" } }));
});
