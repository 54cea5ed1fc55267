import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig } from "@kubernetes/client-node";
import { vi } from "vitest";
import type { Fleet } from "../../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../../src/api/maintenance-window.ts";
import type { PopCluster, PopClusterStatus } from "../../../src/api/pop-cluster.ts";
import { allResources, FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../../src/api/resources.ts";
import { AcceleratedClock } from "../../../src/control/clock/accelerated-clock.ts";
import { RealClock } from "../../../src/control/clock/real-clock.ts";
import { NAMESPACE } from "../../../src/control/kinds.ts";
import { ApiError, type Draft, type Kind, type KubernetesObject } from "../../../src/control/ports.ts";
import { KubernetesCluster } from "../../../src/kubernetes/cluster.ts";
import { Transport } from "../../../src/kubernetes/transport.ts";
import type { NodeAddress } from "../../../src/simulation/nodes/node-fleet.ts";
import {
  fleetDraft,
  FLEET_NAMESPACE,
  DATA_PLANE_NAMESPACE,
  popDraft,
  sundayWindow,
  type PopOptions,
} from "../../../src/simulation/world.ts";
import { grantOperatorRights } from "../../../tools/control-plane/operator-rights.ts";
import { freePorts } from "../../../tools/control-plane/ports.ts";
import type { AuditEntry } from "../../../tools/control-plane/audit-log.ts";
import type { ControlPlane } from "../../../tools/control-plane/run.ts";

const ROOT = join(import.meta.dirname, "../../..");
const CRD: Kind = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  plural: "customresourcedefinitions",
  namespaced: false,
};

/** An operator process of its own, as a test starts, kills and stops it. */
export interface OperatorProcess {
  readonly child: ChildProcess;
  readonly metricsPort: number;
  readonly log: () => string;
  kill(signal: NodeJS.Signals): void;
  stop(): Promise<number | null>;
}

/** What every world of real servers is made of. */
export interface Ground {
  readonly controlPlane: ControlPlane;
  readonly cluster: KubernetesCluster;
  readonly calendar: AcceleratedClock;
  readonly folder: string;
  readonly clockFile: string;
  /** The file that says where the nodes are: `[{name, pop, address}]`. */
  readonly directory: string;
  /** Put before a command, they run it where the nodes' addresses are known. */
  readonly enter: readonly string[];
}

/** A control plane on which there is nothing of ours, and a calendar that begins at `start`. */
export function untouchedGround(controlPlane: ControlPlane, start: number): Ground {
  const folder = mkdtempSync(join(tmpdir(), "rollward-rolls-"));
  const clockFile = join(folder, "clock.json");
  const calendar = AcceleratedClock.create(clockFile, { start, rate: 1 });
  const cluster = clusterOf(controlPlane, "admin");
  return { controlPlane, cluster, calendar, folder, clockFile, directory: join(folder, "nodes.json"), enter: [] };
}

/** Prepares a control plane for us: our kinds, the namespaces, the operator's rights, and a calendar that begins at `start`. */
export async function breakGround(controlPlane: ControlPlane, start: number): Promise<Ground> {
  const ground = await groundWithKinds(controlPlane, start);
  await grantOperatorRights(controlPlane, "operator");
  return ground;
}

/** The same without any rights: the test grants its own to the user `operator`. */
export async function groundWithKinds(controlPlane: ControlPlane, start: number): Promise<Ground> {
  const ground = untouchedGround(controlPlane, start);
  const { cluster } = ground;
  await Promise.all(allResources.map((resource) => cluster.create(CRD, resource.crd() as unknown as Draft<KubernetesObject>)));
  for (const name of [FLEET_NAMESPACE, DATA_PLANE_NAMESPACE]) await cluster.create(NAMESPACE, { metadata: { name } });
  await vi.waitFor(() => Promise.all(allResources.map((resource) => cluster.list(resource as Kind, { namespace: FLEET_NAMESPACE }))), {
    timeout: 20_000,
    interval: 100,
  });
  return ground;
}

/** A real control plane with operators in processes of their own, on one calendar; whoever extends it brings the nodes. */
export abstract class ClusterWorld implements Ground {
  readonly controlPlane: ControlPlane;
  readonly cluster: KubernetesCluster;
  readonly calendar: AcceleratedClock;
  readonly folder: string;
  readonly clockFile: string;
  readonly directory: string;
  readonly enter: readonly string[];
  readonly operators: OperatorProcess[] = [];

  constructor({ controlPlane, cluster, calendar, folder, clockFile, directory, enter }: Ground) {
    this.controlPlane = controlPlane;
    this.cluster = cluster;
    this.calendar = calendar;
    this.folder = folder;
    this.clockFile = clockFile;
    this.directory = directory;
    this.enter = enter;
  }

  /** What the operator that was started last has written. */
  protected operatorLog(): string {
    return this.operators.at(-1)?.log() ?? "no operator runs";
  }

  /** Ends the nodes; the last thing before the control plane goes. */
  protected abstract stopNodes(): Promise<unknown>;

  /** Where the nodes of a PoP are, from the directory that whoever runs them keeps. */
  addresses(pop: string): NodeAddress[] {
    return (JSON.parse(readFileSync(this.directory, "utf8")) as NodeAddress[]).filter((node) => node.pop === pop);
  }

