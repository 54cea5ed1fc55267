import {
  CONFIG_MAP,
  CONTROLLER_REVISION,
  DAEMON_SET,
  LEASE,
  NODE,
  SECRET,
  type ConfigMapObject,
  type ControllerRevisionObject,
  type DaemonSetObject,
  type NodeObject,
} from "../../../src/control/kinds.ts";
import type { Draft } from "../../../src/control/ports.ts";
import { trace } from "../trace.ts";

trace("a create answers the completed object, and its name is taken from then on", async (t) => {
  const draft = { metadata: { name: "one", namespace: t.namespace, labels: { a: "1" } }, data: { key: "value" } };
  await t.ok("create", (cluster) => cluster.create(CONFIG_MAP, draft));
  await t.fails("create again", "409 AlreadyExists", (cluster) => cluster.create(CONFIG_MAP, draft));
  await t.ok("get", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace));
  await t.ok("get what is not there", async (cluster) => ({ found: (await cluster.get(CONFIG_MAP, "two", t.namespace)) !== undefined }));
  await t.ok("generated name", (cluster) => cluster.create(CONFIG_MAP, { metadata: { generateName: "many-", namespace: t.namespace } }));
  await t.ok("secret", (cluster) => cluster.create(SECRET, { metadata: { name: "secret", namespace: t.namespace }, data: { a: "YQ==" } }));
});

trace("names, labels, annotations and finalizers that no server takes are a 422", async (t) => {
  const create = (metadata: object) => t.cluster.create(CONFIG_MAP, { metadata: { name: "x", namespace: t.namespace, ...metadata } });
  await t.fails("no name", "422 Invalid", () => t.cluster.create(CONFIG_MAP, { metadata: { namespace: t.namespace } }));
  await t.fails("capital letters", "422 Invalid", () => create({ name: "Berlin" }));
  await t.fails("label value of 64 characters", "422 Invalid", () => create({ labels: { a: "v".repeat(64) } }));
  await t.ok("label value of 63 characters", () => create({ name: "long", labels: { a: "v".repeat(63) } }));
  await t.fails("label value with a space", "422 Invalid", () => create({ labels: { a: "b c" } }));
  await t.fails("label key with two slashes", "422 Invalid", () => create({ labels: { "a/b/c": "d" } }));
  await t.fails("annotation key with a space", "422 Invalid", () => create({ annotations: { "a b": "c" } }));
  await t.fails("annotations of more than 256 KiB", "422 Invalid", () => create({ annotations: { a: "x".repeat(262_145) } }));
  await t.fails("finalizer without a domain", "422 Invalid", () => create({ finalizers: ["claims"] }));
});

trace("an update is a compare-and-set on resourceVersion and UID", async (t) => {
  const first = await t.ok("create", (cluster) =>
    cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace }, data: { n: "1" } }),
  );
  const second = await t.ok("update as seen", (cluster) => cluster.update(CONFIG_MAP, { ...first, data: { n: "2" } }));
  await t.fails("update as seen before", "409 Conflict", (cluster) => cluster.update(CONFIG_MAP, { ...first, data: { n: "3" } }));
  await t.ok("the same again keeps the resourceVersion", (cluster) => cluster.update(CONFIG_MAP, second));
  await t.fails("the same with an old resourceVersion", "409 Conflict", (cluster) =>
    cluster.update(CONFIG_MAP, { ...second, metadata: first.metadata }),
  );
  const { resourceVersion: _, ...unversioned } = second.metadata;
  await t.ok("without resourceVersion it overwrites", (cluster) =>
    cluster.update(CONFIG_MAP, { ...second, metadata: unversioned, data: { n: "4" } } as unknown as ConfigMapObject),
  );
  await t.fails("another UID", "409 Conflict", (cluster) =>
    cluster.update(CONFIG_MAP, {
      ...second,
      metadata: { ...unversioned, uid: "11111111-1111-4111-8111-111111111111" },
    } as unknown as ConfigMapObject),
  );
  await t.fails("what is not there", "404 NotFound", (cluster) =>
    cluster.update(CONFIG_MAP, { ...second, metadata: { ...unversioned, name: "none" } } as unknown as ConfigMapObject),
  );
  await t.fails("no status to update", "404 NotFound", (cluster) => cluster.updateStatus(CONFIG_MAP, second));
});

