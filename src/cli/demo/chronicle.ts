import type { PopCluster } from "../../api/pop-cluster.ts";
import { POP_CLUSTER } from "../../api/resources.ts";
import type { Cache, ClusterEvent } from "../../control/ports.ts";
import { DATA_PLANE_NAMESPACE } from "../../simulation/world.ts";
import { WHOLE_POD } from "../../simulation/nodes/pod-worker.ts";
import { NAMESPACE } from "./cast.ts";
import type { Voice } from "./narration.ts";
import { type PodSighting, podSighting, symptomOf } from "./pod-sighting.ts";
import type { Stage } from "./stage.ts";

/** Something that happened, by the calendar and by the clock that only measures. */
export interface Moment {
  readonly calendar: number;
  readonly elapsed: number;
  readonly what: string;
}

/**
 * Watches PoPs and pods of the cluster while the play goes on: tells what changes, and remembers what claims need afterwards and no
 * status keeps: when a version first misbehaved, which nodes ever ran it, when the first of them was back.
 */
export class Chronicle {
  readonly #stage: Stage;
  readonly #tell: (pop: string, sentence: string) => void;
  readonly #voice: Voice;
  readonly #pops: Cache<PopCluster>;
  readonly #pods: ReturnType<typeof podCache>;
  readonly #last = new Map<string, PopCluster>();
  readonly #sightings = new Map<string, PodSighting>();
  readonly #symptoms = new Map<string, Moment>();
  readonly #backs = new Map<string, Moment>();
  readonly #firstReady = new Map<string, Moment>();
  readonly #nodesByVersion = new Map<string, Set<string>>();
  /** Claims by `<run id>/<pop>/<node>`: the calendar instant of each. */
  readonly #claims = new Map<string, string[]>();

  constructor(stage: Stage, tell: (pop: string, sentence: string) => void, voice: Voice) {
    this.#stage = stage;
    this.#tell = tell;
    this.#voice = voice;
    this.#pops = stage.cluster.cache<PopCluster>(POP_CLUSTER, { namespace: NAMESPACE });
    this.#pods = podCache(stage);
    this.#pops.onChange((pop, deleted) => void (deleted || this.#seePop(pop)));
    this.#pods.onChange((pod, deleted) => this.#seePod(podSighting(pod), deleted));
    stage.onEvent((event) => this.#hear(event));
  }

  async whenReady(): Promise<void> {
    await this.#stage.perform(Promise.all([this.#pops.whenSynced(), this.#pods.whenSynced()]));
  }

  /** The PoP as last seen; undefined before the first look. */
  pop(name: string): PopCluster | undefined {
    return this.#pops.get(name, NAMESPACE);
  }

  pops(): readonly PopCluster[] {
    return this.#pops.list();
  }

  /** Data-plane pods as last seen. */
  pods(): readonly PodSighting[] {
    return [...this.#sightings.values()];
  }

  /** When the version first misbehaved in a way that anybody could see. */
  symptom(version: string): Moment | undefined {
    return this.#symptoms.get(version);
  }

  /** When the first node that had run the version served with another one again. */
  firstBack(version: string): Moment | undefined {
    return this.#backs.get(version);
  }

  firstReady(version: string): Moment | undefined {
    return this.#firstReady.get(version);
  }

  nodesThatRan(version: string): readonly string[] {
    return [...(this.#nodesByVersion.get(version) ?? [])].toSorted();
  }

  /** The calendar instants at which a run claimed each node. */
  claimsOf(pop: string, run: number): ReadonlyMap<string, readonly string[]> {
    const prefix = `${pop}/${run}/`;
    return new Map([...this.#claims].filter(([key]) => key.startsWith(prefix)).map(([key, at]) => [key.slice(prefix.length), at]));
  }

  /** A session was lost: from a node of a bad version that nobody drains, that is the symptom. */
  seeBreak(pop: string, node: string, outageMilliseconds: number | undefined): void {
    const step = this.pop(pop)?.status?.nodes?.find((entry) => entry.name === node)?.step;
    const version = this.pods().find((pod) => pod.node === node && !pod.deleting)?.version;
    if (version === undefined || step === "Claimed" || step === "Updating") return;
    this.#symptom(version, `${node} dropped a session`, outageMilliseconds ?? 0);
  }

  close(): void {
    this.#pops.stop();
    this.#pods.stop();
  }

  #seePop(pop: PopCluster): void {
    const name = pop.metadata.name;
    const before = this.#last.get(name);
    this.#last.set(name, pop);
    for (const sentence of this.#voice.pop(before, pop)) this.#tell(name, sentence);
    const run = pop.status?.run;
    for (const node of pop.status?.nodes ?? []) {
      if (node.step !== "Claimed" || !run) continue;
      const key = `${name}/${run.id}/${node.name}`;
      const times = this.#claims.get(key) ?? [];
      if (!times.includes(node.since)) this.#claims.set(key, [...times, node.since]);
    }
  }

  #seePod(pod: PodSighting, deleted: boolean): void {
    const before = this.#sightings.get(pod.uid);
    if (deleted) return void this.#sightings.delete(pod.uid);
    this.#sightings.set(pod.uid, pod);
    if (pod.node === undefined || pod.deleting) return;
    const nodes = this.#nodesByVersion.get(pod.version) ?? new Set<string>();
    this.#nodesByVersion.set(pod.version, nodes.add(pod.node));
    if (pod.ready && !this.#firstReady.has(pod.version)) this.#firstReady.set(pod.version, this.#moment(`${pod.node} is Ready`));
    const symptom = symptomOf(before, pod);
    if (symptom !== undefined) this.#symptom(pod.version, symptom, 0);
    if (pod.ready && !before?.ready) this.#seeReturn(pod.node, pod.version);
  }

  #seeReturn(node: string, version: string): void {
    for (const bad of this.#symptoms.keys()) {
      if (bad === version || this.#backs.has(bad) || !this.nodesThatRan(bad).includes(node)) continue;
      this.#backs.set(bad, this.#moment(`${node} serves with ${version}`));
    }
  }

  #symptom(version: string, what: string, agoMilliseconds: number): void {
    if (this.#symptoms.has(version)) return;
    const { calendar, elapsed } = this.#moment(what);
    this.#symptoms.set(version, { calendar: calendar - agoMilliseconds, elapsed: elapsed - agoMilliseconds, what });
  }

  #moment(what: string): Moment {
    return { calendar: this.#stage.clock.now(), elapsed: this.#stage.clock.elapsed(), what };
  }

  #hear(event: ClusterEvent): void {
    const sentence = this.#voice.event(event);
    if (sentence !== undefined) this.#tell(event.regarding.name, sentence);
  }
}

const podCache = (stage: Stage) => stage.cluster.cache(WHOLE_POD, { namespace: DATA_PLANE_NAMESPACE });
