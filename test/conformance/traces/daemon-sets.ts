import {
  CONTROLLER_REVISION,
  DAEMON_SET,
  NODE,
  POD,
  type DaemonSetObject,
  type NodeObject,
  type PodObject,
} from "../../../src/control/kinds.ts";
import type { Draft, JsonPatchOperation } from "../../../src/control/ports.ts";
import { trace, type Player } from "../trace.ts";

/** A PoP of this trace's own: nodes that call themselves ready, and DaemonSets that choose them by the label `revision`. */
class Pop {
  readonly #t: Player;

  constructor(t: Player) {
    this.#t = t;
  }

  node = (name: string): string => `${this.#t.namespace}-${name}`;

  async addNode(name: string, labels: Record<string, string> = {}): Promise<void> {
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "", lastHeartbeatTime: now, lastTransitionTime: now };
    const allocatable = { cpu: "4", memory: "8Gi", pods: "110" };
    const status = { conditions: [ready], allocatable, capacity: allocatable };
    await this.#t.cluster.create(NODE, {
      metadata: { name: this.node(name), labels: { set: this.#t.namespace, ...labels } },
      status,
    } as unknown as Draft<NodeObject>);
    // The API server taints a new node until a controller has seen it ready.
    await this.#t.eventually(
      `${name} is untainted`,
      (cluster) => cluster.get(NODE, this.node(name)),
      (node) => (node?.spec?.taints ?? []).length === 0,
    );
  }

  patchNode(name: string, ...operations: JsonPatchOperation[]): Promise<unknown> {
    return this.#t.cluster.patch(NODE, this.node(name), undefined, operations);
  }

  label = (name: string, value: string): Promise<unknown> => this.patchNode(name, { op: "add", path: "/metadata/labels/revision", value });
  unlabel = (name: string): Promise<unknown> => this.patchNode(name, { op: "remove", path: "/metadata/labels/revision" });

  addDaemonSet(name: string, spec: object = {}, podSpec: object = {}): Promise<DaemonSetObject> {
    const template = {
      metadata: { labels: { app: name }, annotations: { made: "by template" } },
      spec: {
        nodeSelector: { revision: `${this.#t.namespace}-${name}` },
        containers: [{ name: "main", image: `registry.example/${name}:1` }],
        ...podSpec,
      },
    };
    const draft = {
      metadata: { name, namespace: this.#t.namespace },
      spec: { selector: { matchLabels: { app: name } }, updateStrategy: { type: "OnDelete" }, template, ...spec },
    };
    return this.#t.cluster.create(DAEMON_SET, draft as unknown as Draft<DaemonSetObject>);
  }

  value = (daemonSet: string): string => `${this.#t.namespace}-${daemonSet}`;

  pods = async (daemonSet: string): Promise<readonly PodObject[]> =>
    this.#t.cluster.list(POD, { namespace: this.#t.namespace, labelSelector: `app=${daemonSet}` });

  /** Waits until these are the DaemonSet's pods: by node, bound or waiting, staying or going. */
  async become(step: string, daemonSet: string, expected: readonly string[]): Promise<readonly PodObject[]> {
    const said = (pods: readonly PodObject[]): string[] => pods.map(says).sort();
    return this.#t.eventually(
      step,
      () => this.pods(daemonSet),
      (pods) => said(pods).join() === expected.join(),
      { compare: said },
    );
  }

  /** What the kubelet does when the containers have ended. */
  async finish(daemonSet: string): Promise<void> {
    for (const { metadata } of await this.pods(daemonSet)) {
      if (metadata.deletionTimestamp !== undefined)
        await this.#t.cluster.delete(POD, metadata.name, metadata.namespace, { gracePeriodSeconds: 0, uid: metadata.uid });
    }
  }

  async setStatus(pod: PodObject, phase: "Running" | "Failed", ready: boolean): Promise<void> {
    const live = (await this.#t.cluster.get(POD, pod.metadata.name, pod.metadata.namespace))!;
    const condition = {
      type: "Ready",
      status: ready ? "True" : "False",
      lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    } as const;
    const others = (live.status?.conditions ?? []).filter(({ type }) => type !== "Ready");
    await this.#t.cluster.updateStatus(POD, { ...live, status: { ...live.status, phase, conditions: [...others, condition] } });
  }
}

function says({ metadata, spec }: PodObject): string {
  const where = spec.nodeName?.replace(/^trace-\d+-/, "") ?? "unbound";
  return metadata.deletionTimestamp === undefined ? where : `${where} going`;
}

