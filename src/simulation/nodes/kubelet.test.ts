import { afterEach, describe, expect, test } from "vitest";
import { NODE, POD, type PodObject } from "../../control/kinds.ts";
import { VirtualClock } from "../clock.ts";
import { InMemoryCluster } from "../cluster/in-memory-cluster.ts";
import { Store } from "../cluster/store.ts";
import { InMemoryDirectory, InMemoryTransport } from "../load/in-memory-transport.ts";
import { SessionLoad } from "../load/session-load.ts";
import { InMemoryRuntime } from "./in-memory-runtime.ts";
import { NodeFleet, nodeSpecs } from "./node-fleet.ts";
import { SimulatedProber } from "./simulated-prober.ts";

const NAMESPACE = "rollward-data-plane";
const PORTS = [
  { name: "http", containerPort: 8080 },
  { name: "session", containerPort: 7000 },
];
const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A fleet of `tyo` in memory, and short ways to ask about it. */
async function fleetOf(count: number, digestOf?: (image: string) => string | undefined) {
  const clock = new VirtualClock(Date.parse("2026-11-22T01:00:00Z"));
  const store = new Store({ clock });
  const cluster = new InMemoryCluster(store, { clock, user: "virtual-nodes" });
  const runtime = new InMemoryRuntime(clock);
  const prober = new SimulatedProber(runtime, clock);
  const fleet = new NodeFleet({ cluster, clock, runtime, declareDeadAfterMilliseconds: 40_000, ...(digestOf && { digestOf }) });
  ends.push(() => fleet.stop());
  await within(clock, 1_000, fleet.start(nodeSpecs("tyo", count)));
  const pod = (name: string) => cluster.get(POD, name, NAMESPACE);
  const run = async (name: string, tag: string, node = "tyo-n1", more: object = {}) => {
    const containers = [{ name: "pop", image: `registry.example/pop:${tag}`, ports: PORTS, ...more }];
    const drafted = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name, namespace: NAMESPACE },
      spec: { nodeName: node, hostNetwork: true, containers, ...more },
    };
    return cluster.create(POD, drafted);
  };
  const address = (node: string) => fleet.directory().find(({ name }) => name === node)!.address;
  const get = (node: string, path: string) =>
    prober.http({ method: "GET", url: `http://${address(node)}:8080${path}`, timeoutMilliseconds: 1_000 });
  const post = (node: string, path: string, body: unknown) =>
    prober.http({ method: "POST", url: `http://${address(node)}:8080${path}`, body, timeoutMilliseconds: 1_000 });
  return { clock, store, cluster, runtime, prober, fleet, pod, run, address, get, post };
}

/** What a call resolves with, while the clock runs on for this long. */
async function within<T>(clock: VirtualClock, milliseconds: number, call: Promise<T>): Promise<T> {
  await clock.advance(milliseconds);
  return call;
}

const condition = (pod: PodObject | undefined, type = "Ready") => pod?.status?.conditions?.find((one) => one.type === type);
const container = (pod: PodObject | undefined) => pod?.status?.containerStatuses?.[0];

describe("a virtual node registers", () => {
  test("with its PoP in a label, Ready, an address and what can be placed on it", async () => {
    const { cluster, address } = await fleetOf(2);
    const node = await cluster.get(NODE, "tyo-n2");
    expect(node?.metadata.labels).toMatchObject({ "rollward.dev/pop": "tyo", "kubernetes.io/hostname": "tyo-n2" });
    expect(node?.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
      status: "True",
      lastTransitionTime: "2026-11-22T01:00:00.000Z",
    });
    expect(node?.status?.addresses).toContainEqual({ type: "InternalIP", address: address("tyo-n2") });
    expect(node?.status?.allocatable?.["pods"]).toBe("110");
  });

  test("and writes nothing more while nothing happens", async () => {
    const { clock, store } = await fleetOf(2);
    const before = store.audit.length;
    await clock.advance(3_600_000);
    expect(store.audit.length).toBe(before);
  });
});

