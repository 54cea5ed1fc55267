import { CLAIM_ANNOTATION, REVISION_LABEL, RELEASED_PREFIX, UPDATING_TAINT } from "../../src/api/names.ts";
import type { Condition } from "../../src/api/common.ts";
import { sentenceOf } from "../../src/api/conditions.ts";
import type { Fleet, FleetSpec } from "../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../src/api/maintenance-window.ts";
import type { PopCluster, PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import { DAEMON_SET, type DaemonSetObject, NODE, type NodeObject, POD, type PodObject } from "../../src/control/kinds.ts";
import type { Kind, KubernetesObject } from "../../src/control/ports.ts";
import { InMemoryDirectory, InMemoryTransport } from "../../src/simulation/load/in-memory-transport.ts";
import { SessionLoad } from "../../src/simulation/load/session-load.ts";
import type { AuditEntry } from "../../src/simulation/cluster/store.ts";
import {
  DATA_PLANE_NAMESPACE,
  FLEET_NAMESPACE,
  fleetDraft,
  popDraft,
  type PopOptions,
  sundayWindow,
  World,
} from "../../src/simulation/world.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The nodes' check asked twice a minute: for stories that last weeks. */
export const RARELY = {
  node: [{ name: "ready", http: { port: 8080, path: "/healthz" }, successes: 2, failures: 2, interval: "30s", timeout: "1s" }],
};

export interface StoryOptions {
  /** Default: Sunday 2026-11-22 01:00:30 in Berlin, half a minute after the window has opened. */
  readonly start?: string;
  readonly pops?: readonly string[];
  readonly nodes?: number;
  readonly pop?: PopOptions;
  readonly fleet?: Partial<FleetSpec> | "None";
  readonly window?: object;
  /** What stands before the PoPs are created. */
  readonly before?: (story: Story) => Promise<unknown>;
  /** False: the PoPs are created, and nobody waits for their first version. */
  readonly firstVersion?: boolean;
}

/** A world with PoPs on 1.0.0, one operator, and the words in which a scenario is told. All that it reads is the store's truth. */
export class Story {
  readonly world: World;
  readonly options: StoryOptions;
  /** Reasons that were written and that no table explains (rule G2): the next wait fails on them. */
  readonly #unexplained = new Set<string>();

  private constructor(world: World, options: StoryOptions) {
    this.world = world;
    this.options = options;
    world.store.subscribe(({ kind, object }) => {
      if (kind.kind !== POP_CLUSTER.kind) return;
      for (const { type, reason } of (object as unknown as PopCluster).status?.conditions ?? [])
        if (sentenceOf(type, reason) === undefined) this.#unexplained.add(`${type}=${reason}`);
    });
  }

  static async begin(options: StoryOptions = {}): Promise<Story> {
    const world = await World.create({ start: options.start ?? "2026-11-22T00:00:30Z" });
    const story = new Story(world, options);
    const pops = options.pops ?? ["fra1"];
    for (const pop of pops) await world.bootNodes(pop, options.nodes ?? 3);
    if (options.fleet !== "None") await world.apply(FLEET, fleetDraft(options.fleet));
    await world.apply(MAINTENANCE_WINDOW, { ...sundayWindow(), ...(options.window ? { spec: options.window } : {}) });
    await options.before?.(story);
    for (const pop of pops) await world.apply(POP_CLUSTER, story.draft(pop));
    world.startOperator();
    if (options.firstVersion ?? true)
      for (const pop of pops) await story.until("the first version has passed", (status) => status.run?.state === "Passed", HOUR, pop);
    return story;
  }

  draft(pop: string, version?: string) {
    const { pop: asked = {} } = this.options;
    return popDraft(pop, { ...asked, ...(version ? { version } : {}), strategy: { bake: "20s", ...asked.strategy } });
  }

  get now(): number {
    return this.world.clock.now();
  }

  // What a person does.

  async want(version: string, pop = "fra1"): Promise<void> {
    await this.edit((spec) => ({ ...spec, version }), pop);
  }

  async edit(change: (spec: PopCluster["spec"]) => PopCluster["spec"], pop = "fra1"): Promise<void> {
    await this.change<PopCluster>(POP_CLUSTER, pop, (found) => ({ ...found, spec: change(structuredClone(found.spec)) }), FLEET_NAMESPACE);
  }

  async request(verb: "takeBack" | "stop" | "retry", revision?: string): Promise<void> {
    const at = new Date(this.now).toISOString();
    await this.edit((spec) => ({ ...spec, requests: { ...spec.requests, [verb]: { at, ...(revision ? { revision } : {}) } } }));
  }

  async editFleet(spec: Partial<FleetSpec>): Promise<void> {
    await this.change<Fleet>(FLEET, "fleet", (found) => ({ ...found, spec: { ...found.spec, ...spec } }), FLEET_NAMESPACE);
  }

  async editWindow(change: (spec: MaintenanceWindow["spec"]) => MaintenanceWindow["spec"]): Promise<void> {
    await this.change<MaintenanceWindow>(
      MAINTENANCE_WINDOW,
      "pop-sunday",
      (found) => ({ ...found, spec: change(structuredClone(found.spec)) }),
      FLEET_NAMESPACE,
    );
  }

  async cordon(node: string, unschedulable = true): Promise<void> {
    await this.change<NodeObject>(NODE, node, (found) => ({ ...found, spec: { ...found.spec, unschedulable } }));
  }

  /** Reads, changes and writes an object; a person whose write meets another one's tries again. */
  async change<T extends KubernetesObject>(
    kind: Kind<T> | object,
    name: string,
    change: (object: T) => T,
    namespace?: string,
  ): Promise<void> {
    const { kubectl } = this.world;
    for (let attempt = 0; ; attempt++) {
      const found = this.read<T>(kind, name, namespace);
      if (!found) throw new Error(`there is no ${(kind as Kind).kind} ${name}`);
      try {
        await this.world.while(kubectl.update(kind as Kind<T>, change(structuredClone(found))));
        return;
      } catch (error) {
        if (attempt > 20) throw error;
      }
    }
  }

  async deletePop(pop = "fra1"): Promise<void> {
    await this.world.while(this.world.kubectl.delete(POP_CLUSTER, pop, FLEET_NAMESPACE));
  }

  // What is true.

  read<T>(kind: Kind | object, name: string, namespace?: string): T | undefined {
    return this.world.store.get(kind as Kind, name, namespace) as unknown as T | undefined;
  }

  pop(name = "fra1"): PopCluster {
    const found = this.read<PopCluster>(POP_CLUSTER, name, FLEET_NAMESPACE);
    if (!found) throw new Error(`there is no PoPCluster ${name}`);
    return found;
  }

  status(name = "fra1"): PopClusterStatus {
    return this.pop(name).status ?? {};
  }

  fleet(): Fleet {
    return this.read<Fleet>(FLEET, "fleet", FLEET_NAMESPACE)!;
  }

  condition(type: string, pop = "fra1"): Pick<Condition, "status" | "reason" | "message"> | undefined {
    return this.status(pop).conditions?.find((condition) => condition.type === type);
  }

  holds(pop = "fra1"): readonly string[] {
    return (this.status(pop).holds ?? []).map((hold) => hold.reason);
  }

  nodes(pop = "fra1"): NodeObject[] {
    return (this.world.store.list(NODE) as unknown as NodeObject[]).filter((node) => node.metadata.labels?.["rollward.dev/pop"] === pop);
  }

  pods(pop = "fra1"): PodObject[] {
    return (this.world.store.list(POD) as unknown as PodObject[]).filter((pod) => pod.metadata.labels?.["rollward.dev/pop"] === pop);
  }

  daemonSets(): DaemonSetObject[] {
    return (this.world.store.list(DAEMON_SET) as unknown as DaemonSetObject[]).filter(
      (set) => set.metadata.namespace === DATA_PLANE_NAMESPACE,
    );
  }

  /** The version that the data plane on each node says it runs, `-` where nothing answers; in the order of names. */
  versions(pop = "fra1"): string[] {
    return this.nodes(pop).map((node) => {
      const plane = this.plane(node.metadata.name);
      return plane === undefined ? "-" : `${plane.identity.version}${plane.behaviour.name === "good" ? "" : `-${plane.behaviour.name}`}`;
    });
  }

  plane(node: string) {
    const address = this.read<NodeObject>(NODE, node)?.status?.addresses?.find((one) => one.type === "InternalIP")?.address;
    return address === undefined ? undefined : this.world.runtime.listener(address, 8080)?.instance.plane;
  }

  serving(pop = "fra1"): string[] {
    return this.nodes(pop)
      .map((node) => node.metadata.name)
      .filter((name) => {
        const plane = this.plane(name);
        return plane?.health === "Healthy" && !plane.draining;
      });
  }

  /** Nodes that bear an unended claim or our taint. */
  claimed(pop = "fra1"): string[] {
    return this.nodes(pop)
      .filter(({ metadata, spec }) => {
        const claim = metadata.annotations?.[CLAIM_ANNOTATION];
        return (claim !== undefined && !claim.startsWith(RELEASED_PREFIX)) || spec?.taints?.some((taint) => taint.key === UPDATING_TAINT);
      })
      .map((node) => node.metadata.name);
  }

  label = (node: string): string | undefined => this.read<NodeObject>(NODE, node)?.metadata.labels?.[REVISION_LABEL];

  outcomes(pop = "fra1"): string[] {
    return (this.status(pop).history ?? []).map((entry) => `${entry.version} ${entry.outcome}`);
  }

  /** What the operator said, as `Reason: sentence`; the Fleet's own events apart. */
  narration(pop = "fra1"): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === pop).map(({ event }) => `${event.reason}: ${event.note}`);
  }

  reasons(pop = "fra1"): string[] {
    return this.world.said.filter(({ event }) => event.regarding.name === pop).map(({ event }) => event.reason);
  }

  /** Writes of the operator that reached the API server. */
  writes(of: (entry: AuditEntry) => boolean = () => true): AuditEntry[] {
    return this.world.store.audit.filter(
      (entry) => entry.user === "rollward" && entry.code < 300 && !entry.dryRun && entry.subresource !== "eviction" && of(entry),
    );
  }

  // Time.

  async until(
    waitingFor: string,
    predicate: (status: PopClusterStatus, pop: PopCluster) => boolean,
    limitMilliseconds = HOUR,
    pop = "fra1",
  ): Promise<void> {
    const holds = () => {
      const found = this.read<PopCluster>(POP_CLUSTER, pop, FLEET_NAMESPACE);
      return found !== undefined && predicate(found.status ?? {}, found);
    };
    await this.untilTrue(waitingFor, holds, limitMilliseconds);
  }

  async untilTrue(waitingFor: string, predicate: () => boolean, limitMilliseconds = HOUR): Promise<void> {
    try {
      await this.world.clock.runUntil(predicate, { limitMilliseconds, waitingFor });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.describe()}`, { cause: error });
    }
    if (this.#unexplained.size > 0) throw new Error(`api/conditions.ts has no sentence for ${[...this.#unexplained].join(", ")}`);
  }

  async untilHold(reason: string, limitMilliseconds = HOUR, pop = "fra1"): Promise<void> {
    await this.until(
      `the hold ${reason}`,
      (status) => status.holds?.some((hold) => hold.reason === reason) ?? false,
      limitMilliseconds,
      pop,
    );
  }

  async untilOutcome(outcome: string, limitMilliseconds = 2 * HOUR, pop = "fra1"): Promise<void> {
    await this.untilTrue(`history to say ${outcome}`, () => this.outcomes(pop).includes(outcome), limitMilliseconds);
    // What is told follows what is written.
    await this.pass(100);
  }

  /** All nodes are on this version and it bakes or has passed. */
  async untilRolled(version: string, limitMilliseconds = 2 * HOUR, pop = "fra1"): Promise<void> {
    await this.until(
      `${version} on all nodes`,
      ({ run }) => run?.version === version && (run.state === "Baking" || run.state === "Passed"),
      limitMilliseconds,
      pop,
    );
  }

  async untilPassed(version: string, limitMilliseconds = 2 * HOUR, pop = "fra1"): Promise<void> {
    await this.until(`${version} to have passed`, ({ run }) => run?.version === version && run.state === "Passed", limitMilliseconds, pop);
  }

  /** A node stands at this step. */
  async untilStep(step: string, limitMilliseconds = HOUR, pop = "fra1"): Promise<string> {
    await this.until(`a node at ${step}`, (status) => status.nodes?.some((node) => node.step === step) ?? false, limitMilliseconds, pop);
    return this.status(pop).nodes!.find((node) => node.step === step)!.name;
  }

  async pass(milliseconds: number): Promise<void> {
    await this.world.clock.advance(milliseconds);
  }

  /** Sessions that hold on by themselves and go to another node of their PoP when they are lost. */
  async sessions(count: number, pop = "fra1"): Promise<SessionLoad> {
    const { clock, runtime, nodes } = this.world;
    const load = new SessionLoad({
      pop,
      sessions: count,
      clock,
      directory: new InMemoryDirectory(runtime, 8080, () => Promise.resolve(nodes.directory())),
      transport: new InMemoryTransport(runtime, 7000),
    });
    load.start();
    await this.untilTrue(`${count} sessions`, () => load.held === count, MINUTE);
    return load;
  }

  /** Where everything stood, in lines short enough to be read when a wait was in vain. */
  describe(): string {
    const pops = (this.world.store.list(POP_CLUSTER) as unknown as PopCluster[]).flatMap(({ metadata, status = {} }) => [
      `${metadata.name}: run ${JSON.stringify({ ...status.run, frozen: undefined })}; grant ${JSON.stringify(status.grant)}`,
      ...(status.holds ?? []).map((hold) => `  holds ${hold.rule} ${hold.reason} ${hold.until ?? ""}: ${hold.message}`),
      ...(status.nodes ?? []).map(
        (node) =>
          `  ${node.name} ${node.step} ${node.skipped ?? ""} attempt ${node.attempt} since ${node.since} ${node.revision ?? ""}: ${node.message ?? ""}`,
      ),
      ...(status.conditions ?? []).map((condition) => `  ${condition.type} ${condition.status} ${condition.reason}: ${condition.message}`),
      ...(status.history ?? []).map((entry) => `  ${entry.version} ${entry.outcome}: ${entry.evidence ?? ""}`),
    ]);
    const nodes = (this.world.store.list(NODE) as unknown as NodeObject[]).map(
      ({ metadata, status }) =>
        `node ${metadata.name} ${this.label(metadata.name)} claim ${metadata.annotations?.[CLAIM_ANNOTATION]} Ready ${status?.conditions?.find((one) => one.type === "Ready")?.status}`,
    );
    const pods = (this.world.store.list(POD) as unknown as PodObject[]).map(
      ({ metadata, spec, status }) =>
        `pod ${metadata.name} on ${spec.nodeName} ${status?.phase} Ready ${status?.conditions?.find((one) => one.type === "Ready")?.status} ${metadata.deletionTimestamp ? "terminating" : ""}`,
    );
    return [...pops, ...nodes, ...pods, ...this.world.said.slice(-12).map(({ event }) => `said ${event.reason}: ${event.note}`)].join("\n");
  }
}
