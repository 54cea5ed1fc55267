import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { NAMESPACE, SECRET } from "../../../src/control/kinds.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import type { NodeAddress } from "../../../src/simulation/nodes/node-fleet.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { grantRights } from "../../../tools/control-plane/operator-rights.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeInOwnNetwork } from "../own-network.ts";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import { clusterOf } from "./cluster-world.ts";
import { holdOf, HOUR, openFleet, passed, QUICK, setVersion, SUNDAY } from "./pops.ts";
import { RealWorld } from "./real-world.ts";

/** Two users with the same rights in each PoP's cluster: the one whose token is replaced, and the one that replaces it. */
const USERS = ["rollward", "rollward-next"] as const;
/** The controllers of a cluster whose API server was away come back up to a minute after it (their watches back off). */
const PATIENT = { ...QUICK, perNode: { ...QUICK.perNode, deadline: "150s" } } as const;

interface PopSite {
  readonly pop: string;
  readonly plane: ControlPlane;
  readonly cluster: KubernetesCluster;
  readonly nodes: LineProcess;
  readonly directory: string;
}

/** A kubeconfig as it stands in a Secret: nothing in it names a file. */
const kubeconfig = ({ url, caFile, tokens }: ControlPlane, user: string): string =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "pop", cluster: { server: url, "certificate-authority-data": readFileSync(caFile).toString("base64") } }],
    users: [{ name: user, user: { token: tokens[user] } }],
    contexts: [{ name: "pop", context: { cluster: "pop", user } }],
    "current-context": "pop",
  });

/** What the PoP's owner grants there: the operator's rights, and pods by their names. */
const OPERATORS = { kind: "Group", name: "rollward-operators" } as const;
const PROXY = "config/rbac/pod-proxy.yaml";
const BINDING = `/apis/rbac.authorization.k8s.io/v1/namespaces/${DATA_PLANE_NAMESPACE}/rolebindings/rollward-pod-proxy`;

