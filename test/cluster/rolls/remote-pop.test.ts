import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { FINALIZER } from "../../../src/api/names.ts";
import type { Fleet } from "../../../src/api/fleet.ts";
import type { PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../../src/api/resources.ts";
import { NAMESPACE, SECRET } from "../../../src/control/kinds.ts";
import type { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import type { NodeAddress } from "../../../src/simulation/nodes/node-fleet.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { type ControlPlane, startControlPlane } from "../../../tools/control-plane/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import { eventually, holdOf, openFleet, passed, QUICK, setVersion, SUNDAY } from "./pops.ts";
import { clusterOf } from "./cluster-world.ts";
import { RealWorld } from "./real-world.ts";

const NAME = "far1-kubeconfig";
/** The controllers of a cluster whose API server was away come back up to a minute after it (their watches back off). */
const PATIENT = { ...QUICK, perNode: { ...QUICK.perNode, deadline: "150s" } } as const;

/** A kubeconfig as it stands in a Secret: nothing in it names a file. */
function inline(controlPlane: ControlPlane): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: "pop",
        cluster: { server: controlPlane.url, "certificate-authority-data": readFileSync(controlPlane.caFile).toString("base64") },
      },
    ],
    users: [{ name: "operator", user: { token: controlPlane.tokens["admin"] } }],
    contexts: [{ name: "pop", context: { cluster: "pop", user: "operator" } }],
    "current-context": "pop",
  });
}

