import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { POD_DISRUPTION_BUDGET } from "../../src/control/kinds.ts";
import { DATA_PLANE_NAMESPACE, FLEET_NAMESPACE, popDraft } from "../../src/simulation/world.ts";
import { findImageTools } from "../../tools/image/install.ts";
import { REGISTRY } from "../../tools/nodes/install.ts";
import { describeWithHelm } from "../cluster/chart/helm.ts";
import { SessionLoadProcess } from "../cluster/rolls/session-record.ts";
import {
  eventually,
  holdOf,
  mostOut,
  node,
  passed,
  podsOf,
  QUICK,
  rolledBack,
  setVersion,
  SHORT_DRAIN,
  startWatcher,
} from "../cluster/rolls/pops.ts";
import { describeWithNodes } from "./available.ts";
import { HelmWorld, type OperatorPod } from "./helm-world.ts";
import { onRealNodes } from "./nodes-world.ts";

const POP = "fra1";
const SESSIONS = 20;
const STRATEGY = { ...QUICK, drain: SHORT_DRAIN, perNode: { expected: "20s", deadline: "30s", soak: "1s", retries: 0 } };
/** The data plane's, of checks and drains: with a network that enforces policies nothing else would be reached. */
const VALUES = ["networkPolicy.dataPlanePorts={8080}"];

const describeWithImage = (name: string, tests: () => void): void => {
  if (findImageTools() !== undefined) describeWithHelm(name, tests);
  else describe.skip(`${name} (the image cannot be built here: npm test makes what it needs, where it can)`, tests);
};

