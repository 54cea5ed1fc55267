import { createHash } from "node:crypto";
import type { Container, ContainerState, ContainerStatus, PodObject } from "../../control/kinds.ts";
import { type Clock, sleep } from "../../runtime/clock.ts";
import { type ImageReference, readImage } from "./behaviour.ts";
import type { ContainerInstance, ContainerRuntime } from "./container-runtime.ts";

/** What a container needs of its node. */
export interface ContainerHost {
  readonly node: string;
  readonly pop: string;
  readonly address: string;
  /** Changes with each boot, so that containers of a rebooted node have other IDs. */
  readonly bootID: string;
  readonly clock: Clock;
  readonly runtime: ContainerRuntime;
  /** RFC 3339, the time that the node's own clock shows. */
  readonly timestamp: () => string;
  /** `sha256:…` of an image reference, as this node's registry has it now. */
  readonly digestOf: (image: string) => string;
  /** Whether the registry has lost an image that its tag does not call missing. */
  readonly isMissing?: (image: string) => boolean;
}

const PULL_MILLISECONDS = 100;
const BACK_OFF_SHOWN_AFTER = 500;
const CRASH_AFTER = 200;
/** The first restart comes at once, the next after 1 s, then twice that each time. A kubelet begins with 10 s; tests are in a hurry. */
const FIRST_BACK_OFF = 1_000;
const LONGEST_BACK_OFF = 300_000;

/**
 * One container of a pod, from the pull to its end, as a kubelet would show it in `containerStatuses`. Calls `changed` whenever its status
 * is another one. It ends for good only in a pod with restartPolicy Never.
 */
export class ContainerProcess {
  readonly #pod: PodObject;
  readonly #container: Container;
  readonly #host: ContainerHost;
  readonly #changed: () => void;
  readonly #image: ImageReference;
  #status: ContainerStatus;
  #instance: ContainerInstance | undefined;
  #frozen = false;

