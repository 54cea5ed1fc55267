// What every benchmark runs on: a real control plane, virtual nodes in one process, the bundled operator in another (T3).
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { KubeConfig } from "@kubernetes/client-node";
import type { Fleet } from "../src/api/fleet.ts";
import type { MaintenanceWindow } from "../src/api/maintenance-window.ts";
import type { PopCluster } from "../src/api/pop-cluster.ts";
import { allResources, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../src/api/resources.ts";
import { AcceleratedClock } from "../src/control/clock/accelerated-clock.ts";
import { RealClock } from "../src/control/clock/real-clock.ts";
import { NAMESPACE } from "../src/control/kinds.ts";
import { type Cache, type Draft, isConflict, type Kind, type KubernetesObject } from "../src/control/ports.ts";
import { KubernetesCluster } from "../src/kubernetes/cluster.ts";
import { Transport } from "../src/kubernetes/transport.ts";
import { DATA_PLANE_NAMESPACE, fleetDraft, FLEET_NAMESPACE, popDraft, type PopOptions, sundayWindow } from "../src/simulation/world.ts";
import { freePorts } from "../tools/control-plane/ports.ts";
import { type ControlPlane, startControlPlane } from "../tools/control-plane/run.ts";

const ROOT = join(import.meta.dirname, "..");
const CRD: Kind = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};
/** A Sunday, ten minutes into the window of sundayWindow() in Berlin; calendar time runs at the machine's pace from there. */
const CALENDAR_START = "2026-11-22T00:10:00Z";
/** The user agent of everything that a benchmark itself asks, to be told apart in the audit log. */
const USER_AGENT = "rollward-bench/1";

export interface OperatorRun {
  readonly child: ChildProcess;
  readonly port: number;
  /** `performance.now()` right before the process was started. */
  readonly spawnedAt: number;
  readonly log: () => string;
  stop(): Promise<void>;
}

export class BenchWorld {
  readonly controlPlane: ControlPlane;
  readonly cluster: KubernetesCluster;
  readonly pops: Cache<PopCluster>;
  readonly #nodes: ChildProcess;
  readonly #folder: string;
  readonly #calendar: AcceleratedClock;
  readonly #operators: OperatorRun[] = [];

  private constructor(
    controlPlane: ControlPlane,
    nodes: ChildProcess,
    folder: string,
    calendar: AcceleratedClock,
    cluster: KubernetesCluster,
  ) {
    this.controlPlane = controlPlane;
    this.#nodes = nodes;
    this.#folder = folder;
    this.#calendar = calendar;
    this.cluster = cluster;
    this.pops = cluster.cache(POP_CLUSTER, { namespace: FLEET_NAMESPACE });
  }

  /** `pops`: node counts by PoP. Each virtual node starts containers within about 0.2 s. */
  static async start(pops: Readonly<Record<string, number>>): Promise<BenchWorld> {
    const controlPlane = await startControlPlane();
    const folder = mkdtempSync(join(tmpdir(), "rollward-bench-"));
    const calendar = AcceleratedClock.create(join(folder, "clock.json"), { start: Date.parse(CALENDAR_START), rate: 1 });
    const cluster = clusterOf(controlPlane);
    await Promise.all(allResources.map((resource) => cluster.create(CRD, resource.crd() as unknown as Draft<KubernetesObject>)));
    for (const name of [FLEET_NAMESPACE, DATA_PLANE_NAMESPACE]) await cluster.create(NAMESPACE, { metadata: { name } });
    await eventually("the CRDs are served", async () => {
      await Promise.all(allResources.map((resource) => cluster.list(resource as Kind, { namespace: FLEET_NAMESPACE })));
      return true;
    });
    const counts = Object.entries(pops).flatMap(([pop, count]) => ["--pop", `${pop}=${count}`]);
    const nodes = spawn(
      process.execPath,
      [
        "src/simulation/nodes/main.ts",
        "--kubeconfig",
        controlPlane.kubeconfig("virtual-nodes"),
        "--clock",
        join(folder, "clock.json"),
        ...counts,
      ],
      { cwd: ROOT, stdio: ["pipe", "pipe", "inherit"] },
    );
    const ready = Promise.withResolvers<void>();
    nodes.once("exit", (code) => ready.reject(new Error(`the virtual nodes ended with ${code} before they were ready`)));
    createInterface(nodes.stdout).on("line", (line) => (JSON.parse(line) as { type: string }).type === "ready" && ready.resolve());
    await ready.promise;
    const world = new BenchWorld(controlPlane, nodes, folder, calendar, cluster);
    await world.pops.whenSynced();
    await cluster.create<Fleet>(FLEET, fleetDraft());
    await cluster.create<MaintenanceWindow>(MAINTENANCE_WINDOW, sundayWindow());
    return world;
  }

