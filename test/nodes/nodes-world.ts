import { writeFileSync } from "node:fs";
import { DAYS, type MaintenanceWindow } from "../../src/api/maintenance-window.ts";
import { MAINTENANCE_WINDOW } from "../../src/api/resources.ts";
import type { NodeAddress } from "../../src/simulation/nodes/node-fleet.ts";
import { sundayWindow, type PopOptions } from "../../src/simulation/world.ts";
import { podTemplate } from "../../src/cli/demo/nodes/cast.ts";
import { startControlPlane } from "../../tools/control-plane/run.ts";
import { ensureNodeTools, REGISTRY, type NodeTools } from "../../tools/nodes/install.ts";
import { controlPlaneFor, RealNodes } from "../../tools/nodes/run.ts";
import { breakGround, ClusterWorld, type Ground } from "../cluster/rolls/cluster-world.ts";

/** Reports come every two seconds; a machine with other work to do may miss some. */
const NODE_MONITOR_GRACE_SECONDS = 16;

/** A real control plane and real nodes, with operators in processes of their own in the nodes' network (T4). */
export class NodesWorld extends ClusterWorld {
  readonly nodes: RealNodes;
  readonly tools: NodeTools;

  private constructor(ground: Ground, nodes: RealNodes, tools: NodeTools) {
    super(ground);
    this.nodes = nodes;
    this.tools = tools;
  }

  /** Nodes `<pop>-n1`, `<pop>-n2`, … of one PoP. Calendar time begins now. */
  static async start(pop: string, count: number): Promise<NodesWorld> {
    const tools = await ensureNodeTools();
    const names = Array.from({ length: count }, (_, index) => `${pop}-n${index + 1}`);
    const controlPlane = await startControlPlane({ ...controlPlaneFor(names), nodeMonitorGraceSeconds: NODE_MONITOR_GRACE_SECONDS });
    let nodes: RealNodes | undefined;
    try {
      const started = await RealNodes.start(
        controlPlane,
        tools,
        names.map((name) => ({ name, labels: { "rollward.dev/pop": pop } })),
      );
      nodes = started;
      const ground = await breakGround(controlPlane, Date.now());
      const addresses = names.map((name): NodeAddress => ({ name, pop, address: started.address(name) }));
      writeFileSync(ground.directory, JSON.stringify(addresses));
      return new NodesWorld({ ...ground, enter: started.enter }, started, tools);
    } catch (error) {
      await nodes?.stop();
      await controlPlane.stop();
      throw error;
    }
  }

  /** The window of the PoPs, always open: what a test of real nodes waits for is a kubelet, not Sunday. */
  async openWindow(): Promise<void> {
    const weekly = DAYS.map((day) => ({ day, start: "00:00", duration: "24h" }));
    const draft = sundayWindow();
    await this.apply<MaintenanceWindow>(MAINTENANCE_WINDOW, { ...draft, spec: { ...draft.spec, schedule: { weekly, everyWeeks: 1 } } });
  }

  /** What each node serves, by its own word and from outside of it; undefined where it does not. */
  async served(): Promise<Record<string, string | undefined>> {
    const answers = this.nodes.names.map(async (name): Promise<[string, string | undefined]> => {
      const answer = await this.nodes.ask(name, "/healthz");
      const health = answer?.status === 200 ? (JSON.parse(answer.body) as { version: string; draining: boolean }) : undefined;
      return [name, health === undefined || health.draining ? undefined : health.version];
    });
    return Object.fromEntries(await Promise.all(answers));
  }

  protected stopNodes(): Promise<unknown> {
    return this.nodes.stop();
  }
}

/** The data plane as a pod that the profile *restricted* would take, but for the node's network, which it is there to serve. */
export const onRealNodes = (pop: string, options: PopOptions = {}): PopOptions => ({
  ...options,
  spec: {
    ...options.spec,
    template: podTemplate(pop, `${REGISTRY}/pop:\${version}`),
  },
});