  constructor(pod: PodObject, container: Container, host: ContainerHost, changed: () => void) {
    this.#pod = pod;
    this.#container = container;
    this.#host = host;
    this.#changed = changed;
    this.#image = readImage(container.image);
    const before = pod.status?.containerStatuses?.find(({ name }) => name === container.name);
    // A container that ran before the node went down is the same container, started once more.
    const restartCount = before?.containerID ? before.restartCount + 1 : (before?.restartCount ?? 0);
    this.#status = {
      name: container.name,
      image: container.image,
      imageID: "",
      ready: false,
      started: false,
      restartCount,
      state: waiting("ContainerCreating"),
    };
  }

  get status(): ContainerStatus {
    return this.#status;
  }

  /** Runs until the signal aborts (then it kills nothing: `terminate` or `kill` does) or the container has ended for good. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#host;
    await this.#pull(signal);
    if (this.#image.behaviour.start === "Refused") {
      this.#set({ state: waiting("CreateContainerError", `Error: the runtime refuses to create ${this.#container.name}`) });
      return forever(signal);
    }
    for (let exits = 0; ; exits++) {
      const end = await this.#runOnce(signal);
      if (this.#pod.spec.restartPolicy === "Never") return;
      await sleep(clock, BACK_OFF_SHOWN_AFTER, signal);
      if (exits > 0) {
        this.#set({ lastState: end, state: waiting("CrashLoopBackOff", `back-off restarting ${this.#container.name}`) });
        await sleep(clock, Math.min(FIRST_BACK_OFF * 2 ** (exits - 1), LONGEST_BACK_OFF), signal);
      }
      this.#set({ lastState: end, restartCount: this.#status.restartCount + 1 });
    }
  }

  /** SIGTERM: resolves when the container has handed its sessions back and is gone. */
  async terminate(): Promise<void> {
    await this.#instance?.terminate();
  }

  async kill(): Promise<void> {
    await this.#instance?.kill();
  }

  freeze(frozen: boolean): void {
    this.#frozen = frozen;
    this.#instance?.freeze(frozen);
  }

  async #pull(signal: AbortSignal): Promise<void> {
    await sleep(this.#host.clock, PULL_MILLISECONDS, signal);
    const missing = [this.#container.image, ...imagesOfVolumes(this.#pod)].find(
      (image) => readImage(image).behaviour.image === "Missing" || this.#host.isMissing?.(image),
    );
    if (missing === undefined) return this.#set({ imageID: `${this.#image.repository}@${this.#host.digestOf(this.#container.image)}` });
    const message = `failed to pull and unpack image "${missing}": not found`;
    this.#set({ state: waiting("ErrImagePull", message) });
    await sleep(this.#host.clock, BACK_OFF_SHOWN_AFTER, signal);
    this.#set({ state: waiting("ImagePullBackOff", `Back-off pulling image "${missing}": ErrImagePull: ${message}`) });
    // A tag that is missing here stays missing, so there is nothing to try again.
    return forever(signal);
  }

  /** One life of the container; resolves with how it ended. */
  async #runOnce(signal: AbortSignal): Promise<ContainerState> {
    const containerID = this.#nextContainerID();
    // The image has its own entry point and no other program: any command of the pod's is one that does not exist there.
    if (this.#container.command)
      return this.#ended(containerID, 128, "StartError", `exec: "${this.#container.command[0]}": no such file or directory`);
    const startedAt = this.#host.timestamp();
    if (this.#image.behaviour.start === "Crashes") {
      this.#set({ containerID, state: { running: { startedAt } }, started: true });
      await sleep(this.#host.clock, CRASH_AFTER, signal);
      return this.#ended(containerID, 1, "Error", "the data plane has crashed", startedAt);
    }
    const { node, pop, address, runtime } = this.#host;
    const identity = { node, pop, podUID: this.#pod.metadata.uid, containerID, version: this.#image.version };
    try {
      this.#instance = await runtime.start({ identity, behaviour: this.#image.behaviour, container: this.#container, address });
    } catch (error) {
      return this.#ended(containerID, 1, "Error", (error as Error).message, startedAt);
    }
    if (signal.aborted) {
      await this.#instance.kill();
      throw signal.reason;
    }
    this.#instance.freeze(this.#frozen);
    this.#set({ containerID, state: { running: { startedAt } }, started: true, ready: this.#isReady() });
    const unsubscribe = this.#instance.plane.onHealth(() => this.#set({ ready: this.#isReady() }));
    return forever(signal).finally(unsubscribe);
  }

  #nextContainerID(): string {
    const { restartCount, name } = this.#status;
    return `containerd://${hash(`${this.#pod.metadata.uid}/${name}/${restartCount}/${this.#host.bootID}`)}`;
  }

  /** With a readiness probe over HTTP: healthy. Without one: started up. */
  #isReady(): boolean {
    const health = this.#instance?.plane.health ?? "Starting";
    return this.#container.readinessProbe?.httpGet ? health === "Healthy" : health !== "Starting";
  }

  #ended(containerID: string, exitCode: number, reason: string, message: string, startedAt?: string): ContainerState {
    const finishedAt = this.#host.timestamp();
    const state: ContainerState = { terminated: { exitCode, reason, message, startedAt: startedAt ?? finishedAt, finishedAt } };
    this.#set({ containerID, state, started: false, ready: false });
    return state;
  }

  #set(change: Partial<ContainerStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#changed();
  }
}

const waiting = (reason: string, message?: string): ContainerState => ({
  waiting: message === undefined ? { reason } : { reason, message },
});

const imagesOfVolumes = (pod: PodObject): string[] =>
  (pod.spec.volumes ?? []).flatMap(({ image }) => (image?.reference === undefined ? [] : [image.reference]));

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Rejects with the signal's reason when it aborts; never resolves. */
function forever(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    else signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
