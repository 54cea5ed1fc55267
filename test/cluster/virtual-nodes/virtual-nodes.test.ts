import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { REVISION_LABEL, revisionLabelValue } from "../../../src/api/names.ts";
import { AcceleratedClock } from "../../../src/control/clock/accelerated-clock.ts";
import { RealClock } from "../../../src/control/clock/real-clock.ts";
import { DAEMON_SET, NAMESPACE, NODE, POD, type PodObject } from "../../../src/control/kinds.ts";
import { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { Transport } from "../../../src/kubernetes/transport.ts";
import type { NodeAddress } from "../../../src/simulation/nodes/node-fleet.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { LineProcess } from "./child-process.ts";

const DATA_PLANE = "data-plane";
const SOON = { timeout: 30_000, interval: 100 };

describeWithControlPlane("[T3] virtual nodes on a real control plane", () => {
  let controlPlane: ControlPlane;
  let cluster: KubernetesCluster;
  let nodes: LineProcess;
  let folder: string;
  let directory: string;
  let calendar: AcceleratedClock;
  let addresses: readonly NodeAddress[];

  beforeAll(async () => {
    controlPlane = await startControlPlane({ nodeMonitorGraceSeconds: 4 });
    folder = mkdtempSync(join(tmpdir(), "rollward-virtual-nodes-"));
    directory = join(folder, "nodes.json");
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromFile(controlPlane.kubeconfig("admin"));
    const clock = new RealClock();
    cluster = new KubernetesCluster({
      clock,
      log: () => {},
      transport: new Transport({ kubeconfig, clock, name: "the test cluster", userAgent: "test/1" }),
    });
    calendar = AcceleratedClock.create(join(folder, "clock.json"), { start: Date.parse("2026-11-22T01:00:00Z"), rate: 1 });
    const kubelet = controlPlane.kubeconfig("virtual-nodes");
    nodes = new LineProcess("src/simulation/nodes/main.ts", [
      "--kubeconfig",
      kubelet,
      "--pop",
      "tyo=3",
      "--heartbeat",
      "1000",
      "--directory",
      directory,
      "--clock",
      join(folder, "clock.json"),
    ]);
    addresses = (await nodes.line("ready"))["nodes"] as readonly NodeAddress[];
    await cluster.create(NAMESPACE, { metadata: { name: DATA_PLANE } });
  });
  afterAll(async () => {
    const code = await nodes?.end();
    calendar?.close();
    await cluster?.close();
    await controlPlane?.stop();
    if (folder) rmSync(folder, { recursive: true });
    expect(code).toBe(0);
  });

  const ready = async (name: string) => (await cluster.get(NODE, name))?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
  const podOn = async (node: string): Promise<PodObject | undefined> =>
    (await cluster.list(POD, { namespace: DATA_PLANE, fieldSelector: `spec.nodeName=${node}` })).find(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
  const isReady = (pod: PodObject | undefined) => pod?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const addressOf = (node: string) => addresses.find(({ name }) => name === node)!.address;
  const health = async (node: string) =>
    (await (await fetch(`http://${addressOf(node)}:8080/healthz`, { signal: AbortSignal.timeout(2_000) })).json()) as {
      version: string;
      podUID: string;
      containerID: string;
    };

  async function daemonSet(revision: string, tag: string): Promise<void> {
    const labels = { app: "pop", revision };
    const ports = [
      { name: "http", containerPort: 8080 },
      { name: "session", containerPort: 7000 },
    ];
    await cluster.create(DAEMON_SET, {
      metadata: { name: `tyo-${revision}`, namespace: DATA_PLANE },
      spec: {
        selector: { matchLabels: labels },
        updateStrategy: { type: "OnDelete" },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            terminationGracePeriodSeconds: 5,
            nodeSelector: { [REVISION_LABEL]: revisionLabelValue("tyo", revision) },
            containers: [{ name: "pop", image: `registry.example/pop:${tag}`, ports }],
          },
        },
      },
    });
  }

  const label = (node: string, revision: string | undefined) => {
    const path = `/metadata/labels/${REVISION_LABEL.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    return cluster.patch(NODE, node, undefined, [
      revision === undefined ? { op: "remove", path } : { op: "add", path, value: revisionLabelValue("tyo", revision) },
    ]);
  };

  test("register, become Ready in the eyes of the node controller, and are told in the directory", async () => {
    expect(addresses.map(({ name }) => name)).toEqual(["tyo-n1", "tyo-n2", "tyo-n3"]);
    expect(addresses.every(({ address }) => address.startsWith("127."))).toBe(true);
    for (const { name } of addresses) {
      await vi.waitFor(async () => {
        const node = await cluster.get(NODE, name);
        expect([await ready(name), node?.spec?.taints ?? []]).toEqual(["True", []]);
      }, SOON);
    }
  });

  test("run the pods of a DaemonSet, which answer on the node's address with the pod's own UID and container", async () => {
    await daemonSet("one", "1.0.0");
    for (const { name } of addresses) await label(name, "one");
    for (const { name } of addresses) {
      await vi.waitFor(async () => expect(isReady(await podOn(name))).toBe(true), SOON);
      const pod = (await podOn(name))!;
      expect(await health(name)).toMatchObject({
        version: "1.0.0",
        podUID: pod.metadata.uid,
        containerID: pod.status?.containerStatuses?.[0]?.containerID,
      });
    }
    await vi.waitFor(async () => expect((await cluster.get(DAEMON_SET, "tyo-one", DATA_PLANE))?.status?.numberReady).toBe(3), SOON);
  });

  test("[P3] replace the pod of one node when its label moves, while load and watcher look on from outside", async () => {
    await daemonSet("two", "2.0.0-slow");
    const watcher = new LineProcess("src/simulation/load/watcher.ts", ["--nodes", directory, "--seconds", "120"]);
    const load = new LineProcess("src/simulation/load/main.ts", [
      "--nodes",
      directory,
      "--pop",
      "tyo",
      "--sessions",
      "60",
      "--seconds",
      "120",
    ]);
    try {
      await load.line("held");
      const { podUID, containerID } = await health("tyo-n1");
      const order = JSON.stringify({ token: "t1", sequence: 1, podUID, containerID, lease: "1m" });
      expect((await fetch(`http://${addressOf("tyo-n1")}:8080/drain`, { method: "POST", body: order })).status).toBe(200);
      await vi.waitFor(() => expect(load.lines.filter(({ type }) => type === "break")).toHaveLength(20), SOON);
      await label("tyo-n1", undefined);
      await vi.waitFor(async () => expect(await podOn("tyo-n1")).toBeUndefined(), SOON);
      await label("tyo-n1", "two");
      await vi.waitFor(async () => expect(isReady(await podOn("tyo-n1"))).toBe(true), SOON);
      expect(await health("tyo-n1")).toMatchObject({ version: "2.0.0" });
      expect([(await health("tyo-n2")).version, (await health("tyo-n3")).version]).toEqual(["1.0.0", "1.0.0"]);
      await vi.waitFor(
        () => expect(watcher.lines.findLast(({ node }) => node === "tyo-n1")).toMatchObject({ serving: true, version: "2.0.0" }),
        SOON,
      );
    } finally {
      await Promise.all([load.end(), watcher.end()]);
    }
    expect(await load.line("summary")).toMatchObject({ held: 60, breaks: 20, sessionsByBreaks: { 0: 40, 1: 20 }, neverBack: 0 });
    expect((await load.line("summary"))["longestOutage"]).toBeLessThan(10_000);
    expect(await watcher.line("summary")).toMatchObject({ maximumOut: { tyo: { count: 1, nodes: ["tyo-n1"] } } });
  });

  test("[P6] show a crash loop, a missing image and a refused container as a kubelet would, and the server takes it", async () => {
    for (const [revision, tag] of [
      ["crash", "3.0.0-crash-loop"],
      ["pull", "3.0.0-no-pull"],
      ["start", "3.0.0-no-start"],
    ] as const)
      await daemonSet(revision, tag);
    await Promise.all([label("tyo-n1", "crash"), label("tyo-n2", "pull"), label("tyo-n3", "start")]);
    const status = async (node: string, tag: string) => {
      const pod = await podOn(node);
      const [container] = pod?.status?.containerStatuses ?? [];
      return container?.image.endsWith(tag) ? container : undefined;
    };
    await vi.waitFor(async () => expect((await status("tyo-n1", "crash-loop"))?.restartCount).toBeGreaterThanOrEqual(2), SOON);
    await vi.waitFor(async () => expect((await status("tyo-n2", "no-pull"))?.state?.waiting?.reason).toBe("ImagePullBackOff"), SOON);
    await vi.waitFor(async () => expect((await status("tyo-n3", "no-start"))?.state?.waiting?.reason).toBe("CreateContainerError"), SOON);
    await Promise.all(addresses.map(({ name }) => label(name, "one")));
    for (const { name } of addresses) await vi.waitFor(async () => expect(isReady(await podOn(name))).toBe(true), SOON);
  });

  test("[P8] turn bad after an hour of the calendar that the operator lives by, not of the wall", async () => {
    await daemonSet("hour", "4.0.0-bad-after-1h");
    await label("tyo-n1", "hour");
    await vi.waitFor(async () => expect(await health("tyo-n1")).toMatchObject({ version: "4.0.0", health: "Healthy" }), SOON);
    await calendar.jumpTo(calendar.now() + 3_600_000);
    await vi.waitFor(async () => expect(await health("tyo-n1")).toMatchObject({ version: "4.0.0", health: "Unhealthy" }), SOON);
    expect(isReady(await podOn("tyo-n1"))).toBe(true);
    await label("tyo-n1", "one");
    await vi.waitFor(async () => expect(isReady(await podOn("tyo-n1"))).toBe(true), SOON);
  });

  test("killed, a node turns NotReady; rebooted, it runs the same pod in a new container", async () => {
    const before = (await podOn("tyo-n2"))!;
    await nodes.tell("kill tyo-n2");
    await expect(health("tyo-n2")).rejects.toThrow();
    await vi.waitFor(async () => expect(await ready("tyo-n2")).toBe("Unknown"), SOON);
    expect(await ready("tyo-n1")).toBe("True");
    await nodes.tell("reboot tyo-n2");
    await vi.waitFor(async () => {
      const after = (await podOn("tyo-n2"))!;
      expect([await ready("tyo-n2"), isReady(after), after.metadata.uid]).toEqual(["True", true, before.metadata.uid]);
      expect(after.status?.containerStatuses?.[0]?.containerID).not.toBe(before.status?.containerStatuses?.[0]?.containerID);
    }, SOON);
  });

  test("frozen, a node turns NotReady and answers late; thawed, it is Ready again with the same container", async () => {
    const before = (await podOn("tyo-n3"))!;
    await nodes.tell("freeze tyo-n3");
    await vi.waitFor(async () => expect([await ready("tyo-n3"), isReady(await podOn("tyo-n3"))]).toEqual(["Unknown", false]), SOON);
    await nodes.tell("thaw tyo-n3");
    await vi.waitFor(async () => {
      const after = await podOn("tyo-n3");
      expect([await ready("tyo-n3"), isReady(after)]).toEqual(["True", true]);
      expect(after?.status?.containerStatuses?.[0]?.containerID).toBe(before.status?.containerStatuses?.[0]?.containerID);
    }, SOON);
  });

  test("[G6] re-created under its name, a node has another UID and no pod; a wrong command is answered with what there is", async () => {
    const before = await cluster.get(NODE, "tyo-n3");
    await nodes.tell("recreate tyo-n3");
    const after = await cluster.get(NODE, "tyo-n3");
    expect(after?.metadata.uid).not.toBe(before?.metadata.uid);
    expect(after?.metadata.labels?.[REVISION_LABEL]).toBeUndefined();
    await expect(nodes.tell("kill nobody")).rejects.toThrow(/no virtual node nobody; there are tyo-n1, tyo-n2, tyo-n3/);
  });
});
