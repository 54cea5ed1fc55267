import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import { REVISION_LABEL } from "../../../src/api/names.ts";
import { startPrometheus, type Prometheus } from "../../../tools/prometheus/run.ts";
import { describeWithControlPlane } from "../control-plane/available.ts";
import type { LineProcess } from "../virtual-nodes/child-process.ts";
import { isNodePatch, operationsOf, operatorWrites, succeeded } from "./audit.ts";
import {
  firstVersions,
  HOUR,
  openFleet,
  passed,
  QUICK,
  rolledBack,
  servedVersions,
  setVersion,
  SHORT_DRAIN,
  startWatcher,
  SUNDAY,
} from "./pops.ts";
import { RealWorld } from "./real-world.ts";
import { SessionLoadProcess } from "./session-record.ts";

const ROOT = join(import.meta.dirname, "../../..");
const run = promisify(execFile);

interface Bad {
  readonly pop: string;
  readonly version: string;
  /** Names the check that found it. */
  readonly evidence: RegExp;
}

const BAD: readonly Bad[] = [
  { pop: "pull1", version: "2.0.0-no-pull", evidence: /^node pull1-n\d: pod \S+: container pop is (ErrImagePull|ImagePullBackOff)/ },
  { pop: "start1", version: "2.0.0-no-start", evidence: /^node start1-n\d: pod \S+: container pop is CreateContainerError/ },
  { pop: "crash2", version: "2.0.0-crash-loop", evidence: /^node crash2-n\d: pod \S+: container pop exited \d+ times/ },
  { pop: "never1", version: "2.0.0-never-ready", evidence: /^node never1-n\d: after 20s: .*is not Ready/ },
  {
    pop: "sick1",
    version: "2.0.0-bad-health",
    evidence: /^node sick1-n\d: (after 20s: )?ready: GET http:\/\/\S+ answered 500|^node sick1-n\d: after 20s: .*not Ready/,
  },
  { pop: "lose1", version: "2.0.0-loses-sessions", evidence: /reconnect: \d+ of \d+ sessions of lose1-n\d returned within 10 s/ },
  { pop: "err1", version: "2.0.0-errors", evidence: /errors: .*pop_errors_total/ },
];