trace("the label decides: on → a pod is made and bound, off → it is deleted gracefully", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addNode("b");
  const daemonSet = await t.ok("DaemonSet", () => pop.addDaemonSet("one"), { compare: ({ metadata }) => metadata.generation });
  await pop.become("nobody is selected", "one", []);
  await t.ok("label on a", () => pop.label("a", pop.value("one")), { compare: () => undefined });
  const [pod] = await pop.become("a has one", "one", ["a"]);
  await t.ok("what the pod is like", async () => {
    const { metadata, spec } = pod!;
    const owner = metadata.ownerReferences?.[0] as Record<string, unknown> | undefined;
    return {
      prefix: metadata.name.slice(0, 4),
      labels: Object.keys(metadata.labels ?? {}).sort(),
      generation: metadata.labels?.["pod-template-generation"],
      annotations: metadata.annotations,
      owner: { ...owner, uid: owner?.uid === daemonSet.metadata.uid },
      affinity: spec.affinity,
      nodeSelector: Object.keys(spec.nodeSelector ?? {}),
      tolerations: spec.tolerations,
    };
  });
  await t.ok("label off a", () => pop.unlabel("a"), { compare: () => undefined });
  await pop.become("it is going", "one", ["a going"]);
  await t.ok("label on again", () => pop.label("a", pop.value("one")), { compare: () => undefined });
  await t.quiet();
  await pop.become("nothing new while it terminates", "one", ["a going"]);
  await pop.finish("one");
  await pop.become("then a new one", "one", ["a"]);
});

trace("a label that moves makes both DaemonSets act at once: the new pod is bound while the old one terminates", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addDaemonSet("old");
  await pop.addDaemonSet("new");
  await pop.label("a", pop.value("old"));
  await pop.become("old runs", "old", ["a"]);
  await t.ok("one write", () => pop.label("a", pop.value("new")), { compare: () => undefined });
  await pop.become("old is going", "old", ["a going"]);
  await pop.become("new is bound beside it", "new", ["a"]);
});

trace("with a declared host port the new pod waits, unbound, until the old one is gone", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  const podSpec = {
    hostNetwork: true,
    containers: [{ name: "main", image: "registry.example/x:1", ports: [{ containerPort: 4500, protocol: "UDP" }] }],
  };
  await pop.addDaemonSet("old", {}, podSpec);
  await pop.addDaemonSet("new", {}, podSpec);
  await pop.label("a", pop.value("old"));
  await pop.become("old runs", "old", ["a"]);
  await t.ok("one write", () => pop.label("a", pop.value("new")), { compare: () => undefined });
  const [waiting] = await pop.become("new waits", "new", ["unbound"]);
  await t.eventually(
    "and says so",
    (cluster) => cluster.get(POD, waiting!.metadata.name, t.namespace),
    (pod) => pod?.status?.conditions?.[0]?.reason === "Unschedulable",
    {
      compare: (pod) => ({
        status: pod?.status?.conditions?.[0]?.status,
        phase: pod?.status?.phase,
        ports: pod?.spec.containers[0]?.ports,
      }),
    },
  );
  await pop.become("old is going", "old", ["a going"]);
  await t.quiet();
  await pop.become("new still waits", "new", ["unbound"]);
  await pop.finish("old");
  await pop.become("now it is bound", "new", ["a"]);
});

trace("a NoSchedule taint keeps a pod out and drives none away; NoExecute drives it away; a toleration admits it", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addNode("b");
  const taint = { op: "add", path: "/spec/taints", value: [{ key: "rollward.dev/updating", value: "t1", effect: "NoSchedule" }] } as const;
  await t.ok("taint b", () => pop.patchNode("b", taint), { compare: () => undefined });
  await pop.addDaemonSet("plain");
  await pop.addDaemonSet("tolerant", {}, { tolerations: [{ key: "rollward.dev/updating", operator: "Exists", effect: "NoSchedule" }] });
  for (const name of ["a", "b"]) await pop.label(name, pop.value("plain"));
  await pop.become("only a", "plain", ["a"]);
  await t.ok("taint a too", () => pop.patchNode("a", taint), { compare: () => undefined });
  await t.quiet();
  await pop.become("a stays", "plain", ["a"]);
  await t.ok("b by the tolerant one", () => pop.label("b", pop.value("tolerant")), { compare: () => undefined });
  await pop.become("b is admitted", "tolerant", ["b"]);
  await t.ok("taint off b", () => pop.patchNode("b", { op: "remove", path: "/spec/taints/0" }), { compare: () => undefined });
  await t.ok("b back", () => pop.label("b", pop.value("plain")), { compare: () => undefined });
  await pop.become("both", "plain", ["a", "b"]);
  await t.ok(
    "NoExecute on b",
    () => pop.patchNode("b", { op: "add", path: "/spec/taints", value: [{ key: "x.example/out", effect: "NoExecute" }] }),
    { compare: () => undefined },
  );
  await pop.become("b is driven away", "plain", ["a", "b going"]);
});

trace("a cordon keeps no DaemonSet pod out", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await t.ok("cordon", () => pop.patchNode("a", { op: "add", path: "/spec/unschedulable", value: true }), { compare: () => undefined });
  await t.eventually(
    "the control plane taints it",
    (cluster) => cluster.get(NODE, pop.node("a")),
    (node) => (node?.spec?.taints ?? []).length === 1,
    {
      compare: (node) => node?.spec?.taints?.map(({ key, effect }) => [key, effect]),
    },
  );
  await pop.addDaemonSet("one");
  await pop.label("a", pop.value("one"));
  await pop.become("its pod comes", "one", ["a"]);
  await t.ok("uncordon", () => pop.patchNode("a", { op: "remove", path: "/spec/unschedulable" }), { compare: () => undefined });
  await t.eventually(
    "untainted",
    (cluster) => cluster.get(NODE, pop.node("a")),
    (node) => (node?.spec?.taints ?? []).length === 0,
  );
});