describe("a pod bound to it", () => {
  test("runs, is Ready and answers on the node's address", async () => {
    const { clock, run, pod, get, address, prober } = await fleetOf(1);
    const created = await run("p1", "1.0.0");
    await clock.advance(1_000);
    const shown = await pod("p1");
    expect(shown?.status).toMatchObject({ phase: "Running", podIP: address("tyo-n1"), hostIP: address("tyo-n1") });
    expect(condition(shown)?.status).toBe("True");
    expect(container(shown)).toMatchObject({
      ready: true,
      restartCount: 0,
      image: "registry.example/pop:1.0.0",
      imageID: expect.stringMatching(/^registry\.example\/pop@sha256:[0-9a-f]{64}$/),
    });
    const health = JSON.parse((await get("tyo-n1", "/healthz")).body) as Record<string, unknown>;
    expect(health).toMatchObject({
      node: "tyo-n1",
      version: "1.0.0",
      podUID: created.metadata.uid,
      containerID: container(shown)?.containerID,
    });
    expect([await prober.tcp(address("tyo-n1"), 7000, 100), await prober.tcp(address("tyo-n1"), 7001, 100)]).toEqual([1, undefined]);
  });

  test("keeps the instant of its Ready condition while that does not change, in at most 5 status writes", async () => {
    const { clock, run, pod, store } = await fleetOf(1);
    await run("p1", "1.0.0-slow");
    await clock.advance(2_500);
    expect(condition(await pod("p1"))).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      lastTransitionTime: "2026-11-22T01:00:01.000Z",
    });
    await clock.advance(60_000);
    expect(condition(await pod("p1"))).toMatchObject({ status: "True", lastTransitionTime: expect.stringMatching(/^2026-11-22T01:00:04/) });
    expect(store.audit.filter(({ name, subresource }) => name === "p1" && subresource === "status").length).toBeLessThanOrEqual(5);
  });

  test("that somebody else wrote in the meantime gets its status nevertheless, and keeps what the other wrote", async () => {
    const { clock, run, pod, store, cluster } = await fleetOf(1);
    await run("p1", "1.0.0-slow");
    await clock.advance(1_000);
    cluster.lagMilliseconds = 600_000;
    const other = new InMemoryCluster(store, { clock, user: "somebody" });
    await other.patch(POD, "p1", NAMESPACE, [{ op: "add", path: "/metadata/annotations", value: { mark: "here" } }]);
    await clock.advance(10_000);
    const shown = await pod("p1");
    expect([condition(shown)?.status, shown?.metadata.annotations?.["mark"]]).toEqual(["True", "here"]);
  });

  test.each([
    ["no-pull", { phase: "Pending" }, "ImagePullBackOff"],
    ["no-start", { phase: "Pending" }, "CreateContainerError"],
    ["never-ready", { phase: "Running" }, undefined],
  ])("of a version that ends in %s shows what a kubelet shows", async (tag, status, waiting) => {
    const { clock, run, pod } = await fleetOf(1);
    await run("p1", `2.0.0-${tag}`);
    await clock.advance(30_000);
    const shown = await pod("p1");
    expect(shown?.status).toMatchObject(status);
    expect(condition(shown)?.status).toBe("False");
    expect(container(shown)?.state?.waiting?.reason).toBe(waiting);
  });

  test("[P6] shows ErrImagePull first and exits twice within 3 s when it crash-loops", async () => {
    const { clock, run, pod } = await fleetOf(2);
    await run("p1", "2.0.0-no-pull", "tyo-n1");
    await run("p2", "2.0.0-crash-loop", "tyo-n2");
    await clock.advance(300);
    expect(container(await pod("p1"))?.state?.waiting?.reason).toBe("ErrImagePull");
    await clock.advance(2_700);
    const crashed = container(await pod("p2"));
    expect(crashed).toMatchObject({ restartCount: expect.any(Number), lastState: { terminated: { exitCode: 1 } } });
    expect(crashed!.restartCount).toBeGreaterThanOrEqual(1);
    await clock.advance(600_000);
    expect(container(await pod("p2"))?.restartCount).toBeGreaterThan(5);
    expect(container(await pod("p2"))?.restartCount).toBeLessThan(20);
  });

  test("with a readiness probe is not Ready while /healthz is bad; without one it is", async () => {
    const { clock, run, pod } = await fleetOf(2);
    await run("probed", "2.0.0-bad-after-1h", "tyo-n1", { readinessProbe: { httpGet: { path: "/healthz", port: 8080 } } });
    await run("plain", "2.0.0-bad-after-1h", "tyo-n2");
    await clock.advance(3_590_000);
    expect([condition(await pod("probed"))?.status, condition(await pod("plain"))?.status]).toEqual(["True", "True"]);
    await clock.advance(20_000);
    expect([condition(await pod("probed"))?.status, condition(await pod("plain"))?.status]).toEqual(["False", "True"]);
  });

  test("[P3] that only pulls: a command that does not exist is a StartError, a missing image an ImagePullBackOff", async () => {
    const { clock, run, pod } = await fleetOf(1);
    const pull = { restartPolicy: "Never", command: ["/there-is-no-such-program"], ports: [] };
    await run("there", "2.0.0", "tyo-n1", pull);
    await run("missing", "2.0.0-no-pull", "tyo-n1", pull);
    await clock.advance(5_000);
    const there = await pod("there");
    expect([there?.status?.phase, container(there)?.state?.terminated?.reason]).toEqual(["Failed", "StartError"]);
    expect(container(await pod("missing"))?.state?.waiting?.reason).toBe("ImagePullBackOff");
  });

  test("[P5] has another imageID when the registry has another image under the same tag", async () => {
    const registry: { digest?: string } = {};
    const { clock, run, pod } = await fleetOf(2, () => registry.digest);
    await run("p1", "2.0.0", "tyo-n1");
    await clock.advance(1_000);
    registry.digest = "sha256:other";
    await run("p2", "2.0.0", "tyo-n2");
    await clock.advance(1_000);
    expect(container(await pod("p2"))?.imageID).toBe("registry.example/pop@sha256:other");
    expect(container(await pod("p1"))?.imageID).not.toBe(container(await pod("p2"))?.imageID);
  });

  test("that finds its port taken by the old pod exits, and runs when the old one is gone", async () => {
    const { clock, run, pod, cluster } = await fleetOf(1);
    await run("old", "1.0.0");
    await clock.advance(1_000);
    await run("new", "2.0.0");
    await clock.advance(300);
    expect(container(await pod("new"))).toMatchObject({
      ready: false,
      state: { terminated: { exitCode: 1, message: expect.stringContaining("EADDRINUSE") } },
    });
    await cluster.delete(POD, "old", NAMESPACE);
    await clock.advance(10_000);
    expect([await pod("old"), container(await pod("new"))?.ready]).toEqual([undefined, true]);
  });
});