describeWithControlPlane("[T3] [P17] a PoP in a cluster of its own", () => {
  let world: RealWorld;
  let remote: ControlPlane;
  let cluster: KubernetesCluster;
  let nodes: LineProcess;

  beforeAll(async () => {
    [world, remote] = await Promise.all([RealWorld.start({ start: SUNDAY, pops: {} }), startControlPlane()]);
    cluster = clusterOf(remote, "admin");
    await cluster.create(NAMESPACE, { metadata: { name: DATA_PLANE_NAMESPACE } });
    nodes = new LineProcess("src/simulation/nodes/main.ts", [
      "--kubeconfig",
      remote.kubeconfig("virtual-nodes"),
      "--pop",
      "far1=3",
      "--heartbeat",
      "1000",
      "--directory",
      join(world.folder, "far.json"),
      "--clock",
      world.clockFile,
    ]);
    await nodes.line("ready");
    await openFleet(world);
    await world.startOperator();
  });
  afterAll(async () => {
    await nodes?.end();
    await cluster?.close();
    await world?.stop();
    await remote?.stop();
  });

  const secret = (text: string) => ({
    metadata: { name: NAME, namespace: FLEET_NAMESPACE },
    data: { kubeconfig: Buffer.from(text).toString("base64") },
  });
  const replaceSecret = (text: string) =>
    world.cluster.patch(SECRET, NAME, FLEET_NAMESPACE, [{ op: "replace", path: "/data/kubeconfig", value: secret(text).data.kubeconfig }]);
  const held = (reason: string, words: RegExp) =>
    world.until("far1", reason, (status) => words.test(holdOf(status, reason)?.message ?? ""), 60_000);
  const grants = async () => (await world.cluster.get<Fleet>(FLEET, "fleet", FLEET_NAMESPACE))?.status?.disruptions ?? [];
  const inHand = ({ nodes: list = [] }: PopClusterStatus) => list.find((entry) => ["Claimed", "Updating"].includes(entry.step));
  async function versions(): Promise<(string | undefined)[]> {
    const addresses = JSON.parse(readFileSync(join(world.folder, "far.json"), "utf8")) as NodeAddress[];
    return Promise.all(
      addresses.map(async ({ address }) => ((await (await fetch(`http://${address}:8080/healthz`)).json()) as { version: string }).version),
    );
  }

  it("without its Secret, and with one that cannot be used, it is CredentialsInvalid and says what to write; corrected, its first version joins", async () => {
    await world.applyPop("far1", { strategy: { ...PATIENT, maxUnavailable: "100%" }, spec: { kubeconfigSecretRef: { name: NAME } } });
    const missing = await held("CredentialsInvalid", /far1-kubeconfig does not exist/);
    expect(missing.status?.conditions?.find(({ type }) => type === "Accepted")).toMatchObject({
      status: "False",
      reason: "CredentialsInvalid",
    });
    const refused = JSON.parse(inline(remote)) as { users: { user: object }[] };
    refused.users[0]!.user = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "cloud-login", interactiveMode: "Never" } };
    await world.apply(SECRET, secret(JSON.stringify(refused)));
    await held("CredentialsInvalid", /exec/);
    await replaceSecret(inline(remote));
    await world.until("far1", "the first version", (status) => status.run?.state === "Passed");
    expect(await versions()).toEqual(["1.0.0", "1.0.0", "1.0.0"]);
    await world.editPop("far1", (spec) => ({ ...spec, strategy: { ...spec.strategy, maxUnavailable: 1 } }));
  });

  it("rolls node by node through its own API server", async () => {
    await setVersion(world, "far1", "2.0.0");
    await world.until("far1", "2.0.0 on all nodes", passed("2.0.0"));
    expect(await versions()).toEqual(["2.0.0", "2.0.0", "2.0.0"]);
  });

  it("another cluster behind the Secret is ClusterChanged: nothing starts and nobody is Skipped; when it leads back, it goes on", async () => {
    await replaceSecret(inline(world.controlPlane));
    // Nothing is to be done, so the Secret is looked at again once a minute of the calendar.
    await world.calendar.setRate(60);
    const changed = await held("ClusterChanged", /this PoP was cluster/);
    await world.calendar.setRate(1);
    const before = changed.status?.nodes;
    await setVersion(world, "far1", "3.0.0");
    await world.until(
      "far1",
      "the change to be seen",
      (status, pop) => status.observedGeneration === pop.metadata.generation && holdOf(status, "ClusterChanged") !== undefined,
    );
    expect((await world.pop("far1")).status?.nodes).toEqual(before);
    await replaceSecret(inline(remote));
    await world.until("far1", "3.0.0 on all nodes", passed("3.0.0"), 90_000);
  });

  it("its API server gone in mid-roll is ClusterUnreachable: claims and grant are kept, and it goes on where it stood", async () => {
    await setVersion(world, "far1", "4.0.0-slow");
    const rolling = await world.until("far1", "a node in hand", (status) => inHand(status)?.step === "Updating");
    await remote.endServer("kube-apiserver", "SIGKILL");
    const silent = await held("ClusterUnreachable", /does not answer/);
    expect(inHand(silent.status!)?.token).toBe(inHand(rolling.status!)?.token);
    expect((await grants()).some((entry) => entry.pop === "far1" && entry.id === silent.status?.grant?.id)).toBe(true);
    expect(silent.status?.nodes?.some((entry) => entry.step === "Skipped")).toBe(false);
    await remote.startServer("kube-apiserver");
    await world.until("far1", "4.0.0-slow on all nodes", passed("4.0.0-slow"), 240_000);
    expect(await versions()).toEqual(["4.0.0", "4.0.0", "4.0.0"]);
  });

  it("[P13] deleted while its API server is silent it stays, and says for how long; when it is back, the node in hand is given back and it goes", async () => {
    await setVersion(world, "far1", "5.0.0-slow");
    await world.until("far1", "a node in hand", (status) => inHand(status) !== undefined);
    await remote.endServer("kube-apiserver", "SIGKILL");
    await held("ClusterUnreachable", /does not answer/);
    await world.cluster.delete(POP_CLUSTER, "far1", FLEET_NAMESPACE);
    const waiting = await held("ClusterUnreachable", /15 minutes/);
    expect(waiting.metadata.deletionTimestamp).toBeDefined();
    expect(waiting.metadata.finalizers).toContain(FINALIZER);
    await remote.startServer("kube-apiserver");
    await eventually(
      () => world.cluster.get(POP_CLUSTER, "far1", FLEET_NAMESPACE),
      (found) => expect(found).toBeUndefined(),
      90_000,
    );
    await eventually(grants, (found) => expect(found).toEqual([]), 30_000);
    expect((await versions()).every((version) => /^[45]\.0\.0/.test(version ?? ""))).toBe(true);
  });
});