trace("[P16] nodes are chosen by nodeSelector and affinity together; an affinity that changes drives pods away", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a", { pop: t.namespace });
  await pop.addNode("b", { pop: t.namespace, revision: "new" });
  const affinity = {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "revision", operator: "DoesNotExist" }] }],
      },
    },
  };
  await pop.addDaemonSet("adopted", {}, { nodeSelector: { pop: t.namespace }, affinity });
  await pop.become("only the one without the label", "adopted", ["a"]);
  await t.ok("a gets the label", () => pop.label("a", `${t.namespace}-none`), { compare: () => undefined });
  await pop.become("it is driven away", "adopted", ["a going"]);
  await pop.finish("adopted");
  await t.ok("b loses the label", () => pop.unlabel("b"), { compare: () => undefined });
  await pop.become("b is chosen", "adopted", ["b"]);
  const all = { op: "remove", path: "/spec/template/spec/affinity" } as const;
  await t.ok("no affinity any more", (cluster) => cluster.patch(DAEMON_SET, "adopted", t.namespace, [all]), {
    compare: ({ metadata }) => metadata.generation,
  });
  await pop.become("both, and OnDelete leaves the old pod", "adopted", ["a", "b"]);
});

trace("status counts what is wanted, there, ready and of the current template; a deleted pod comes back in the current one", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addNode("b");
  await pop.addDaemonSet("one");
  for (const name of ["a", "b"]) await pop.label(name, pop.value("one"));
  const pods = await pop.become("both", "one", ["a", "b"]);
  const status = (step: string, expected: Partial<NonNullable<DaemonSetObject["status"]>>) =>
    t.eventually(
      step,
      (cluster) => cluster.get(DAEMON_SET, "one", t.namespace),
      (seen) =>
        Object.entries(expected).every(([field, value]) => (seen?.status as Record<string, unknown> | undefined)?.[field] === value),
      {
        compare: (seen) => seen?.status,
      },
    );
  await status("none is ready", {
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    numberReady: 0,
    updatedNumberScheduled: 2,
    observedGeneration: 1,
  });
  const onA = pods.find(({ spec }) => spec.nodeName === pop.node("a"))!;
  await pop.setStatus(onA, "Running", true);
  await status("one is", { numberReady: 1, numberAvailable: 1 });
  const image = { op: "replace", path: "/spec/template/spec/containers/0/image", value: "registry.example/one:2" } as const;
  await t.ok("another image", (cluster) => cluster.patch(DAEMON_SET, "one", t.namespace, [image]), {
    compare: ({ metadata }) => metadata.generation,
  });
  await status("no pod is of the current template", { observedGeneration: 2, desiredNumberScheduled: 2, numberReady: 1 });
  await t.ok("delete the pod on a", (cluster) => cluster.delete(POD, onA.metadata.name, t.namespace, { gracePeriodSeconds: 0 }));
  const images = async () => (await pop.pods("one")).map(({ spec }) => spec.containers[0]!.image).sort();
  await t.eventually("it is back, new", images, (seen) => seen.join() === "registry.example/one:1,registry.example/one:2", {
    compare: (seen) => seen,
  });
  await status("one is of the current template", { updatedNumberScheduled: 1, numberReady: 0 });
  await t.eventually(
    "its records bear the template's labels",
    async (cluster) => {
      const records = await cluster.list(CONTROLLER_REVISION, { namespace: t.namespace, labelSelector: "app=one" });
      return records
        .map(({ revision, metadata }) => [revision, metadata.ownerReferences?.[0]?.kind, Object.keys(metadata.labels ?? {}).sort()])
        .sort((a, b) => Number(a[0]) - Number(b[0]));
    },
    (seen) => seen.length === 2,
    { compare: (seen) => seen },
  );
});

trace("a failed pod is replaced, and a pod too many goes", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addDaemonSet("one");
  await pop.label("a", pop.value("one"));
  const [first] = await pop.become("a", "one", ["a"]);
  await pop.setStatus(first!, "Failed", false);
  await t.eventually(
    "another pod",
    () => pop.pods("one"),
    (pods) => pods.length === 1 && pods[0]!.metadata.uid !== first!.metadata.uid && pods[0]!.spec.nodeName !== undefined,
  );
});

trace("with its DaemonSet go its pods and its records", async (t) => {
  const pop = new Pop(t);
  await pop.addNode("a");
  await pop.addDaemonSet("one");
  await pop.label("a", pop.value("one"));
  await pop.become("a", "one", ["a"]);
  await t.ok("delete", (cluster) => cluster.delete(DAEMON_SET, "one", t.namespace));
  await pop.become("going", "one", ["a going"]);
  await pop.finish("one");
  await pop.become("gone", "one", []);
  await t.eventually(
    "no record",
    (cluster) => cluster.list(CONTROLLER_REVISION, { namespace: t.namespace, labelSelector: "app=one" }),
    (seen) => seen.length === 0,
  );
});
