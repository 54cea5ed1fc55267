import { request } from "node:https";
import { POP_LABEL } from "../api/names.ts";
import type { DemoNodes, DemoPorts } from "../cli/demo/ports.ts";
import { controlPlaneTools, forDemo, toolsOrNone } from "./demo-tools.ts";

type ControlPlane = import("../../tools/control-plane/run.ts").ControlPlane;
type NodeTools = import("../../tools/nodes/install.ts").NodeTools;
type RealNodes = import("../../tools/nodes/run.ts").RealNodes;

const TOOLS = "../../tools/nodes/";
const KUBELET_PORT = 10_250;
const KUBELET_WITHIN_MILLISECONDS = 10_000;

/** Real nodes for the demo. Rejects with the sentence of the tools where they cannot be; nothing is left of what was begun. */
export const startRealNodes: DemoPorts["startRealNodes"] = async (signal, { nodes: wanted, nodeMonitorGraceSeconds, say }) => {
  const { ensureNodeTools, ensureControlPlane, startControlPlane, controlPlaneFor, RealNodes, grantOperatorRights } = await loadTools();
  // First, because it says at once whether this machine can run nodes at all.
  const tools = await ensureNodeTools({ signal });
  const binaries = await ensureControlPlane({ signal });
  const began = performance.now();
  const passed = (): string => `after ${((performance.now() - began) / 1000).toFixed(1)} s`;
  say("Starting a control plane: etcd, kube-apiserver, kube-controller-manager, kube-scheduler …");
  const users = controlPlaneFor(wanted.map(({ name }) => name));
  const controlPlane = await startControlPlane({ ...users, binaries, nodeMonitorGraceSeconds });
  try {
    signal.throwIfAborted();
    say(`  it answers ${passed()}`);
    say(`Starting ${wanted.length} nodes, each a kubelet and a containerd in namespaces and cgroups of its own …`);
    const started = await RealNodes.start(
      controlPlane,
      tools,
      wanted.map(({ name, pop }) => ({ name, labels: { [POP_LABEL]: pop } })),
      { signal, onReady: (name) => say(`  ${name} is Ready ${passed()}`) },
    );
    return { controlPlane: forDemo(controlPlane, grantOperatorRights), nodes: nodesForDemo(started, controlPlane, tools, wanted) };
  } catch (error) {
    await controlPlane.stop();
    throw error;
  }
};

const loadTools = () =>
  toolsOrNone("No real nodes here: this copy of rollward has no tools to start any, a checkout has.", async () => {
    // Not literals: the bundle of the product leaves the tools out.
    const [install, nodes, controlPlane] = await Promise.all([
      import(`${TOOLS}install.ts`) as Promise<typeof import("../../tools/nodes/install.ts")>,
      import(`${TOOLS}run.ts`) as Promise<typeof import("../../tools/nodes/run.ts")>,
      controlPlaneTools(),
    ]);
    return { ...install, ...nodes, ...controlPlane };
  });

const nodesForDemo = (
  started: RealNodes,
  controlPlane: ControlPlane,
  { tags }: NodeTools,
  wanted: Parameters<DemoPorts["startRealNodes"]>[1]["nodes"],
): DemoNodes => ({
  directory: wanted.map((node) => ({ ...node, address: started.address(node.name) })),
  doorOf: ({ name }, port) => ({ path: started.door(name, port) }),
  enter: started.enter,
  powerOff: (name) => started.powerOff(name),
  powerOn: (name) => started.powerOn(name),
  digest: (version) => tags[`pop:${version}`],
  askKubelet: (name, path) => askKubelet(started.door(name, KUBELET_PORT), path),
  runtimeLog: (name) => started.runtimeLog(name),
  audit: () => controlPlane.auditEntries(),
  stop: () => started.stop(),
});

/** The kubelet shows a certificate that it made itself, on a socket that nobody but us can open. */
function askKubelet(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(KUBELET_WITHIN_MILLISECONDS);
    const asked = request({ socketPath, path, agent: false, rejectUnauthorized: false, signal }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200
          ? resolve(body)
          : reject(new Error(`a kubelet answered GET ${path} with ${response.statusCode}: ${body}`)),
      );
    });
    asked.on("error", reject);
    asked.end();
  });
}