  /**
   * Starts `program` (dist/rollward.mjs) as the operator, as its #! line says and by this Node, in an environment of its own: what
   * this shell sets for Node (extra certificates, options) would be counted as the operator's.
   */
  async startOperator(program: string, flags: readonly string[] = []): Promise<OperatorRun> {
    const [port = 0] = await freePorts(1);
    const kubeconfig = this.controlPlane.kubeconfig("admin");
    const args = [
      "run",
      "--kubeconfig",
      kubeconfig,
      "--metrics-address",
      `127.0.0.1:${port}`,
      "--clock-file",
      join(this.#folder, "clock.json"),
      ...flags,
    ];
    const log = join(this.#folder, `operator-${this.#operators.length}.log`);
    const spawnedAt = performance.now();
    const environment = { PATH: `${dirname(process.execPath)}:${process.env["PATH"]}`, HOME: this.#folder };
    const child = spawn(program, args, { cwd: this.#folder, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => appendFileSync(log, text));
    const operator: OperatorRun = {
      child,
      port,
      spawnedAt,
      log: () => readFileSync(log, "utf8"),
      stop: async () => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill("SIGTERM");
        await once(child, "exit");
      },
    };
    child.once("exit", (code) => code && console.error(`the operator ended with ${code}: ${operator.log().slice(-3_000)}`));
    this.#operators.push(operator);
    return operator;
  }

  async createPop(name: string, options: PopOptions): Promise<void> {
    await this.cluster.create(POP_CLUSTER, popDraft(name, options));
  }

  /** Changes a spec as a person would; answers `performance.now()` right before the write that succeeded. */
  async editPop(name: string, change: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<number> {
    for (;;) {
      const pop = await this.cluster.get<PopCluster>(POP_CLUSTER, name, FLEET_NAMESPACE);
      if (!pop) throw new Error(`there is no PoPCluster ${name}`);
      const at = performance.now();
      try {
        await this.cluster.update(POP_CLUSTER, { ...pop, spec: change(structuredClone(pop.spec)) });
        return at;
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    }
  }

  /** The first state of a PoP, seen by a watch, that satisfies the predicate, and `performance.now()` when it was seen. */
  async until(
    name: string,
    waitingFor: string,
    predicate: (pop: PopCluster) => boolean,
    timeout = 120_000,
  ): Promise<{ readonly pop: PopCluster; readonly at: number }> {
    return changeIn(
      this.pops,
      () => this.pops.get(name, FLEET_NAMESPACE),
      predicate,
      timeout,
      () => {
        const status = this.pops.get(name, FLEET_NAMESPACE)?.status;
        return `PoP ${name} did not come so far (${waitingFor}); it stood at ${JSON.stringify({ run: status?.run?.state, holds: status?.holds, nodes: status?.nodes })}; the operator said ${this.#operators.at(-1)?.log().slice(-3_000)}`;
      },
    );
  }

  /** Ends every process and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.#operators.map((operator) => operator.stop()));
    this.#nodes.stdin?.end();
    if (this.#nodes.exitCode === null && this.#nodes.signalCode === null) await once(this.#nodes, "exit");
    this.#calendar.close();
    await this.cluster.close();
    await this.controlPlane.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs a benchmark in a world and leaves nothing behind, whatever happens in it. */
export async function inWorld<Result>(
  pops: Readonly<Record<string, number>>,
  run: (world: BenchWorld) => Promise<Result>,
): Promise<Result> {
  const world = await BenchWorld.start(pops);
  try {
    return await run(world);
  } finally {
    await world.stop();
  }
}

function clusterOf(controlPlane: ControlPlane): KubernetesCluster {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(controlPlane.kubeconfig("admin"));
  const clock = new RealClock();
  return new KubernetesCluster({
    clock,
    log: () => {},
    transport: new Transport({ kubeconfig, clock, name: "the cluster", userAgent: USER_AGENT }),
  });
}

/** Waits for the object in a cache to satisfy the predicate; told by the watch, not by asking. */
export function changeIn<T extends KubernetesObject>(
  cache: Cache<T>,
  object: () => T | undefined,
  predicate: (object: T) => boolean,
  timeout: number,
  late: () => string,
): Promise<{ readonly pop: T; readonly at: number }> {
  return new Promise((resolve, reject) => {
    const look = (): boolean => {
      const current = object();
      if (current === undefined || !predicate(current)) return false;
      const at = performance.now();
      clearTimeout(timer);
      unsubscribe();
      resolve({ pop: current, at });
      return true;
    };
    const timer = setTimeout(() => {
      unsubscribe();
      reject(new Error(late()));
    }, timeout);
    let unsubscribe = () => {};
    if (!look()) unsubscribe = cache.onChange(() => void look());
  });
}

async function eventually(what: string, attempt: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    try {
      if (await attempt()) return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    if (performance.now() > end) throw new Error(`it did not come to pass within 20 s that ${what}`);
  }
}
