// N → N+1 → N while PoPs roll, on a real API server. N is the tree as it is, built by tools/build.ts; N+1 is built by the same from the
// tree with what a following version may bring (builds.ts says what, a dozen lines, none of it known to N). No release stands behind this
// project yet, and a clone for tests may be shallow, so nothing here needs git: where a checkout has history, ROLLWARD_UPGRADE_FROM=COMMIT
// makes N a build of that commit. Both run as processes of their own from their bundles, with their own versions in the audit log.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REVISION_LABEL } from "../../../src/api/names.ts";
import type { PopCluster, PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { FLEET, POP_CLUSTER } from "../../../src/api/resources.ts";
import { LEASE } from "../../../src/control/kinds.ts";
import { FLEET_NAMESPACE } from "../../../src/simulation/world.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import { isNodePatch, operationsOf, operatorWrites, succeeded, told } from "../rolls/audit.ts";
import type { OperatorProcess } from "../rolls/cluster-world.ts";
import {
  eventually,
  firstVersions,
  holdOf,
  mostOut,
  openFleet,
  passed,
  podsOf,
  QUICK,
  rolledBack,
  servedVersions,
  setVersion,
  SHORT_DRAIN,
  startWatcher,
  SUNDAY,
} from "../rolls/pops.ts";
import { RealWorld } from "../rolls/real-world.ts";
import type { LineProcess } from "../virtual-nodes/child-process.ts";
import { type Build, twoBuilds } from "./builds.ts";

const run = promisify(execFile);
const LEASE_FLAGS = ["--lease-duration", "3s", "--renew-deadline", "2s", "--retry-period", "1s"];
const DRAIN = { ...SHORT_DRAIN, timeout: "2s" };
const POPS = { roll1: 7, back1: 6, soak1: 1, rest1: 1 };
/** Longer than both hand-overs. */
const LONG_SOAK = "30s";

/** What only N+1 knows of a PoP. */
interface Later {
  readonly later?: { readonly by: string; readonly said?: string };
}

describeWithControlPlane("[T3] N → N+1 → N while PoPs roll", () => {
  let world: RealWorld;
  let watcher: LineProcess;
  let n: Build;
  let next: Build;
  let nRuns: OperatorProcess;
  let nextRuns: OperatorProcess;
  let rolling: number;
  let soaksSince: string;

  const start = ({ program }: Build, identity: string) => world.startOperator([...LEASE_FLAGS, "--identity", identity], program);
  const applyKinds = async ({ version, crds }: Build) => {
    const file = join(world.folder, `crds-${version}.yaml`);
    writeFileSync(file, crds);
    await kubectl("apply", "--server-side", "--force-conflicts", "-f", file);
  };
  const kubectl = async (...args: string[]) =>
    (await run(world.controlPlane.binaries.kubectl, ["--kubeconfig", world.controlPlane.kubeconfig("admin"), ...args])).stdout;
  const leads = (identity: string) =>
    eventually(
      async () =>
        ((await world.cluster.get(LEASE, "rollward", FLEET_NAMESPACE)) as { spec?: { holderIdentity?: string } } | undefined)?.spec
          ?.holderIdentity,
      (holder) => expect(holder).toBe(identity),
      20_000,
    );
  const readiness = async ({ metricsPort }: OperatorProcess): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/readyz`).catch(() => undefined);
    if (answer === undefined) return "no answer";
    return answer.ok ? "ready" : answer.text();
  };
  const isReady = (operator: OperatorProcess) =>
    eventually(
      () => readiness(operator),
      (found) => expect(found).toBe("ready"),
      20_000,
    );
  const writesOf = ({ version }: Build, since = 0) =>
    operatorWrites(world, since).filter(({ userAgent }) => userAgent.startsWith(`rollward/${version}`));
  const done = (status: PopClusterStatus | undefined) => (status?.nodes ?? []).filter(({ step }) => step === "Done").length;
  const laterOf = (pop: PopCluster) => (pop.status as Later | undefined)?.later;
  const claimedByNext = (pop: PopCluster) =>
    (pop.status?.nodes ?? []).filter((entry) => (entry as { laterClaim?: string }).laterClaim === "N+1").map(({ name }) => name);
  /** A person of the later version writes a field that only it knows. */
  const say = (pop: string, later: string | undefined) =>
    world.editPop(pop, (spec) => {
      const { later: _, ...rest } = spec as PopCluster["spec"] & { later?: string };
      return { ...rest, ...(later === undefined ? {} : { later }) };
    });
  const entryOf = ({ status }: PopCluster, name: string) => status?.nodes?.find((entry) => entry.name === name);

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: POPS });
    ({ n, next } = await twoBuilds(join(world.folder, "builds")));
    await applyKinds(n);
    await openFleet(world);
    nRuns = await start(n, "n");
    const strategy = { drain: DRAIN, perNode: { ...QUICK.perNode, deadline: "60s" } };
    await firstVersions(world, {
      roll1: { strategy },
      // It takes back one node after the other, and must not be through before the second hand-over.
      back1: { strategy: { ...strategy, perNode: { ...strategy.perNode, soak: "5s" }, maxUnavailable: POPS.back1 } },
      soak1: { strategy: { ...strategy, perNode: { ...strategy.perNode, soak: LONG_SOAK } } },
      rest1: { strategy },
    });
    await setVersion(world, "back1", "2.0.0");
    await world.until("back1", "2.0.0, which is to be taken back", passed("2.0.0"));
    watcher = await startWatcher(world, Object.keys(POPS));
  });
  afterAll(async () => {
    await watcher?.end();
    await world?.stop();
  });

  it("[I21] N+1 beside N writes nothing while N leads; when N ends it goes on: nobody soaks anew, and its own fields appear", async () => {
    expect(n.version).not.toBe(next.version);
    rolling = Date.now();
    await world.editPop("back1", (spec) => ({ ...spec, requests: { takeBack: { at: "2026-11-22T00:20:00Z" } } }));
    await setVersion(world, "soak1", "2.0.0");
    await setVersion(world, "roll1", "2.0.0");
    const soaks = await world.until("soak1", "a node that soaks", ({ nodes = [] }) => nodes.some(({ step }) => step === "Soaking"));
    await world.until(
      "back1",
      "mid-rollback",
      ({ run: going, nodes = [] }) => going?.kind === "Rollback" && nodes.some(({ step }) => step === "Done"),
    );
    await applyKinds(next);
    nextRuns = await start(next, "next");
    await isReady(nextRuns);
    await world.until("roll1", "mid-roll", (status) => done(status) >= 1);
    expect(told(writesOf(next))).toEqual([]);
    await leads("n");
    expect(await nRuns.stop()).toBe(0);
    const handed = Date.now();
    await leads("next");
    await say("roll1", "kept");
    await say("rest1", "rest");
    await setVersion(world, "rest1", "2.0.0");
    const under = await world.until(
      "roll1",
      "N+1 to obey, and a node of its own",
      (_, pop) => laterOf(pop)?.said === "kept" && claimedByNext(pop).length > 0,
    );
    expect(under.status?.run).toMatchObject({ version: "2.0.0", state: "Rolling" });
    expect(told(writesOf(n, handed))).toEqual([]);
    soaksSince = entryOf(soaks, "soak1-n1")!.since;
    expect(entryOf(await world.pop("soak1"), "soak1-n1"), "it soaks since then").toMatchObject({ step: "Soaking", since: soaksSince });
    expect((await world.cluster.get(FLEET, "fleet", FLEET_NAMESPACE))?.status).toMatchObject({ later: "N+1" });
    await world.until(
      "rest1",
      "a step that only N+1 knows",
      ({ run: going, nodes = [] }) => going?.state === "Passed" && (nodes[0]?.step as string) === "Resting",
    );
  });

  it("[I21] back to N, which takes over from a frozen N+1: it says that the kinds are later, keeps what it does not know, and ends the rolls", async () => {
    expect((await world.pop("roll1")).status?.run, "there is something left to roll").toMatchObject({ state: "Rolling" });
    expect((await world.pop("back1")).status?.run, "and to take back").toMatchObject({ kind: "Rollback" });
    nRuns = await start(n, "n-again");
    await isReady(nRuns);
    nextRuns.kill("SIGSTOP");
    await leads("n-again");
    const handed = Date.now();
    await eventually(
      () => writesOf(n, handed).filter(succeeded).length,
      (found) => expect(found).toBeGreaterThan(2),
    );
    expect(entryOf(await world.pop("soak1"), "soak1-n1"), "it soaks since then").toMatchObject({ step: "Soaking", since: soaksSince });
    // It does not know yet that it does not lead.
    nextRuns.kill("SIGCONT");
    const ofNext = claimedByNext(await world.pop("roll1"));
    await Promise.all([
      world.until("roll1", "2.0.0 everywhere", passed("2.0.0")),
      world.until("soak1", "2.0.0 everywhere", passed("2.0.0"), 90_000),
      world.until("back1", "1.0.0 everywhere", rolledBack("2.0.0")),
    ]);
    expect(
      writesOf(next, handed)
        .filter(succeeded)
        .map(({ userAgent }) => userAgent),
    ).toEqual([]);
    expect(await nextRuns.stop()).toBe(0);
    expect(nRuns.log()).toContain(`the kinds in this cluster are of version ${next.version}, later than this operator (${n.version})`);
    const roll1 = await world.pop("roll1");
    expect(roll1.spec).toMatchObject({ later: "kept" });
    expect(laterOf(roll1)).toEqual({ by: "N+1", said: "kept" });
    expect(claimedByNext(roll1)).toEqual(ofNext);
    expect((await world.cluster.get(FLEET, "fleet", FLEET_NAMESPACE))?.status).toMatchObject({ later: "N+1" });
    for (const [pop, version] of [
      ["roll1", "2.0.0"],
      ["soak1", "2.0.0"],
      ["back1", "1.0.0"],
    ] as const)
      expect(new Set(Object.values(await servedVersions(world, pop)))).toEqual(new Set([version]));
  });

  it("[I1] [I9] [I16] over both hand-overs no PoP lost more nodes than it may, and no node was disrupted twice", async () => {
    expect(await mostOut(watcher)).toMatchObject({ roll1: 1, back1: 1, soak1: 1, rest1: 1 });
    // A node's label leaves once for each time that the node is taken out of service.
    const path = `/metadata/labels/${REVISION_LABEL.replace("/", "~1")}`;
    const disrupted = operatorWrites(world, rolling)
      .filter((entry) => isNodePatch(entry) && succeeded(entry))
      .filter((entry) => operationsOf(entry).some((operation) => operation.op === "remove" && operation.path === path))
      .map(({ objectRef }) => objectRef!.name!);
    const all = Object.entries(POPS).flatMap(([pop, count]) => Array.from({ length: count }, (_, index) => `${pop}-n${index + 1}`));
    expect(disrupted.toSorted()).toEqual(all.toSorted());
  });

  it("[I21] N does nothing at a step that only N+1 knows, and says so; nothing is lost when N+1 is back", async () => {
    const held = await world.until("rest1", "the hold", (status) => holdOf(status, "LaterVersion") !== undefined);
    expect(holdOf(held.status, "LaterVersion")?.message).toContain("step Resting of node rest1-n1");
    const uid = (await podsOf(world, "rest1")).get("rest1-n1")!.metadata.uid;
    await setVersion(world, "rest1", "3.0.0");
    await world.until("rest1", "N to have seen it", (status, { metadata }) => status.observedGeneration === metadata.generation);
    expect(entryOf(await world.pop("rest1"), "rest1-n1")?.step).toBe("Resting");
    expect((await podsOf(world, "rest1")).get("rest1-n1")!.metadata.uid).toBe(uid);
  });

  it("[I21] kinds of N over objects of N+1 cut fields off at the next write; N+1 stays away from them and says so, until its own are back", async () => {
    expect(await nRuns.stop()).toBe(0);
    await applyKinds(n);
    // Whatever is written next, by whomever, takes with it what the kind does not know any more.
    await eventually(
      () => kubectl("-n", "fleet", "annotate", "--overwrite", "pop", "roll1", "note=written").then(() => world.pop("roll1")),
      ({ spec }) => expect(spec).not.toHaveProperty("later"),
    );
    const since = Date.now();
    nextRuns = await start(next, "next-again");
    const words = `older than this operator (${next.version}), and would lose what they do not know of its ledgers`;
    await eventually(
      () => readiness(nextRuns),
      (found) => expect(found).toContain(words),
      20_000,
    );
    await eventually(
      () => nextRuns.log(),
      (log) => expect(log).toContain(`this operator does not lead yet: the kinds fleets.rollward.dev (${n.version})`),
    );
    expect(told(writesOf(next, since))).toEqual([]);
    await applyKinds(next);
    await isReady(nextRuns);
    await leads("next-again");
    const back = await world.pop("roll1");
    expect(back.spec, "gone for good").not.toHaveProperty("later");
    await say("rest1", undefined);
    await world.until("rest1", "3.0.0", passed("3.0.0"));
    expect((await world.cluster.list(POP_CLUSTER, { namespace: FLEET_NAMESPACE })).map((pop) => laterOf(pop)?.by)).toEqual([
      "N+1",
      "N+1",
      "N+1",
      "N+1",
    ]);
  });

  it("[I21] older kinds that are put under a leader end it within half a minute: the lease is handed back, and started again it waits", async () => {
    await leads("next-again");
    await applyKinds(n);
    await eventually(
      () => nextRuns.child.exitCode,
      (code) => expect(code).toBe(1),
      60_000,
    );
    expect(nextRuns.log()).toContain(
      "the kinds were replaced while this operator worked, so it ends, and waits after its restart: the kinds ",
    );
    await leads("");
    nextRuns = await start(next, "next-restarted");
    await eventually(
      () => readiness(nextRuns),
      (found) => expect(found).toContain(`older than this operator (${next.version})`),
      20_000,
    );
    await leads("");
    await applyKinds(next);
    await leads("next-restarted");
  });
});
