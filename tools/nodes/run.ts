// Real nodes for a running control plane: each a kubelet and a containerd in mount, network, UTS, IPC, PID and cgroup namespaces of its
// own, joined by a network that only they are in. Nothing of the machine is changed, and everything ends with the process that
// started it, however that ends.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { writeKubeconfig, type User } from "../control-plane/credentials.ts";
import type { ControlPlane } from "../control-plane/run.ts";
import { Servers } from "../control-plane/servers.ts";
import { CGROUP_PREFIX, removeCgroupTrees } from "../cgroup-tree.ts";
import { limitMemory, makeCgroups, ownHierarchies, type Hierarchy } from "./cgroups.ts";
import { NodesUnavailable, type NodeTools } from "./install.ts";
import { addressOf, API_ADDRESS, GATEWAY, type NodePlan, REGISTRY_PORT, writeNodeFiles } from "./node-files.ts";
import { endpointsOfApi, SERVICES, serviceProxyOf } from "./service-proxy.ts";

const READY_WITHIN_MS = 90_000;
const ASK_EVERY_MS = 100;
/** Ports of each node that are asked from outside the nodes' network: the data plane's two, and the kubelet's. */
const DOOR_PORTS: readonly number[] = [8080, 7000, 10_250];

export interface StartOptions {
  /** Told of each node as it gets Ready. */
  readonly onReady?: (name: string) => void;
  /** Ends the start; what was begun is gone when it rejects. */
  readonly signal?: AbortSignal;
}

export interface NodeOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Its rights come with Kubernetes. */
const SERVICE_PROXY = "system:kube-proxy";

/** What a control plane has to be started with for nodes of these names: their users, and the rights of a node and no more. */
export const controlPlaneFor = (
  names: readonly string[],
): { readonly users: readonly User[]; readonly apiServerFlags: readonly string[] } => ({
  users: [...names.map((name) => ({ name: userOf(name), groups: ["system:nodes"] })), { name: SERVICE_PROXY, groups: [] }],
  apiServerFlags: [
    "--authorization-mode=Node",
    "--enable-admission-plugins=NodeRestriction",
    "--kubelet-preferred-address-types=InternalIP",
  ],
});

const userOf = (name: string): string => `system:node:${name}`;

/** A group of real nodes. */
export class RealNodes {
  /** Put before a command, they run it in the nodes' network. */
  readonly enter: readonly string[];
  readonly folder: string;
  readonly #servers: Servers;
  readonly #controlPlane: ControlPlane;
  readonly #plans: ReadonlyMap<string, NodePlan>;
  readonly #hierarchies: readonly Hierarchy[];

  private constructor(servers: Servers, controlPlane: ControlPlane, plans: readonly NodePlan[], enter: readonly string[]) {
    this.#servers = servers;
    this.#controlPlane = controlPlane;
    this.#plans = new Map(plans.map((plan) => [plan.name, plan]));
    this.#hierarchies = plans[0]?.hierarchies ?? [];
    this.folder = servers.folder;
    this.enter = enter;
  }

  /**
   * Starts the nodes and waits until all are Ready (5 to 8 s for four). The control plane has to be started with `controlPlaneFor`. Throws
   * NodesUnavailable where there are no cgroups for them, and an error with the ends of their logs when they do not come up.
   */
  static async start(
    controlPlane: ControlPlane,
    tools: NodeTools,
    nodes: readonly NodeOptions[],
    { onReady, signal }: StartOptions = {},
  ): Promise<RealNodes> {
    const hierarchies = ownHierarchies();
    if (typeof hierarchies === "string") throw new NodesUnavailable(`No real nodes here: ${hierarchies}.`);
    const servers = await Servers.open();
    try {
      const { folder } = servers;
      await servers.start("network", "unshare", ["-n", "--", "sleep", "infinity"]);
      const network = servers.pid("network");
      const enter = await openNetwork(network);
      const group = CGROUP_PREFIX + randomBytes(4).toString("hex");
      // Claimed before they are made: what nobody knows of would stay.
      servers.own(hierarchies.map(({ own }) => join(own, group)));
      makeCgroups(hierarchies, group);
      limitMemory(hierarchies, group);
      const plans = nodes.map(({ name, labels }, index): NodePlan => {
        const kubeconfig = join(folder, `${name}.kubeconfig`);
        writeKubeconfig(kubeconfig, `https://${API_ADDRESS}`, controlPlane.caFile, name, controlPlane.tokens[userOf(name)] ?? "");
        const own = { folder: join(folder, name), kubeconfig, cgroup: join(group, name) };
        return { name, number: index + 1, labels, ...own, tools, hierarchies, network };
      });
      const started = new RealNodes(servers, controlPlane, plans, enter);
      await started.#startNetwork(tools);
      await Promise.all(plans.map(({ name }) => started.powerOn(name, signal).then(() => onReady?.(name))));
      return started;
    } catch (error) {
      await servers.stop();
      throw error;
    }
  }