trace("creation time, generation and deletion marks cannot be written; empty maps and lists vanish", async (t) => {
  const first = await t.ok("create", (cluster) =>
    cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace, labels: {}, finalizers: [] }, data: {} }),
  );
  const forged = { ...first.metadata, creationTimestamp: "2020-01-01T00:00:00Z", generation: 7, labels: { a: "" } };
  await t.ok("update", (cluster) => cluster.update(CONFIG_MAP, { ...first, metadata: forged }));
});

trace("an update of a Lease needs the resourceVersion", async (t) => {
  const lease = await t.ok("create", (cluster) =>
    cluster.create(LEASE, { metadata: { name: "one", namespace: t.namespace }, spec: { holderIdentity: "a", leaseDurationSeconds: 15 } }),
  );
  const { resourceVersion: _, ...unversioned } = lease.metadata;
  await t.fails("update without it", "422 Invalid", (cluster) =>
    cluster.update(LEASE, { ...lease, metadata: unversioned } as typeof lease),
  );
  await t.ok("update with it", (cluster) => cluster.update(LEASE, { ...lease, spec: { ...lease.spec, holderIdentity: "b" } }));
});

trace("a ControllerRevision's data never changes, its annotations may", async (t) => {
  const draft = { metadata: { name: "one", namespace: t.namespace }, revision: 1, data: { version: "1.2.3", list: [] } };
  const record = await t.ok("create", (cluster) => cluster.create(CONTROLLER_REVISION, draft as Draft<ControllerRevisionObject>));
  await t.fails("other data", "422 Invalid", (cluster) => cluster.update(CONTROLLER_REVISION, { ...record, data: { version: "1.2.4" } }));
  await t.ok("a verdict in its annotations", (cluster) =>
    cluster.update(CONTROLLER_REVISION, { ...record, metadata: { ...record.metadata, annotations: { "rollward.dev/failed": "x" } } }),
  );
});

trace("an immutable ConfigMap refuses other data", async (t) => {
  const fixed = await t.ok("create", (cluster) =>
    cluster.create(CONFIG_MAP, { metadata: { name: "one", namespace: t.namespace }, immutable: true, data: { a: "1" } }),
  );
  await t.fails("other data", "422 Invalid", (cluster) => cluster.update(CONFIG_MAP, { ...fixed, data: { a: "2" } }));
});

trace("a dry run is checked like a write and stores nothing", async (t) => {
  const draft = { metadata: { name: "one", namespace: t.namespace }, data: { a: "1" } };
  await t.ok("create, dry", (cluster) => cluster.create(CONFIG_MAP, draft, { dryRun: true }), { compare: ({ data }) => data });
  await t.ok("nothing there", async (cluster) => ({ found: (await cluster.get(CONFIG_MAP, "one", t.namespace)) !== undefined }));
  const created = await t.ok("create", (cluster) => cluster.create(CONFIG_MAP, draft));
  await t.fails("create again, dry", "409 AlreadyExists", (cluster) => cluster.create(CONFIG_MAP, draft, { dryRun: true }));
  await t.ok("update, dry", (cluster) => cluster.update(CONFIG_MAP, { ...created, data: { a: "2" } }, { dryRun: true }), {
    compare: ({ data }) => data,
  });
  await t.ok("unchanged", (cluster) => cluster.get(CONFIG_MAP, "one", t.namespace));
});

const daemonSet = (namespace: string, spec: object = {}): Draft<DaemonSetObject> =>
  ({
    metadata: { name: "one", namespace },
    spec: {
      selector: { matchLabels: { app: "one" } },
      updateStrategy: { type: "OnDelete" },
      template: {
        metadata: { labels: { app: "one" } },
        spec: {
          hostNetwork: true,
          nodeSelector: { nowhere: "true" },
          containers: [
            {
              name: "main",
              image: "registry.example/data-plane:1.2.3",
              ports: [{ containerPort: 4500 }],
              readinessProbe: { httpGet: { port: 8080 } },
            },
            { name: "side", image: "registry.example/side" },
          ],
          ...spec,
        },
      },
    },
  }) as unknown as Draft<DaemonSetObject>;

// The controller writes the status meanwhile.
const withoutStatus = ({ metadata, ...rest }: DaemonSetObject): unknown => ({
  ...rest,
  metadata: { ...metadata, resourceVersion: undefined },
  status: undefined,
});