describeWithNodes("[T4] installed by Helm, its image on real nodes", () => {
  describeWithImage("the operator as pods of the cluster", () => {
    let world: HelmWorld;

    beforeAll(async () => {
      world = await HelmWorld.start(POP, 4);
      await world.kubectl("create", "namespace", FLEET_NAMESPACE);
      await world.kubectl("label", "namespace", FLEET_NAMESPACE, "pod-security.kubernetes.io/enforce=restricted");
    });
    afterAll(async () => {
      await world?.stop();
    });

    const everywhere = (version: string) => Object.fromEntries(world.addresses(POP).map(({ name }) => [name, version]));
    const uids = async () => new Map([...(await podsOf(world, POP))].map(([name, pod]) => [name, pod.metadata.uid]));
    /** The entries of the run to a version that have come so far; a new run's status shows the old one's until its first write. */
    const ofRun = ({ run, nodes = [] }: PopClusterStatus, version: string) =>
      run?.version === version ? nodes.filter(({ revision, step }) => revision === run.revision || step === "Updating") : [];
    const isDone = ({ step }: { step: string }) => step === "Done" || step === "Soaking";
    /** Starts a roll and waits until one node is done and another in hand; answers with the latter's name. */
    const toTheMiddleOf = async (version: string): Promise<string> => {
      await setVersion(world, POP, version);
      const middle = await world.until(POP, "one node done and another in hand", (status) => {
        const seen = ofRun(status, version);
        return seen.some(isDone) && seen.some(({ step }) => step === "Updating");
      });
      return middle.status!.nodes!.find(({ step }) => step === "Updating")!.name;
    };
    const finished = async (version: string): Promise<void> => {
      const done = await world.until(POP, `${version} on all nodes`, passed(version), 120_000);
      expect(done.status?.revisions?.failed?.some((failed) => failed.version === version) ?? false).toBe(false);
      expect(await world.served()).toEqual(everywhere(version));
    };
    const ready = async (count: number): Promise<OperatorPod[]> =>
      vi.waitFor(
        async () => {
          const pods = await world.operatorPods();
          expect(pods.map(({ status }) => status.containerStatuses?.[0]?.ready)).toEqual(Array.from({ length: count }, () => true));
          return pods;
        },
        { timeout: 60_000, interval: 250 },
      );

    it("helm install brings two replicas up under pod security restricted, away from the PoP: kubelets pulled the image by its digest and found both ready", async () => {
      const began = performance.now();
      const said = await world.release("install", ...VALUES);
      expect(said.stdout).toMatch(/runs in namespace fleet/);
      const pods = await ready(2);
      expect(new Set(pods.map(({ spec }) => spec.nodeName))).toEqual(new Set(["hub1", "hub2"]));
      for (const { status } of pods)
        expect(status.containerStatuses).toMatchObject([{ imageID: `${REGISTRY}/rollward@${world.image}`, restartCount: 0 }]);
      await eventually(
        () => world.leader(),
        (leader) => expect(pods.map(({ metadata }) => metadata.name)).toContain(leader),
      );
      expect(performance.now() - began).toBeLessThan(60_000);
    });

    it("[P2] the samples are applied: first versions, and a new one node by node; one of four is out at most, and no session is lost", async () => {
      const { spec } = popDraft(POP, onRealNodes(POP, { strategy: { ...STRATEGY, maxUnavailable: "100%" } }));
      const { version, template, strategy, health } = spec as unknown as Record<string, unknown>;
      // The sample's fleet keeps 60 % serving: of four nodes alone no rollback may take two.
      const rollback = { automatic: true, maxUnavailable: 1 };
      await world.applySamples((sample) => ({ ...sample, version, template, strategy, health, rollback }));
      await finished("1.0.0");
      await world.editPop(POP, (edited) => ({ ...edited, strategy: { ...edited.strategy, maxUnavailable: 1 } }));
      const watcher = await startWatcher(world, [POP]);
      const load = await SessionLoadProcess.start(world, POP, SESSIONS);
      await setVersion(world, POP, "2.0.0");
      await finished("2.0.0");
      expect(await load.end()).toBe(SESSIONS);
      expect(await mostOut(watcher)).toEqual({ [POP]: 1 });
    });

    it.each([
      ["an image that does not exist", "9.9.9", /ErrImagePull|ImagePullBackOff/],
      ["one that exits after each start", "3.0.0-crash-loop", /exited 2 times/],
      ["one that answers 500", "3.1.0-bad-health", /not done within|answered 500|is not Ready|deadline/],
    ])("[P8] %s is taken back by the pod that leads: one node saw it, three never stopped", async (_, version, evidence) => {
      const before = await uids();
      await setVersion(world, POP, version);
      const done = await world.until(POP, `the rollback of ${version}`, rolledBack(version), 150_000);
      expect(done.status?.history?.at(-1)?.evidence).toMatch(evidence);
      expect(await world.served()).toEqual(everywhere("2.0.0"));
      const after = await uids();
      expect([...before].filter(([name, uid]) => after.get(name) === uid)).toHaveLength(3);
      await setVersion(world, POP, "2.0.0");
    });

    it("[P3] a PodDisruptionBudget blocks the drain and is named; when it is gone the roll goes on", async () => {
      const budget = { minAvailable: 4, selector: { matchLabels: { "rollward.dev/pop": POP } } };
      await world.apply(POD_DISRUPTION_BUDGET, { metadata: { name: "all-four", namespace: DATA_PLANE_NAMESPACE }, spec: budget });
      const before = await uids();
      await setVersion(world, POP, "2.1.0");
      const blocked = await world.until(POP, "the budget to be named", (status) => holdOf(status, "DrainBlocked") !== undefined);
      expect(holdOf(blocked.status, "DrainBlocked")?.message).toContain("all-four");
      expect(await uids()).toEqual(before);
      await world.cluster.delete(POD_DISRUPTION_BUDGET, "all-four", DATA_PLANE_NAMESPACE);
      await finished("2.1.0");
    });

    it("[P6] a node in hand is rebooted in the middle of a roll: it comes up, and the roll goes on", async () => {
      const name = await toTheMiddleOf("2.2.0");
      const before = (await node(world, name)).status?.nodeInfo?.bootID;
      await world.nodes.powerOff(name);
      await world.nodes.powerOn(name);
      expect((await node(world, name)).status?.nodeInfo?.bootID).not.toBe(before);
      await finished("2.2.0");
    });

    it("the node of the pod that leads is drained in the middle of a roll: the other replica takes over within seconds and ends the roll, one of four being out at most", async () => {
      const watcher = await startWatcher(world, [POP]);
      await toTheMiddleOf("2.3.0");
      const leader = await world.leader();
      const place = (await world.operatorPods()).find(({ metadata }) => metadata.name === leader)!.spec.nodeName!;
      await world.kubectl("drain", place, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s");
      const drained = performance.now();
      await eventually(
        () => world.leader(),
        (next) => expect([undefined, leader]).not.toContain(next),
        20_000,
      );
      // Handed back, not run out: a lease lasts 15 s.
      expect(performance.now() - drained).toBeLessThan(12_000);
      await finished("2.3.0");
      expect(await mostOut(watcher)).toEqual({ [POP]: 1 });
      await world.kubectl("uncordon", place);
      await ready(2);
    });

    it("helm upgrade in the middle of a roll is a fail-over: new pods go on from the ledger, no node is moved twice, one of four is out at most", async () => {
      const watcher = await startWatcher(world, [POP]);
      const old = (await world.operatorPods()).map(({ metadata }) => metadata.uid);
      await toTheMiddleOf("2.4.0");
      const before = await uids();
      const updated = [...(await podsOf(world, POP))].filter(([, pod]) => pod.spec.containers?.[0]?.image?.endsWith(":2.4.0") === true);
      await world.release("upgrade", ...VALUES, "operator.logLevel=debug");
      await finished("2.4.0");
      const now = await ready(2);
      expect(now.filter(({ metadata }) => old.includes(metadata.uid))).toEqual([]);
      const after = await uids();
      expect(updated.length).toBeGreaterThan(0);
      for (const [name] of updated) expect([name, after.get(name)]).toEqual([name, before.get(name)]);
      expect(await mostOut(watcher)).toEqual({ [POP]: 1 });
    });

    it("helm uninstall takes the operator away: its Job ran as a pod and left no finalizer, the PoP can be deleted, and every node goes on serving", async () => {
      const before = await uids();
      const [pop] = await world.get("-n", FLEET_NAMESPACE, "pop");
      expect(pop?.metadata.finalizers).toEqual(["rollward.dev/claims"]);
      await world.uninstall();
      expect(await world.operatorPods()).toEqual([]);
      const left = await world.get("fl,mw,pop,popro,nodes,daemonsets,controllerrevisions,leases", "-A");
      expect(left.filter(({ metadata }) => metadata.finalizers?.some((name) => name.includes("rollward")))).toEqual([]);
      expect(left.filter(({ kind }) => kind === "PoPCluster" || kind === "Fleet")).toHaveLength(2);
      await world.kubectl("-n", FLEET_NAMESPACE, "delete", "pop", POP, "--timeout=10s");
      expect(await uids()).toEqual(before);
      expect(await world.served()).toEqual(everywhere("2.4.0"));
    });
  });
});