describeWithControlPlane("[T3] what is said of a bad version", () => {
  let world: RealWorld;
  let prometheus: Prometheus;
  let load: SessionLoadProcess;
  let watcher: LineProcess;

  beforeAll(async () => {
    world = await RealWorld.start({ start: SUNDAY, pops: { ...Object.fromEntries(BAD.map(({ pop }) => [pop, 2])), hour1: 2 } });
    const targets = world.addresses("err1").map(({ address }) => `${address}:8080`);
    prometheus = await startPrometheus({
      configuration: {
        global: { scrape_interval: "1s" },
        scrape_configs: [{ job_name: "nodes", honor_labels: true, static_configs: [{ targets }] }],
      },
    });
    await openFleet(world);
    await world.startOperator(["--prometheus-url", prometheus.url]);
    const ready = { name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "1s", timeout: "1s" };
    const errors = {
      name: "errors",
      prometheus: { query: 'sum(rate(pop_errors_total{node="${node}"}[5s]))', passIf: "<= 0.01" },
      successes: 2,
      failures: 2,
      interval: "1s",
    };
    const quick = {
      perNode: { ...QUICK.perNode, expected: "5s", deadline: "20s" },
      drain: SHORT_DRAIN,
    };
    await firstVersions(world, {
      ...Object.fromEntries(BAD.map(({ pop }) => [pop, {}])),
      never1: { strategy: quick },
      sick1: { strategy: quick },
      err1: { health: { node: [ready, errors] }, strategy: quick },
      hour1: {},
    });
    load = await SessionLoadProcess.start(world, "lose1", 80);
    watcher = await startWatcher(world, [...BAD.map(({ pop }) => pop), "hour1"]);
  });
  afterAll(async () => {
    await load?.end();
    await watcher?.end();
    await prometheus?.stop();
    await world?.stop();
  });

  /** What `rollward explain` prints, with the object as it stood before and after: only if it did not move is the text judged. */
  async function explain(pop: string): Promise<{ readonly text: string; readonly stood: PopCluster | undefined }> {
    const before = await world.pop(pop);
    const { stdout } = await run(
      process.execPath,
      ["src/main.ts", "explain", `pop/${pop}`, "--kubeconfig", world.controlPlane.kubeconfig("watcher"), "--namespace", "fleet"],
      { cwd: ROOT },
    );
    const after = await world.pop(pop);
    return { text: stdout, stood: before.metadata.resourceVersion === after.metadata.resourceVersion ? after : undefined };
  }

  /** The sentences against the ledger that they speak of. */
  function expectTrue(text: string, { status, metadata }: PopCluster): void {
    const current = status?.run;
    const words =
      current === undefined
        ? `runs ${status?.version}`
        : {
            Preflight: "is about to go to",
            Rolling: "is rolling",
            RollingBack: "is rolling back",
            Baking: "which bakes",
            Passed: "which passed and is watched",
          }[current.state];
    expect(text.split("\n")[0]).toContain(`PoPCluster ${metadata.name}`);
    expect(text.split("\n")[0]).toContain(words);
    if (current?.version) expect(text).toContain(current.version);
    if (current?.cause) expect(text).toContain(`Why: ${current.cause}`);
    for (const hold of status?.holds ?? []) expect(text).toContain(`${hold.reason} (rule ${hold.rule}): ${hold.message}`);
    for (const entry of status?.nodes ?? [])
      if (["Claimed", "Updating", "Soaking", "Failed"].includes(entry.step)) expect(text).toContain(`${entry.name}: ${entry.step} since`);
    for (const failed of status?.revisions?.failed ?? []) expect(text).toContain(`${failed.version} (revision ${failed.revision}) failed`);
  }

  /** Seconds from the first pod of the bad version (its label put on) to the verdict, and to the first node that served again. */
  function times(pop: string, version: string, failedAt: string): string {
    const labelled = operatorWrites(world)
      .filter((entry) => isNodePatch(entry) && succeeded(entry) && entry.objectRef?.name?.startsWith(`${pop}-`))
      .find(
        (entry) =>
          operationsOf(entry).some(({ op, path }) => op === "add" && path.includes(REVISION_LABEL.replace("/", "~1"))) &&
          Date.parse(entry.stageTimestamp) > joined,
      );
    const put = Date.parse(labelled!.stageTimestamp);
    const back = watcher.lines.find(
      (line) =>
        line.type === "node" &&
        line["pop"] === pop &&
        line["serving"] === true &&
        line["version"] === "1.0.0" &&
        (line["at"] as number) > put,
    );
    const offset = world.calendar.now() - Date.now();
    return `${version}: verdict ${seconds(Date.parse(failedAt) - offset - put)} after its first pod, first node back after ${back ? seconds((back["at"] as number) - put) : "?"}`;
  }
  const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;
  let joined = 0;

  describe.concurrent("each on a PoP of its own", () => {
    for (const { pop, version, evidence } of BAD) {
      it(`[P6] ${version}: the history names what found it, and every sentence of explain is true`, async () => {
        joined ||= Date.now();
        await setVersion(world, pop, version);
        await world.until(pop, "the roll", (status) => status.run?.version === version && status.run.state === "Rolling");
        const rolling = await explain(pop);
        if (rolling.stood) expectTrue(rolling.text, rolling.stood);
        await world.until(pop, "the rollback", (status) => status.run?.kind === "Rollback" || rolledBack(version)(status), 90_000);
        const turning = await explain(pop);
        if (turning.stood) expectTrue(turning.text, turning.stood);
        const back = await world.until(pop, "the rollback's end", rolledBack(version), 90_000);
        expect(back.status?.history?.at(-1)?.evidence).toMatch(evidence);
        await world.until(pop, "the hold", (status) => status.holds?.[0]?.reason === "FailedBefore");
        const rested = await vi.waitFor(async () => {
          const { text, stood } = await explain(pop);
          if (!stood) throw new Error(`PoPCluster ${pop} was written while it was explained`);
          return { text, stood };
        }, 30_000);
        expectTrue(rested.text, rested.stood);
        expect(rested.text.split("\n")[0]).toBe(`PoPCluster ${pop} runs 1.0.0; it waits: FailedBefore`);
        expect(Object.values(await servedVersions(world, pop))).toEqual(["1.0.0", "1.0.0"]);
        console.info(times(pop, version, back.status!.revisions!.failed!.at(-1)!.at));
      });
    }
  });

  it("[P8] 2.0.0-bad-after-1h: true while it is good, while it is taken back and afterwards", async () => {
    await setVersion(world, "hour1", "2.0.0-bad-after-1h");
    await world.until("hour1", "the watch", passed("2.0.0-bad-after-1h"));
    const good = await explain("hour1");
    if (good.stood) expectTrue(good.text, good.stood);
    const turned = Date.now();
    await world.calendar.jumpTo(world.calendar.now() + HOUR);
    await world.until("hour1", "the rollback", (status) => status.run?.kind === "Rollback");
    const turning = await explain("hour1");
    if (turning.stood) expectTrue(turning.text, turning.stood);
    const back = await world.until("hour1", "the rollback's end", rolledBack("2.0.0-bad-after-1h"), 90_000);
    expect(back.status?.history?.at(-1)?.evidence).toMatch(/^node hour1-n\d: (pod|ready)/);
    const first = watcher.lines.find(
      (line) =>
        line.type === "node" &&
        line["pop"] === "hour1" &&
        line["serving"] === true &&
        line["version"] === "1.0.0" &&
        (line["at"] as number) > turned,
    );
    console.info(`2.0.0-bad-after-1h: first node back ${first ? seconds((first["at"] as number) - turned) : "?"} after the hour was over`);
  });
});