describe("graceful termination", () => {
  test("hands sessions back first and then confirms the end to the server", async () => {
    const { clock, run, pod, cluster, get } = await fleetOf(1);
    await run("p1", "1.0.0");
    await clock.advance(1_000);
    await cluster.delete(POD, "p1", NAMESPACE);
    await clock.advance(2_000);
    expect(await pod("p1")).toBeUndefined();
    expect((await get("tyo-n1", "/healthz")).status).toBe(0);
  });

  test("of a pod on a dead node waits until the node is back", async () => {
    const { clock, run, pod, cluster, fleet } = await fleetOf(1);
    await run("p1", "1.0.0");
    await clock.advance(1_000);
    await fleet.kill("tyo-n1");
    await cluster.delete(POD, "p1", NAMESPACE);
    await clock.advance(600_000);
    expect((await pod("p1"))?.metadata.deletionTimestamp).toBeDefined();
    await within(clock, 5_000, fleet.reboot("tyo-n1"));
    expect(await pod("p1")).toBeUndefined();
  });
});

describe("what can happen to a node", () => {
  const ready = async ({ cluster }: Awaited<ReturnType<typeof fleetOf>>) =>
    (await cluster.get(NODE, "tyo-n1"))?.status?.conditions?.find(({ type }) => type === "Ready")?.status;

  test("killed: it answers nothing at once and is NotReady 40 s later, with its pods", async () => {
    const world = await fleetOf(1);
    await world.run("p1", "1.0.0");
    await world.clock.advance(1_000);
    await world.fleet.kill("tyo-n1");
    expect((await world.get("tyo-n1", "/healthz")).status).toBe(0);
    await world.clock.advance(39_000);
    expect(await ready(world)).toBe("True");
    await world.clock.advance(2_000);
    expect([await ready(world), condition(await world.pod("p1"))?.status]).toEqual(["Unknown", "False"]);
  });

  test("[G5a] rebooted: the same pod in a new container, which refuses a drain meant for the old one", async () => {
    const { clock, run, pod, fleet, post, get } = await fleetOf(1);
    const {
      metadata: { uid: podUID },
    } = await run("p1", "1.0.0");
    await clock.advance(1_000);
    const before = container(await pod("p1"))!;
    const order = { token: "a", sequence: 1, podUID, containerID: before.containerID, lease: "2m" };
    expect((await post("tyo-n1", "/drain", order)).status).toBe(200);
    await within(clock, 2_000, fleet.reboot("tyo-n1"));
    const after = container(await pod("p1"))!;
    expect([after.restartCount, after.ready, after.containerID === before.containerID]).toEqual([1, true, false]);
    expect(JSON.parse((await get("tyo-n1", "/healthz")).body)).toMatchObject({ draining: false });
    expect((await post("tyo-n1", "/drain", order)).status).toBe(409);
  });

  test("frozen: calls time out, the node becomes NotReady; thawed: all is as it was", async () => {
    const world = await fleetOf(1);
    await world.run("p1", "1.0.0");
    await world.clock.advance(1_000);
    world.fleet.freeze("tyo-n1");
    expect(await within(world.clock, 1_000, world.get("tyo-n1", "/healthz"))).toMatchObject({ status: 0, milliseconds: 1_000 });
    await world.clock.advance(60_000);
    expect(await ready(world)).toBe("Unknown");
    await within(world.clock, 5_000, world.fleet.thaw("tyo-n1"));
    expect([await ready(world), condition(await world.pod("p1"))?.status, (await world.get("tyo-n1", "/healthz")).status]).toEqual([
      "True",
      "True",
      200,
    ]);
    expect(container(await world.pod("p1"))?.restartCount).toBe(0);
  });

  test("[G6] re-created under its name: another UID, and no label of the one before", async () => {
    const { cluster, clock, fleet } = await fleetOf(1);
    const before = await cluster.patch(NODE, "tyo-n1", undefined, [{ op: "add", path: "/metadata/labels/mark", value: "old" }]);
    await within(clock, 5_000, fleet.recreate("tyo-n1"));
    const after = await cluster.get(NODE, "tyo-n1");
    expect(after?.metadata.uid).not.toBe(before.metadata.uid);
    expect(after?.metadata.labels?.["mark"]).toBeUndefined();
  });
});

