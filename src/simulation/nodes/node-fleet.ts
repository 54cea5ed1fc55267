import { NODE, type NodeObject, POD, type PodObject } from "../../control/kinds.ts";
import { type Cache, type Cluster, isConflict } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ContainerRuntime } from "./container-runtime.ts";
import { Kubelet, type KubeletOptions, WHOLE_NODE } from "./kubelet.ts";
import { type NodeSpec, silentNodeStatus } from "./node-object.ts";
import { WHOLE_POD } from "./pod-worker.ts";

export interface NodeFleetOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  readonly wallClock?: KubeletOptions["wallClock"];
  readonly heartbeatMilliseconds?: number;
  /** `sha256:…` of an image on a node; undefined: the hash of its reference. */
  readonly digestOf?: (image: string, node: string) => string | undefined;
  /** Images that the registry does not have (any more), beside those whose tag says so. */
  readonly isMissing?: (image: string) => boolean;
  /**
   * For clusters without a node controller (in memory): this much elapsed time after a node fell silent its Ready condition and that of
   * its pods are set, as kube-controller-manager would.
   */
  readonly declareDeadAfterMilliseconds?: number;
}

/** One line of the directory that load generators and watchers read. */
export interface NodeAddress {
  readonly name: string;
  readonly pop: string;
  readonly address: string;
}

/** `count` specs `<pop>-n1`, `<pop>-n2`, … of one PoP. */
export function nodeSpecs(
  pop: string,
  count: number,
  options: { readonly prefix?: string; readonly zone?: string; readonly labels?: Readonly<Record<string, string>> } = {},
): NodeSpec[] {
  const { prefix = `${pop}-n`, ...rest } = options;
  return Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index + 1}`, pop, ...rest }));
}

/** Virtual nodes of any number of PoPs in this process, and what can happen to them. Nodes are named by their name. */
export class NodeFleet {
  readonly #options: NodeFleetOptions;
  readonly #pods: Cache<PodObject>;
  readonly #kubelets = new Map<string, Kubelet>();
  readonly #obituaries = new Map<string, () => void>();

  constructor(options: NodeFleetOptions) {
    this.#options = options;
    this.#pods = options.cluster.cache(WHOLE_POD);
  }

  /** Boots the nodes; resolves when all of them are registered and Ready. A name that runs already stays as it is. */
  async start(specs: readonly NodeSpec[]): Promise<void> {
    await Promise.all(
      specs.map((spec) => {
        const kubelet = this.#kubelets.get(spec.name) ?? new Kubelet(spec, this.#kubeletOptions(spec.name));
        this.#kubelets.set(spec.name, kubelet);
        return kubelet.start();
      }),
    );
  }

  /** Names of all nodes, dead ones included. */
  get names(): readonly string[] {
    return [...this.#kubelets.keys()];
  }

  /** Where each node is, dead ones included. */
  directory(): readonly NodeAddress[] {
    return [...this.#kubelets.values()].flatMap(({ spec, address }) =>
      address === undefined ? [] : [{ name: spec.name, pop: spec.pop, address }],
    );
  }

  /** The power of the node goes off; its objects stay. `start` of the same spec or `reboot` brings it back. */
  async kill(name: string): Promise<void> {
    await this.#kubelet(name).kill();
    this.#announceSilence(name);
  }

  async reboot(name: string): Promise<void> {
    this.#obituaries.get(name)?.();
    await this.#kubelet(name).reboot();
  }

  freeze(name: string): void {
    this.#kubelet(name).freeze();
    this.#announceSilence(name);
  }

  async thaw(name: string): Promise<void> {
    this.#obituaries.get(name)?.();
    await this.#kubelet(name).thaw();
  }

  /** The node leaves the cluster: its Node object goes too. */
  async remove(name: string): Promise<void> {
    const kubelet = this.#kubelet(name);
    this.#obituaries.get(name)?.();
    this.#kubelets.delete(name);
    await kubelet.remove();
  }

  /** Another machine under the same name: a new UID, no revision label, no claim (rule G6). */
  async recreate(name: string): Promise<void> {
    const { spec } = this.#kubelet(name);
    await this.remove(name);
    await this.start([spec]);
  }

  /** Ends everything in this process. The objects stay in the cluster, which is not closed. */
  async stop(): Promise<void> {
    for (const cancel of this.#obituaries.values()) cancel();
    this.#pods.stop();
    await Promise.all([...this.#kubelets.values()].map((kubelet) => kubelet.kill().then(() => kubelet.release())));
    this.#kubelets.clear();
  }

  #kubelet(name: string): Kubelet {
    const kubelet = this.#kubelets.get(name);
    if (!kubelet) throw new Error(`There is no virtual node ${name}; there are ${this.names.join(", ") || "none"}.`);
    return kubelet;
  }

  #kubeletOptions(node: string): KubeletOptions {
    const { cluster, clock, runtime, wallClock, heartbeatMilliseconds, digestOf, isMissing } = this.#options;
    return {
      cluster,
      clock,
      runtime,
      pods: this.#pods,
      ...(wallClock && { wallClock }),
      ...(heartbeatMilliseconds !== undefined && { heartbeatMilliseconds }),
      ...(isMissing && { isMissing }),
      ...(digestOf && { digestOf: (image: string) => digestOf(image, node) }),
    };
  }

  #announceSilence(name: string): void {
    const { clock, declareDeadAfterMilliseconds: after } = this.#options;
    if (after === undefined) return;
    this.#obituaries.get(name)?.();
    this.#obituaries.set(
      name,
      clock.after(after, () => void this.#declareDead(name)),
    );
  }

  async #declareDead(name: string): Promise<void> {
    const { cluster, clock, wallClock } = this.#options;
    const timestamp = new Date((wallClock ?? (() => clock.now()))()).toISOString();
    const still = () => !this.#kubelets.get(name)?.running;
    await untilWritten(async () => {
      const node: NodeObject | undefined = await cluster.get(WHOLE_NODE, name);
      if (node && still()) await cluster.updateStatus(NODE, { ...node, status: silentNodeStatus(node, timestamp) });
    });
    for (const pod of await cluster.list(POD, { fieldSelector: `spec.nodeName=${name}` })) {
      await untilWritten(async () => {
        const live = await cluster.get(WHOLE_POD, pod.metadata.name, pod.metadata.namespace);
        if (live?.metadata.uid === pod.metadata.uid && still()) await cluster.updateStatus(WHOLE_POD, withoutReady(live, timestamp));
      });
    }
  }
}

function withoutReady(pod: PodObject, timestamp: string): PodObject {
  const conditions = (pod.status?.conditions ?? []).map((one) =>
    one.type === "Ready" && one.status === "True"
      ? { ...one, status: "False" as const, reason: "NodeNotReady", lastTransitionTime: timestamp }
      : one,
  );
  return { ...pod, status: { ...pod.status, conditions } };
}

const MOST_CONFLICTS = 20;

/** Repeats a read and conditional write while others write the same object. */
async function untilWritten(attempt: () => Promise<void>): Promise<void> {
  for (let conflicts = 0; ; conflicts++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error) || conflicts >= MOST_CONFLICTS) throw error;
    }
  }
}