  get names(): readonly string[] {
    return [...this.#plans.keys()];
  }

  address(name: string): string {
    return addressOf(this.#plan(name));
  }

  /** Ends everything on a node in one moment, as the loss of its power does; its disk stays. */
  async powerOff(name: string): Promise<void> {
    const { cgroup } = this.#plan(name);
    await this.#servers.end(name, "SIGKILL");
    const left = removeCgroupTrees(this.#hierarchies.map(({ own }) => join(own, cgroup)));
    if (left.length > 0) throw new Error(`Processes of node ${name} do not end; ${left.join(", ")} are still in use.`);
  }

  /** Starts a node and waits until it says of this boot that it is Ready. */
  async powerOn(name: string, signal?: AbortSignal): Promise<void> {
    const plan = this.#plan(name);
    makeCgroups(this.#hierarchies, plan.cgroup);
    const script = writeNodeFiles(plan);
    if (this.#servers.has(name)) await this.#servers.startAgain(name);
    else await this.#servers.start(name, "sh", [script]);
    await this.#untilReady(plan, signal);
  }

  /** A socket that leads to that port of the node; who connects to one of a node that is off is closed at once. */
  door(name: string, port: number): string {
    if (!DOOR_PORTS.includes(port))
      throw new Error(`No door leads to port ${port} of a node; there are doors to ${DOOR_PORTS.join(", ")}.`);
    return doorOf(this.folder, this.#plan(name).name, port);
  }

  /**
   * Gives Services their addresses, for pods and for whoever is in the nodes' network: one kube-proxy at the router that all of them go
   * through, and not one on each node, so nodes themselves find no Service, and node ports are open nowhere.
   */
  async startServiceProxy(): Promise<void> {
    const [plan] = this.#plans.values();
    if (plan === undefined) throw new Error("There are no nodes here, so no Service has a pod to lead to.");
    // Nobody else writes it here, and the proxy refuses connections to a Service that has none.
    const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
    const { status, body } = await this.#controlPlane.call("admin", "POST", path, endpointsOfApi());
    if (status !== 201) throw new Error(`The EndpointSlice of the API server was answered with ${status}: ${body}`);
    const kubeconfig = join(this.folder, "kube-proxy.kubeconfig");
    const { caFile, tokens } = this.#controlPlane;
    writeKubeconfig(kubeconfig, `https://${API_ADDRESS}`, caFile, "kube-proxy", tokens[SERVICE_PROXY] ?? "");
    const config = join(this.folder, "kube-proxy.json");
    writeFileSync(config, JSON.stringify(serviceProxyOf(plan, kubeconfig)));
    const { kubeProxy, nft, nftLibraries } = plan.tools;
    const variables = [`PATH=${dirname(nft)}:${process.env["PATH"]}`, `LD_LIBRARY_PATH=${nftLibraries}`];
    const [nsenter = "", ...inside] = this.enter;
    // A process at the router looks for a way there before the address is translated; packets that are forwarded do not.
    execFileSync(nsenter, [...inside, "ip", "route", "replace", SERVICES, "dev", "bridge"]);
    await this.#servers.start("kube-proxy", nsenter, [...inside, "env", ...variables, kubeProxy, `--config=${config}`]);
  }

  /** What a node answers to a GET of its data plane's HTTP port, asked from outside of the nodes; undefined when nobody answers. */
  ask(name: string, path: string): Promise<{ status: number; body: string } | undefined> {
    return new Promise((done) => {
      const socketPath = this.door(name, 8080);
      const asked = request({ socketPath, path, signal: AbortSignal.timeout(2_000), agent: false }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => (body += text));
        response.on("error", () => done(undefined));
        response.on("end", () => done({ status: response.statusCode ?? 0, body }));
      });
      asked.on("error", () => done(undefined));
      asked.end();
    });
  }

  /** All that the node's containerd wrote, over all its starts. */
  runtimeLog(name: string): string {
    return readFileSync(join(this.#plan(name).folder, "log", "containerd.log"), "utf8");
  }

  /** The ends of what the node's parts wrote. */
  logs(name: string): string {
    const { folder } = this.#plan(name);
    const files = ["containerd.log", "kubelet.log"].map((file) => join(folder, "log", file)).filter(existsSync);
    const texts = [this.#servers.log(name), ...files.map((file) => readFileSync(file, "utf8"))];
    return texts.map((text) => text.trimEnd().split("\n").slice(-12).join("\n")).join("\n---\n");
  }

  /** Ends all nodes and removes what was theirs; may be called twice. */
  stop(): Promise<void> {
    return this.#servers.stop();
  }

  /** Two relays, because a program is in one network: the API server's loopback on one side, the nodes' network on the other. */
  async #startNetwork(tools: NodeTools): Promise<void> {
    const { folder, enter } = this;
    const api = new URL(this.#controlPlane.url).host;
    const door = join(folder, "api.sock");
    const relay = join(import.meta.dirname, "relay.ts");
    const [nsenter = "", ...inside] = enter;
    const doors = [...this.#plans.values()].flatMap((plan) =>
      DOOR_PORTS.flatMap((port) => [doorOf(folder, plan.name, port), `${addressOf(plan)}:${port}`]),
    );
    await this.#servers.start("relay-outside", process.execPath, [relay, door, api]);
    const listen = [`${API_ADDRESS}:443`, door, `${GATEWAY}:443`, door, api, door, ...doors];
    await this.#servers.start("relay-inside", nsenter, [...inside, process.execPath, relay, ...listen]);
    const registry = [join(import.meta.dirname, "registry.ts"), tools.images, GATEWAY, String(REGISTRY_PORT)];
    await this.#servers.start("registry", nsenter, [...inside, process.execPath, ...registry]);
  }

  async #untilReady(plan: NodePlan, signal?: AbortSignal): Promise<void> {
    const bootID = readFileSync(join(plan.folder, "sys", "boot_id"), "utf8").trim();
    const until = performance.now() + READY_WITHIN_MS;
    for (let last = "nothing yet"; ; await sleep(ASK_EVERY_MS, undefined, signal && { signal })) {
      const ended = this.#servers.ended(plan.name);
      if (ended !== undefined || performance.now() > until)
        throw new Error(`Node ${plan.name} did not get Ready (${ended ?? last}).\n${this.logs(plan.name)}`);
      const { status, body } = await this.#controlPlane.call("admin", "GET", `/api/v1/nodes/${plan.name}`);
      const node = status === 200 ? (JSON.parse(body) as NodeStatus).status : undefined;
      const ready = node?.conditions?.find(({ type }) => type === "Ready");
      if (ready?.status === "True" && node?.nodeInfo?.bootID === bootID) return;
      last = ready?.message ?? `${status}`;
    }
  }

  #plan(name: string): NodePlan {
    const plan = this.#plans.get(name);
    if (plan === undefined) throw new Error(`There is no node ${name} here; the nodes are ${this.names.join(", ")}.`);
    return plan;
  }
}

interface NodeStatus {
  readonly status?: {
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly nodeInfo?: { readonly bootID?: string };
  };
}

const doorOf = (folder: string, name: string, port: number): string => join(folder, `${name}.${port}.sock`);

const NETWORK_WITHIN_MS = 5_000;

/** The bridge that the nodes are plugged into; answers with what a command is put behind to run in that network. */
async function openNetwork(pid: number): Promise<readonly string[]> {
  const machine = readlinkSync("/proc/self/ns/net");
  const namespace = `/proc/${pid}/ns/net`;
  // Until then the process is still in the machine's own network, where nothing may be changed.
  for (const until = performance.now() + NETWORK_WITHIN_MS; readlinkSync(namespace) === machine; await sleep(10))
    if (performance.now() > until) throw new Error("The nodes' network was not made within 5 s.");
  const enter = ["nsenter", `--net=${namespace}`, "--"];
  const commands = [
    "ip link set lo up",
    `ip addr add ${API_ADDRESS}/32 dev lo`,
    "ip link add bridge type bridge",
    `ip addr add ${GATEWAY}/24 dev bridge`,
    "ip link set bridge up",
    "echo 1 >/proc/sys/net/ipv4/ip_forward",
  ];
  const [nsenter = "", ...inside] = enter;
  execFileSync(nsenter, [...inside, "sh", "-ec", commands.join("\n")]);
  return enter;
}
