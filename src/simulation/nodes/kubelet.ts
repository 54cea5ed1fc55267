import { createHash } from "node:crypto";
import { LEASE, NODE, type NodeObject, type PodObject } from "../../control/kinds.ts";
import { ApiError, type Cache, type Cluster, isConflict, isNotFound, type Kind } from "../../control/ports.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { type ReservedAddress, reserveAddress } from "./addresses.ts";
import type { ContainerHost } from "./container-process.ts";
import type { ContainerRuntime } from "./container-runtime.ts";
import { nodeDraft, type NodeSpec, nodeStatus } from "./node-object.ts";
import { PodWorker } from "./pod-worker.ts";

export interface KubeletOptions {
  readonly cluster: Cluster;
  /** Whole pods (WHOLE_POD) of all nodes; shared by all kubelets of a process, because a watch each is too much for a small server. */
  readonly pods: Cache<PodObject>;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  /**
   * Milliseconds since the epoch for the stamps in objects; the clock's `now` when absent. With an accelerated clock on a real API server:
   * the real time.
   */
  readonly wallClock?: () => number;
  /** Milliseconds between renewals of the Lease; absent: none (nobody judges nodes in memory by their leases). */
  readonly heartbeatMilliseconds?: number;
  /** `sha256:…` of an image; the hash of its reference when absent or undefined. */
  readonly digestOf?: (image: string) => string | undefined;
  /** Images that the registry does not have (any more). */
  readonly isMissing?: (image: string) => boolean;
}

const LEASE_NAMESPACE = "kube-node-lease";
const LEASE_SECONDS = 40;
const RETRY_MILLISECONDS = 500;
/** Nodes with all that is in them, for the same reason as WHOLE_POD. */
export const WHOLE_NODE: Kind<NodeObject> = { ...NODE, project: (node: NodeObject) => node };

/** The kubelet of one virtual node, on any Cluster: registers the node, keeps its lease, runs the pods that are bound to it. */
export class Kubelet {
  readonly spec: NodeSpec;
  readonly #options: KubeletOptions;
  readonly #workers = new Map<string, PodWorker>();
  #address: ReservedAddress | undefined;
  #life = new AbortController();
  #unsubscribe: (() => void) | undefined;
  #boots = 0;
  #frozen = false;

  constructor(spec: NodeSpec, options: KubeletOptions) {
    this.spec = spec;
    this.#options = options;
  }

  /** The node's address; undefined before the first start. */
  get address(): string | undefined {
    return this.#address?.address;
  }

  get running(): boolean {
    return this.#unsubscribe !== undefined && !this.#frozen;
  }

