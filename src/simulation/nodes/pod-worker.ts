import { type PodObject, POD } from "../../control/kinds.ts";
import { type Cluster, isConflict, isNotFound, type Kind } from "../../control/ports.ts";
import { sleep } from "../../runtime/clock.ts";
import { type ContainerHost, ContainerProcess } from "./container-process.ts";
import { isStale, podStatus } from "./pod-status.ts";

/** Pods with all that is in them: a status write that came from a projected object would erase what the projection dropped. */
export const WHOLE_POD: Kind<PodObject> = { ...POD, project: (pod: PodObject) => pod };

const DEFAULT_GRACE_SECONDS = 30;
const FIRST_RETRY = 200;
const LONGEST_RETRY = 10_000;

/** One pod on one node: runs its containers, writes its status, ends it gracefully. */
export class PodWorker {
  readonly #cluster: Cluster;
  readonly #host: ContainerHost;
  readonly #containers: readonly ContainerProcess[];
  /** Ends the containers' loops; `#life` ends everything, status writes included. */
  readonly #running = new AbortController();
  readonly #life = new AbortController();
  #pod: PodObject;
  #dirty = false;
  #writing = false;
  #terminating = false;
  #frozen = false;

  constructor(cluster: Cluster, host: ContainerHost, pod: PodObject) {
    this.#cluster = cluster;
    this.#host = host;
    this.#pod = pod;
    this.#containers = pod.spec.containers.map((container) => new ContainerProcess(pod, container, host, () => this.#publish()));
  }

  /** Starts the containers, unless the pod is already on its way out. */
  start(): void {
    if (this.#pod.metadata.deletionTimestamp !== undefined) return this.observe(this.#pod);
    if (this.#pod.status?.phase === "Failed" || this.#pod.status?.phase === "Succeeded") return;
    this.#publish();
    for (const container of this.#containers) void container.run(this.#running.signal).catch(ignoreAbort(this.#running.signal));
  }

  /** The server shows the pod like this now. */
  observe(pod: PodObject): void {
    this.#pod = pod;
    if (this.#frozen || this.#life.signal.aborted) return;
    if (pod.metadata.deletionTimestamp !== undefined) void this.#terminate().catch(ignoreAbort(this.#life.signal));
    else if (pod.status?.phase === "Running" && isStale(pod.status, this.#statuses())) this.#publish();
  }

  /** The node is gone, or the pod was deleted by force: everything ends at once and nothing is written. */
  async kill(): Promise<void> {
    this.#running.abort(new Error("killed"));
    this.#life.abort(new Error("killed"));
    await Promise.all(this.#containers.map((container) => container.kill()));
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    for (const container of this.#containers) container.freeze(frozen);
    if (frozen) return;
    this.#publish();
    this.observe(this.#pod);
  }

  #statuses() {
    return this.#containers.map(({ status }) => status);
  }

  async #terminate(): Promise<void> {
    if (this.#terminating) return;
    this.#terminating = true;
    this.#running.abort(new Error("the pod is being deleted"));
    const { clock } = this.#host;
    const grace = (this.#pod.spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1000;
    const graceOver = new AbortController();
    await Promise.race([
      Promise.all(this.#containers.map((container) => container.terminate())),
      sleep(clock, grace, AbortSignal.any([graceOver.signal, this.#life.signal])),
    ]).finally(() => graceOver.abort());
    await Promise.all(this.#containers.map((container) => container.kill()));
    const { name, namespace, uid } = this.#pod.metadata;
    await this.#persist(() => this.#cluster.delete(POD, name, namespace, { uid, gracePeriodSeconds: 0 }));
  }

  #publish(): void {
    this.#dirty = true;
    if (this.#writing || this.#frozen || this.#terminating || this.#life.signal.aborted) return;
    this.#writing = true;
    void this.#write().catch(ignoreAbort(this.#life.signal));
  }

  /** Writes until what is written is what is. Changes that come meanwhile are one more write, not one each. */
  async #write(): Promise<void> {
    try {
      while (this.#dirty && !this.#frozen && !this.#terminating && !this.#life.signal.aborted) {
        this.#dirty = false;
        await this.#persist(() => this.#writeOnce());
      }
    } finally {
      // Here and not in a later promise: a change that came in between would wait for ever.
      this.#writing = false;
    }
  }

  async #writeOnce(): Promise<void> {
    const { name, namespace, uid } = this.#pod.metadata;
    try {
      this.#pod = await this.#cluster.updateStatus(WHOLE_POD, this.#withStatus());
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error)) throw error;
      const live = await this.#cluster.get(WHOLE_POD, name, namespace);
      if (live?.metadata.uid !== uid) return;
      this.#pod = live;
      this.#dirty = true;
    }
  }

  #withStatus(): PodObject {
    return { ...this.#pod, status: podStatus(this.#pod, this.#statuses(), this.#host.address, this.#host.timestamp()) };
  }

  /** Repeats a call until it succeeds: the API server may be away for a while, the node is not. */
  async #persist(call: () => Promise<void>): Promise<void> {
    for (let pause = FIRST_RETRY; !this.#life.signal.aborted; pause = Math.min(2 * pause, LONGEST_RETRY)) {
      try {
        return await call();
      } catch (error) {
        // A conflict of a conditional delete: the name belongs to another pod by now.
        if (isConflict(error) || isNotFound(error)) return;
        await sleep(this.#host.clock, pause, this.#life.signal);
      }
    }
  }
}

/** The end of a loop that was told to end is no error; anything else is a fault of ours and must be seen. */
function ignoreAbort(signal: AbortSignal): (error: unknown) => void {
  return (error) => {
    if (error !== signal.reason && !signal.aborted) throw error;
  };
}