trace("a DaemonSet is completed with defaults; only a change of its spec counts as a generation", async (t) => {
  const created = await t.ok("create", (cluster) => cluster.create(DAEMON_SET, daemonSet(t.namespace)), { compare: withoutStatus });
  const patch = (...operations: { op: "add" | "replace" | "remove"; path: string; value?: unknown }[]) =>
    t.cluster.patch(DAEMON_SET, "one", t.namespace, operations as never);
  await t.ok("a label", () => patch({ op: "add", path: "/metadata/labels", value: { a: "b" } }), { compare: withoutStatus });
  await t.ok(
    "the image",
    () => patch({ op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/data-plane:1.2.4" }),
    { compare: withoutStatus },
  );
  await t.ok(
    "the strategy, not the template",
    () => patch({ op: "replace", path: "/spec/updateStrategy", value: { type: "RollingUpdate" } }),
    { compare: withoutStatus },
  );
  await t.ok(
    "a status in an update is ignored",
    async (cluster) => {
      const { status: _, ...live } = (await cluster.get(DAEMON_SET, "one", t.namespace))!;
      return cluster.patch(DAEMON_SET, "one", t.namespace, [
        { op: "add", path: "/metadata/annotations/seen", value: String(live.metadata.generation) },
        { op: "add", path: "/status/numberReady", value: 77 },
      ]);
    },
    { compare: (object) => [object.metadata.generation, object.metadata.annotations, object.status?.numberReady] },
  );
  await t.fails("another selector", "422 Invalid", () =>
    patch({ op: "replace", path: "/spec/selector", value: { matchLabels: { app: "two" } } }),
  );
  await t.ok("its own first template generation", async () => created.metadata.annotations);
});

trace("a template that cannot run is refused, a typo in it only by strict validation", async (t) => {
  const create = (spec: object, options = {}) => t.cluster.create(DAEMON_SET, daemonSet(t.namespace, spec), { dryRun: true, ...options });
  await t.fails("no image", "422 Invalid", () => create({ containers: [{ name: "main" }] }));
  await t.fails("no container", "422 Invalid", () => create({ containers: [] }));
  await t.fails("a name twice", "422 Invalid", () =>
    create({
      containers: [
        { name: "a", image: "i" },
        { name: "a", image: "i" },
      ],
    }),
  );
  await t.fails("restarts never", "422 Invalid", () => create({ restartPolicy: "Never" }));
  await t.fails("typo, strict", "400 BadRequest", () =>
    create({ containers: [{ name: "a", image: "i", comand: ["x"] }] }, { fieldValidation: "Strict" }),
  );
  await t.ok("typo, not strict", () => create({ containers: [{ name: "a", image: "i", comand: ["x"] }] }, { fieldValidation: "Ignore" }), {
    compare: ({ spec }) => spec.template.spec.containers,
  });
});

trace("a status write of a Node takes labels and annotations along, and leaves the spec alone", async (t) => {
  const name = `${t.namespace}-node`;
  const pick = (node: NodeObject) => ({
    labels: node.metadata.labels,
    unschedulable: node.spec?.unschedulable,
    addresses: node.status?.addresses,
    generation: node.metadata.generation,
  });
  const addresses = [{ type: "InternalIP", address: "127.0.0.9" }];
  await t.ok("create with a status", (cluster) => cluster.create(NODE, { metadata: { name }, status: { addresses } }), { compare: pick });
  await t.eventually(
    "status",
    async (cluster) => {
      const live = (await cluster.get(NODE, name))!;
      const next = {
        ...live,
        metadata: { ...live.metadata, labels: { a: "b" } },
        spec: { ...live.spec, unschedulable: true },
        status: { ...live.status, addresses: [] },
      };
      return cluster.updateStatus(NODE, next).catch(() => undefined); // a controller may have been faster
    },
    (node) => node !== undefined,
    { compare: (node) => pick(node!) },
  );
  await t.ok("cordon", (cluster) => cluster.patch(NODE, name, undefined, [{ op: "add", path: "/spec/unschedulable", value: true }]), {
    compare: pick,
  });
  await t.ok(
    "cordon once more",
    (cluster) => cluster.patch(NODE, name, undefined, [{ op: "add", path: "/spec/unschedulable", value: true }]),
    { compare: pick },
  );
  await t.ok(
    "uncordon leaves no field",
    (cluster) => cluster.patch(NODE, name, undefined, [{ op: "replace", path: "/spec/unschedulable", value: false }]),
    { compare: pick },
  );
});