  /** Starts an operator process; `flags` are added to `rollward run`. `program`: another build than the sources as they are. */
  async startOperator(flags: readonly string[] = [], program = "src/main.ts"): Promise<OperatorProcess> {
    const [metricsPort] = await freePorts(1);
    const [command = "", ...args] = [
      ...this.enter,
      process.execPath,
      program,
      "run",
      "--kubeconfig",
      this.controlPlane.kubeconfig("operator"),
      "--clock-file",
      this.clockFile,
      "--metrics-address",
      `127.0.0.1:${metricsPort}`,
      ...flags,
    ];
    const child = spawn(command, args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    const file = join(this.folder, `operator-${this.operators.length}.log`);
    const log = createWriteStream(file);
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    const operator: OperatorProcess = {
      child,
      metricsPort: metricsPort!,
      log: () => readFileSync(file, "utf8"),
      kill: (signal) => void child.kill(signal),
      stop: async () => {
        if (child.exitCode === null && child.signalCode === null) {
          child.kill("SIGTERM");
          await once(child, "close");
        }
        return child.exitCode;
      },
    };
    this.operators.push(operator);
    return operator;
  }

  async apply<T extends KubernetesObject>(kind: Kind<T>, draft: Draft<T>): Promise<T> {
    return this.cluster.create(kind, draft);
  }

  /** Fleet, the Sunday window, and a PoP; every real roll needs these. */
  async applyPop(name: string, options: PopOptions = {}): Promise<PopCluster> {
    if (!(await this.cluster.get(FLEET, "fleet", FLEET_NAMESPACE))) await this.apply<Fleet>(FLEET, fleetDraft());
    if (!(await this.cluster.get(MAINTENANCE_WINDOW, "pop-sunday", FLEET_NAMESPACE)))
      await this.apply<MaintenanceWindow>(MAINTENANCE_WINDOW, sundayWindow());
    return this.apply<PopCluster>(POP_CLUSTER, popDraft(name, options));
  }

  async pop(name: string): Promise<PopCluster> {
    const pop = await this.cluster.get<PopCluster>(POP_CLUSTER, name, FLEET_NAMESPACE);
    if (!pop) throw new Error(`there is no PoPCluster ${name}`);
    return pop;
  }

  /** Changes a spec as a person would, again when somebody else wrote meanwhile. */
  async editPop(name: string, change: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<void> {
    for (;;) {
      const pop = await this.pop(name);
      try {
        await this.cluster.update(POP_CLUSTER, { ...pop, spec: change(structuredClone(pop.spec)) });
        return;
      } catch (error) {
        // Only what somebody else wrote meanwhile is tried again; a spec that the server refuses (422) is the test's to hear of.
        if (!(error instanceof ApiError && error.code === 409)) throw error;
      }
    }
  }

  /** Waits, in real time, until a PoP's status satisfies the predicate. */
  async until(
    name: string,
    waitingFor: string,
    predicate: (status: PopClusterStatus, pop: PopCluster) => boolean,
    timeout = 60_000,
  ): Promise<PopCluster> {
    return vi.waitFor(
      async () => {
        const pop = await this.pop(name);
        if (predicate(pop.status ?? {}, pop)) return pop;
        const { run, holds, nodes, history } = pop.status ?? {};
        throw new Error(
          `PoP ${name} is not there yet (${waitingFor}): ${JSON.stringify({ run: run && [run.kind, run.version, run.state, run.ending], holds, nodes: nodes?.map((node) => [node.name, node.step, node.message]), history })}; ${this.operatorLog().slice(-600)}`,
        );
      },
      { timeout, interval: 100 },
    );
  }

  /** Ends every process and removes the folder. Rejects afterwards if the operators asked for something that no role gives them. */
  async stop(): Promise<void> {
    await Promise.all(this.operators.map((operator) => (operator.kill("SIGCONT"), operator.stop())));
    const refused = this.#refused();
    await this.stopNodes();
    this.calendar.close();
    await this.cluster.close();
    await this.controlPlane.stop();
    rmSync(this.folder, { recursive: true, force: true });
    if (refused.length > 0) throw new Error(`config/rbac does not allow what the operators of this test did: ${refused.join(", ")}`);
  }

  /**
   * What the server's authorizer always kept from the user `operator`, who has what the project ships. A server that was just started
   * refuses for a moment what it allows afterwards: it has not read the roles yet.
   */
  #refused(): string[] {
    const [refused, allowed] = [new Set<string>(), new Set<string>()];
    const ours = ({ user, userAgent }: AuditEntry) => user.username === "operator" && userAgent.startsWith("rollward/");
    for (const { verb, objectRef, annotations } of this.controlPlane.auditEntries(ours)) {
      const { resource, subresource, namespace } = objectRef ?? {};
      const what = [verb, [resource, subresource].filter(Boolean).join("/"), ...(namespace === undefined ? [] : ["in", namespace])].join(
        " ",
      );
      (annotations?.["authorization.k8s.io/decision"] === "forbid" ? refused : allowed).add(what);
    }
    return [...refused].filter((what) => !allowed.has(what));
  }
}

/** A connection as one of the control plane's users. */
export function clusterOf(controlPlane: ControlPlane, user: Parameters<ControlPlane["kubeconfig"]>[0]): KubernetesCluster {
  const kubeconfig = new KubeConfig();
  kubeconfig.loadFromFile(controlPlane.kubeconfig(user));
  const clock = new RealClock();
  return new KubernetesCluster({
    clock,
    log: () => {},
    transport: new Transport({ kubeconfig, clock, name: "the test cluster", userAgent: `test-${user}/1` }),
  });
}