  /**
   * Boots the node: registers it (an existing Node object of that name is taken over) and starts the pods bound to it. Resolves when it is
   * Ready.
   */
  async start(): Promise<void> {
    if (this.#unsubscribe) return;
    this.#life = new AbortController();
    this.#boots++;
    const node = await this.#register();
    await this.#options.pods.whenSynced(this.#life.signal);
    const host = this.#host(node.metadata.uid);
    this.#unsubscribe = this.#options.pods.onChange((pod, deleted) => this.#observe(host, pod, deleted));
    for (const pod of this.#options.pods.list()) this.#observe(host, pod, false);
    const { heartbeatMilliseconds } = this.#options;
    if (heartbeatMilliseconds !== undefined) void this.#heartbeats(heartbeatMilliseconds, this.#life.signal).catch(() => undefined);
  }

  /** The power is gone: no lease, no answer, no goodbye. The Node object stays. */
  async kill(): Promise<void> {
    this.#life.abort(new Error(`node ${this.spec.name} is dead`));
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#frozen = false;
    const workers = [...this.#workers.values()];
    this.#workers.clear();
    await Promise.all(workers.map((worker) => worker.kill()));
  }

  /** The same pods in new containers: restart counts grow, drains are forgotten. */
  async reboot(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** Stands still: connections stay open, nothing is answered or written. */
  freeze(): void {
    this.#setFrozen(true);
  }

  /** Goes on where it stood; tells the server at once that it is there. */
  async thaw(): Promise<void> {
    this.#setFrozen(false);
    if (this.#unsubscribe) await this.#register();
  }

  /** The node is taken out of the cluster: its Node and Lease objects go, its address is free again. */
  async remove(): Promise<void> {
    await this.kill();
    const { cluster } = this.#options;
    await cluster.delete(NODE, this.spec.name, undefined);
    if (this.#options.heartbeatMilliseconds !== undefined) await cluster.delete(LEASE, this.spec.name, LEASE_NAMESPACE);
    await this.release();
  }

  /** Gives the address back without touching the cluster. */
  async release(): Promise<void> {
    await this.#address?.release();
    this.#address = undefined;
  }

  #setFrozen(frozen: boolean): void {
    this.#frozen = frozen;
    for (const worker of this.#workers.values()) worker.freeze(frozen);
  }

  #observe(host: ContainerHost, pod: PodObject, deleted: boolean): void {
    const { uid } = pod.metadata;
    const worker = this.#workers.get(uid);
    if (deleted) {
      this.#workers.delete(uid);
      void worker?.kill();
    } else if (worker) worker.observe(pod);
    else if (pod.spec.nodeName === this.spec.name) {
      const started = new PodWorker(this.#options.cluster, host, pod);
      this.#workers.set(uid, started);
      if (this.#frozen) started.freeze(true);
      started.start();
    }
  }

  /** Makes sure that the Node is there and says Ready; repeats until the server has taken it. */
  async #register(): Promise<NodeObject> {
    const { cluster, clock, runtime } = this.#options;
    for (;;) {
      this.#life.signal.throwIfAborted();
      try {
        const node = (await cluster.get(WHOLE_NODE, this.spec.name)) ?? (await cluster.create(WHOLE_NODE, nodeDraft(this.spec)));
        const before = node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
        this.#address ??= await reserveAddress(runtime, this.spec.pop, this.spec.name, before);
        return await cluster.updateStatus(WHOLE_NODE, {
          ...node,
          status: nodeStatus(node, this.#address.address, this.#bootID(), this.#timestamp()),
        });
      } catch (error) {
        // Somebody labelled the node in between, or the server is away: what is registered has to be read again.
        if (!(error instanceof ApiError)) throw error;
        if (!isConflict(error)) await sleep(clock, RETRY_MILLISECONDS, this.#life.signal);
      }
    }
  }

  async #heartbeats(period: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    let missed = false;
    for (let last = clock.elapsed(); ; last = clock.elapsed()) {
      const renewed =
        this.#frozen ||
        (await this.#renew().then(
          () => true,
          () => false,
        ));
      // The server was away: it may have declared the node dead meanwhile, and a lease alone does not take that back.
      if (renewed && missed && !this.#frozen) await this.#register().catch(() => undefined);
      missed = !renewed;
      await sleep(clock, period, signal);
      // This process stood still for longer than a lease lives: the server may have declared the node dead.
      if (!this.#frozen && clock.elapsed() - last > LEASE_SECONDS * 1000) await this.#register().catch(() => undefined);
    }
  }

  async #renew(): Promise<void> {
    const { cluster } = this.#options;
    const renewTime = this.#timestamp().replace("Z", "000Z");
    try {
      await cluster.patch(LEASE, this.spec.name, LEASE_NAMESPACE, [{ op: "replace", path: "/spec/renewTime", value: renewTime }]);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      const spec = { holderIdentity: this.spec.name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
      await cluster.create(LEASE, {
        apiVersion: LEASE.apiVersion,
        kind: LEASE.kind,
        metadata: { name: this.spec.name, namespace: LEASE_NAMESPACE },
        spec,
      });
    }
  }

  #host(nodeUID: string): ContainerHost {
    const { clock, runtime, digestOf, isMissing } = this.#options;
    return {
      node: this.spec.name,
      pop: this.spec.pop,
      address: this.#address!.address,
      bootID: `${nodeUID}/${this.#boots}`,
      clock,
      runtime,
      timestamp: () => this.#timestamp(),
      ...(isMissing && { isMissing }),
      digestOf: (image) => digestOf?.(image) ?? `sha256:${createHash("sha256").update(image).digest("hex")}`,
    };
  }

  #bootID(): string {
    return `${this.spec.name}-boot-${this.#boots}`;
  }

  #timestamp(): string {
    const { clock, wallClock } = this.#options;
    return new Date(wallClock ? wallClock() : clock.now()).toISOString();
  }
}
