import { afterAll, beforeAll, expect, it } from "vitest";
import type { PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { FLEET } from "../../src/api/resources.ts";
import type { Fleet } from "../../src/api/fleet.ts";
import { POD_DISRUPTION_BUDGET } from "../../src/control/kinds.ts";
import { DATA_PLANE_NAMESPACE, fleetDraft } from "../../src/simulation/world.ts";
import { REGISTRY } from "../../tools/nodes/install.ts";
import { drainsOf, outsideDrains, SessionLoadProcess } from "../cluster/rolls/session-record.ts";
import {
  eventually,
  firstVersions,
  holdOf,
  HOUR,
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
import { NodesWorld, onRealNodes } from "./nodes-world.ts";

const POP = "ams1";
const SESSIONS = 40;
const STRATEGY = { ...QUICK, drain: SHORT_DRAIN, perNode: { expected: "20s", deadline: "30s", soak: "1s", retries: 0 } };

describeWithNodes("[T4] a PoP of four real nodes", () => {
  let world: NodesWorld;

  beforeAll(async () => {
    world = await NodesWorld.start(POP, 4);
    await world.apply<Fleet>(FLEET, fleetDraft());
    await world.openWindow();
    await world.startOperator();
    await firstVersions(world, { [POP]: onRealNodes(POP, { strategy: STRATEGY }) });
    await promoted();
  });
  afterAll(async () => {
    await world?.stop();
  });

  /** A day on, the version was watched long enough: from then on it is what a rollback goes back to. */
  const promoted = async () => {
    await world.calendar.jumpTo(world.calendar.now() + 25 * HOUR);
    await world.until(POP, "the promotion", ({ run, revisions }) => run === undefined && revisions?.promoted !== undefined);
  };
  const everywhere = (version: string) => Object.fromEntries(world.nodes.names.map((name) => [name, version]));
  const digestsOf = async () => {
    const pods = [...(await podsOf(world, POP)).values()] as unknown as { status: { containerStatuses: { imageID: string }[] } }[];
    return pods.map(({ status }) => status.containerStatuses[0]?.imageID);
  };
  const uids = async () => new Map([...(await podsOf(world, POP))].map(([name, pod]) => [name, pod.metadata.uid]));
  const attempted = ({ nodes = [] }: PopClusterStatus) => nodes.filter(({ step }) => step !== "Pending").map(({ name }) => name);

  it("[P2] a new version goes node by node, its image pulled before: never more than one of four is out, 40 sessions are handed over", async () => {
    await world.editPop(POP, (spec) => ({ ...spec, strategy: { ...spec.strategy, prePull: true } }));
    const watcher = await startWatcher(world, [POP]);
    const load = await SessionLoadProcess.start(world, POP, SESSIONS);
    await setVersion(world, POP, "2.0.0");
    await world.until(POP, "2.0.0 on all nodes", passed("2.0.0"), 120_000);
    expect(await load.end()).toBe(SESSIONS);
    expect(await mostOut(watcher)).toEqual({ [POP]: 1 });
    expect(await world.served()).toEqual(everywhere("2.0.0"));
    expect(new Set(await digestsOf())).toEqual(new Set([`${REGISTRY}/pop@${world.tools.tags["pop:2.0.0"]}`]));
    // Every session was moved, and each time by a drain: none was still there when a pod ended.
    expect(new Set(load.breaks.map(({ id }) => id)).size).toBe(SESSIONS);
    expect(outsideDrains(load.breaks, drainsOf(world, POP))).toEqual([]);
    await world.editPop(POP, (spec) => ({ ...spec, strategy: { ...spec.strategy, prePull: false } }));
    await promoted();
  });

  it.each([
    ["an image that does not exist", "9.9.9", /ErrImagePull|ImagePullBackOff/],
    ["one that exits after each start", "3.0.0-crash-loop", /exited 2 times/],
    ["one that answers 500", "3.1.0-bad-health", /not done within|answered 500|is not Ready|deadline/],
  ])("[P8] %s is taken back by itself: one node saw it, three never stopped", async (_, version, evidence) => {
    const before = await uids();
    await setVersion(world, POP, version);
    const done = await world.until(POP, `the rollback of ${version}`, rolledBack(version), 150_000);
    expect(done.status?.history?.at(-1)?.evidence).toMatch(evidence);
    expect(await world.served()).toEqual(everywhere("2.0.0"));
    const after = await uids();
    expect(world.nodes.names.filter((name) => before.get(name) === after.get(name))).toHaveLength(3);
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
    await world.until(POP, "2.1.0 on all nodes", passed("2.1.0"), 120_000);
    expect(await world.served()).toEqual(everywhere("2.1.0"));
  });

  /** The entries of the run to a version that have come so far; a new run's status shows the old one's until its first write. */
  const ofRun = ({ run, nodes = [] }: PopClusterStatus, version: string) =>
    run?.version === version ? nodes.filter(({ revision, step }) => revision === run.revision || step === "Updating") : [];
  const isDone = ({ step }: { step: string }) => step === "Done" || step === "Soaking";

  it("[P6] a node in hand loses its power in the middle of a roll: nobody else is touched meanwhile; it comes up, and the roll goes on", async () => {
    await setVersion(world, POP, "2.2.0");
    const middle = await world.until(POP, "one node done and another in hand", (status) => {
      const seen = ofRun(status, "2.2.0");
      return seen.some(isDone) && seen.some(({ step }) => step === "Updating");
    });
    const { name } = middle.status!.nodes!.find(({ step }) => step === "Updating")!;
    await world.nodes.powerOff(name);
    await eventually(
      async () => (await node(world, name)).status?.conditions?.find(({ type }) => type === "Ready")?.status,
      (found) => expect(found).toBe("Unknown"),
    );
    expect(attempted((await world.pop(POP)).status!)).toEqual(attempted(middle.status!));
    await world.nodes.powerOn(name);
    await world.until(POP, "2.2.0 on all nodes", passed("2.2.0"), 120_000);
    expect(await world.served()).toEqual(everywhere("2.2.0"));
  });

  it("[P6] a node that is done is rebooted in the middle of a roll: that its container started again is no evidence against the version", async () => {
    await setVersion(world, POP, "2.3.0");
    const stepped = await world.until(POP, "a node done", (status) => ofRun(status, "2.3.0").some(isDone));
    const { name } = ofRun(stepped.status!, "2.3.0").find(isDone)!;
    const before = (await node(world, name)).status?.nodeInfo?.bootID;
    await world.nodes.powerOff(name);
    await world.nodes.powerOn(name);
    expect((await node(world, name)).status?.nodeInfo?.bootID).not.toBe(before);
    const done = await world.until(POP, "2.3.0 on all nodes", passed("2.3.0"), 120_000);
    expect(done.status?.revisions?.failed?.some(({ version }) => version === "2.3.0") ?? false).toBe(false);
    expect(await world.served()).toEqual(everywhere("2.3.0"));
    const pod = (await podsOf(world, POP)).get(name) as unknown as { status: { containerStatuses: { restartCount: number }[] } };
    expect(pod.status.containerStatuses[0]?.restartCount).toBe(1);
  });
});