describeInOwnNetwork("[T3] [P17] a hub and two clusters of PoPs", import.meta.filename, 15 * 60_000, () => {
  let world: RealWorld;
  let sites: readonly PopSite[] = [];

  async function startSite(pop: string): Promise<PopSite> {
    const plane = await startControlPlane({ users: USERS.map((name) => ({ name, groups: [OPERATORS.name] })) });
    const cluster = clusterOf(plane, "admin");
    for (const name of [DATA_PLANE_NAMESPACE, FLEET_NAMESPACE]) await cluster.create(NAMESPACE, { metadata: { name } });
    for (const file of ["config/rbac/operator.yaml", PROXY]) await grantRights(plane, file, OPERATORS);
    const directory = join(world.folder, `${pop}.json`);
    const named = ["--kubeconfig", plane.kubeconfig("virtual-nodes"), "--pop", `${pop}=2`, "--first-octet", "10"];
    const timed = ["--heartbeat", "1000", "--directory", directory, "--clock", world.clockFile];
    const nodes = new LineProcess("src/simulation/nodes/main.ts", [...named, ...timed]);
    await nodes.line("ready");
    return { pop, plane, cluster, nodes, directory };
  }

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: {} });
    await openFleet(world);
    sites = [await startSite("direct1"), await startSite("proxied1")];
    await world.startOperator();
  }, 240_000);
  afterAll(async () => {
    for (const { nodes, cluster, plane } of sites) {
      await nodes.end();
      await cluster.close();
      await plane.stop();
    }
    await world?.stop();
  });

  const secretOf = (pop: string, text: string) => ({
    metadata: { name: `${pop}-kubeconfig`, namespace: FLEET_NAMESPACE },
    data: { kubeconfig: Buffer.from(text).toString("base64") },
  });
  const replaceSecret = (pop: string, text: string) => {
    const { metadata, data } = secretOf(pop, text);
    const operations = [{ op: "replace" as const, path: "/data/kubeconfig", value: data.kubeconfig }];
    return world.cluster.patch(SECRET, metadata.name, FLEET_NAMESPACE, operations);
  };
  async function versions({ directory }: PopSite): Promise<(string | undefined)[]> {
    const addresses = JSON.parse(readFileSync(directory, "utf8")) as NodeAddress[];
    return Promise.all(
      addresses.map(async ({ address }) => ((await (await fetch(`http://${address}:8080/healthz`)).json()) as { version: string }).version),
    );
  }
  const proxied = ({ plane }: PopSite, verb: string) =>
    plane.auditEntries(({ verb: found, objectRef }) => objectRef?.subresource === "proxy" && found === verb).length;
  const held = (pop: string, reason: string, words: RegExp) =>
    world.until(pop, reason, (status) => words.test(holdOf(status, reason)?.message ?? ""), 150_000);
  const inHand = ({ nodes = [] }: PopClusterStatus) => nodes.find(({ step }) => ["Claimed", "Updating"].includes(step));
  const isAnyDone = ({ run, nodes = [] }: PopClusterStatus) =>
    nodes.some(({ step, revision }) => step === "Done" && revision === run?.revision);

  it("both take their first version and roll, one asked directly, one through its API server, with the rights that are shipped", async () => {
    for (const { pop, plane } of sites) {
      await world.apply(SECRET, secretOf(pop, kubeconfig(plane, "rollward")));
      const reach = pop.startsWith("proxied") ? { reach: "ApiServerProxy" } : {};
      const spec = { kubeconfigSecretRef: { name: `${pop}-kubeconfig` }, ...reach };
      await world.applyPop(pop, { strategy: { ...PATIENT, maxUnavailable: "100%" }, spec });
    }
    for (const { pop } of sites) await world.until(pop, "the first version", (status) => status.run?.state === "Passed", 120_000);
    for (const { pop } of sites) {
      await world.editPop(pop, (spec) => ({ ...spec, strategy: { ...spec.strategy, maxUnavailable: 1 } }));
      await setVersion(world, pop, "2.0.0");
    }
    for (const { pop } of sites) await world.until(pop, "2.0.0 on all nodes", passed("2.0.0"), 120_000);
    for (const site of sites) expect(await versions(site)).toEqual(["2.0.0", "2.0.0"]);
    const [direct, through] = sites as [PopSite, PopSite];
    expect([proxied(direct, "get"), proxied(direct, "create")]).toEqual([0, 0]);
    expect(proxied(through, "get")).toBeGreaterThan(10);
    // The drains of two nodes, at least.
    expect(proxied(through, "create")).toBeGreaterThanOrEqual(2);
  }, 420_000);

  it("[G9] what the API server does not allow is Unknown: the node in hand waits and nothing is taken back; granted, it goes on", async () => {
    const through = sites[1]!;
    const quick = (deadline: string) =>
      world.editPop(through.pop, (spec) => ({ ...spec, strategy: { ...spec.strategy, perNode: { ...QUICK.perNode, deadline } } }));
    await quick(QUICK.perNode.deadline);
    await setVersion(world, through.pop, "3.0.0-slow");
    await world.until(through.pop, "a node in hand", (status) => inHand(status)?.step === "Updating", 60_000);
    const { body: binding } = await through.plane.call("admin", "GET", BINDING);
    await through.plane.call("admin", "DELETE", BINDING);
    try {
      const waiting = await held(through.pop, "HealthUnknown", /grant get and create of pods\/proxy/);
      expect(waiting.status?.run).toMatchObject({ kind: "Roll", version: "3.0.0-slow" });
    } finally {
      const { metadata, ...bound } = JSON.parse(binding) as { metadata: { name: string; namespace: string } };
      const again = { ...bound, metadata: { name: metadata.name, namespace: metadata.namespace } };
      await through.plane.call("admin", "POST", BINDING.slice(0, BINDING.lastIndexOf("/")), again);
    }
    await world.until(through.pop, "3.0.0-slow on all nodes", passed("3.0.0-slow"), 240_000);
    await quick(PATIENT.perNode.deadline);
  }, 420_000);

  it("credentials that are rotated in mid-roll are taken up, and the roll goes on with them", async () => {
    for (const { pop, plane } of sites) {
      // A Secret is believed for 10 s: the first node's soak is longer, so that the second one's turn comes after it.
      await world.editPop(pop, (spec) => ({
        ...spec,
        version: "4.0.0-slow",
        strategy: { ...spec.strategy, perNode: { ...PATIENT.perNode, soak: "15s" } },
      }));
      await world.until(pop, "its first node in hand", (status) => inHand(status) !== undefined && !isAnyDone(status), 90_000);
      await replaceSecret(pop, kubeconfig(plane, "rollward-next"));
    }
    for (const { pop } of sites) await world.until(pop, "4.0.0-slow on all nodes", passed("4.0.0-slow"), 240_000);
    for (const { plane } of sites) {
      const byNext = plane.auditEntries(({ user, verb }) => user.username === "rollward-next" && verb === "patch");
      expect(byNext.length).toBeGreaterThan(0);
    }
    for (const { pop } of sites)
      await world.editPop(pop, (spec) => ({ ...spec, strategy: { ...spec.strategy, perNode: PATIENT.perNode } }));
  }, 420_000);

  it("a Secret that suddenly leads to the other PoP's cluster is ClusterChanged there alone; when it leads back, the roll goes on", async () => {
    const [direct, through] = sites as [PopSite, PopSite];
    await replaceSecret(through.pop, kubeconfig(direct.plane, "rollward-next"));
    // Nothing is to be done, so the Secret is looked at again once a minute of the calendar.
    await world.calendar.setRate(60);
    await held(through.pop, "ClusterChanged", /this PoP was cluster/);
    await world.calendar.setRate(1);
    for (const { pop } of sites) await setVersion(world, pop, "5.0.0");
    await world.until(direct.pop, "5.0.0 on all nodes", passed("5.0.0"), 120_000);
    expect(await versions(through)).toEqual(["4.0.0", "4.0.0"]);
    await replaceSecret(through.pop, kubeconfig(through.plane, "rollward-next"));
    await world.until(through.pop, "5.0.0 on all nodes", passed("5.0.0"), 150_000);
  }, 420_000);

  it("one that is silent for an hour holds its own PoP alone, keeps its claim, and is gone on with where it stood", async () => {
    const [direct, through] = sites as [PopSite, PopSite];
    for (const { pop } of sites) await setVersion(world, pop, "6.0.0-slow");
    const rolling = await world.until(through.pop, "a node in hand", (status) => inHand(status)?.step === "Updating", 90_000);
    await through.plane.endServer("kube-apiserver", "SIGKILL");
    const silent = await held(through.pop, "ClusterUnreachable", /does not answer/);
    await world.until(direct.pop, "6.0.0-slow on all nodes", passed("6.0.0-slow"), 240_000);
    const began = world.calendar.now();
    await world.calendar.setRate(120);
    await world.until(through.pop, "an hour to pass", () => world.calendar.now() - began > HOUR, 60_000);
    await world.calendar.setRate(1);
    const later = (await world.pop(through.pop)).status!;
    expect(inHand(later)?.token).toBe(inHand(rolling.status!)?.token);
    expect(later.grant?.id).toBe(silent.status?.grant?.id);
    await through.plane.startServer("kube-apiserver");
    await world.until(through.pop, "6.0.0-slow on all nodes", passed("6.0.0-slow"), 300_000);
    expect(await versions(through)).toEqual(["6.0.0", "6.0.0"]);
  }, 600_000);
});
