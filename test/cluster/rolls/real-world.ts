import { startControlPlane } from "../../../tools/control-plane/run.ts";
import { LineProcess } from "../virtual-nodes/child-process.ts";
import { breakGround, ClusterWorld, type Ground } from "./cluster-world.ts";

export interface RealWorldOptions {
  /** Where calendar time begins, RFC 3339. */
  readonly start: string;
  /** PoPs and their node counts. */
  readonly pops: Readonly<Record<string, number>>;
  /** Plurals of our kinds whose status writes stand in the audit log with their bodies. */
  readonly auditStatusesOf?: readonly string[];
  readonly apiServerFlags?: readonly string[];
}

/** A real control plane with virtual nodes in one process, operators in others, on one accelerated calendar (T3). */
export class RealWorld extends ClusterWorld {
  readonly nodes: LineProcess;

  private constructor(ground: Ground, nodes: LineProcess) {
    super(ground);
    this.nodes = nodes;
  }

  static async start({ start, pops, auditStatusesOf = [], apiServerFlags = [] }: RealWorldOptions): Promise<RealWorld> {
    const controlPlane = await startControlPlane({ nodeMonitorGraceSeconds: 5, auditStatusesOf, apiServerFlags });
    const ground = await breakGround(controlPlane, Date.parse(start));
    const counts = Object.entries(pops).flatMap(([pop, count]) => ["--pop", `${pop}=${count}`]);
    const nodes = new LineProcess("src/simulation/nodes/main.ts", [
      "--kubeconfig",
      controlPlane.kubeconfig("virtual-nodes"),
      ...counts,
      "--heartbeat",
      "1000",
      "--directory",
      ground.directory,
      "--clock",
      ground.clockFile,
    ]);
    await nodes.line("ready");
    return new RealWorld(ground, nodes);
  }

  protected stopNodes(): Promise<unknown> {
    return this.nodes.end();
  }
}