describe("[P11] sessions in memory", () => {
  async function loaded(tag: string) {
    const world = await fleetOf(3);
    for (const node of ["tyo-n1", "tyo-n2", "tyo-n3"]) await world.run(`p-${node}`, node === "tyo-n1" ? tag : "1.0.0", node);
    await world.clock.advance(1_000);
    const nodes = () => Promise.resolve(world.fleet.directory());
    const load = new SessionLoad({
      pop: "tyo",
      sessions: 60,
      clock: world.clock,
      transport: new InMemoryTransport(world.runtime, 7000),
      directory: new InMemoryDirectory(world.runtime, 8080, nodes),
    });
    ends.push(() => load.stop());
    load.start();
    await world.clock.advance(1_000);
    expect(load.held).toBe(60);
    const {
      metadata: { uid: podUID },
      status,
    } = (await world.pod("p-tyo-n1"))!;
    const order = { token: "a", sequence: 1, podUID, containerID: status?.containerStatuses?.[0]?.containerID, lease: "1h" };
    expect((await world.post("tyo-n1", "/drain", order)).status).toBe(200);
    await world.clock.advance(30_000);
    return { ...world, load };
  }

  test.each([
    ["1.0.0", 0, 1_500],
    ["1.0.0-hands-back-9s", 9_000, 9_999],
    ["1.0.0-hands-back-11s", 11_000, 11_999],
  ])("of a drained node of version %s come back after %i to %i ms", async (tag, least, most) => {
    const { load } = await loaded(tag);
    expect(load.breaks).toHaveLength(20);
    expect(load.summary().longestOutage).toBeLessThanOrEqual(most);
    expect(Math.min(...load.breaks.map(({ outage }) => outage!))).toBeGreaterThanOrEqual(least);
    expect(load.held).toBe(60);
  });

  test("a tenth of those of `elsewhere` does not come back", async () => {
    const { load } = await loaded("1.0.0-elsewhere");
    expect([load.held, load.breaks.length]).toEqual([58, 18]);
  });

  test("those of a node that dies are broken at once and come back to another", async () => {
    const { load, fleet, clock } = await loaded("1.0.0");
    const before = load.breaks.length;
    await fleet.kill("tyo-n2");
    await clock.advance(2_000);
    expect(load.breaks.length).toBeGreaterThan(before);
    expect(load.held).toBe(60);
  });
});
