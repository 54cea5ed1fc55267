import { sentenceOf } from "../../src/api/conditions.ts";
import type { Fleet, FleetSpec } from "../../src/api/fleet.ts";
import type { MaintenanceWindow } from "../../src/api/maintenance-window.ts";
import type { PopCluster, PopClusterStatus } from "../../src/api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import { NODE, type NodeObject } from "../../src/control/kinds.ts";
import type { Kind, KubernetesObject } from "../../src/control/ports.ts";
import { InMemoryDirectory, InMemoryTransport } from "../../src/simulation/load/in-memory-transport.ts";
import { SessionLoad } from "../../src/simulation/load/session-load.ts";
import { FLEET_NAMESPACE, fleetDraft, popDraft, type PopOptions, sundayWindow, World } from "../../src/simulation/world.ts";
import { Facts } from "./facts.ts";

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

/** A world with PoPs on 1.0.0, one operator, and the words in which a scenario is told: what a person does, and what is waited for. */
export class Story extends Facts {
  readonly options: StoryOptions;
  /** Reasons that were written and that no table explains (rule G2): the next wait fails on them. */
  readonly #unexplained = new Set<string>();

  private constructor(world: World, options: StoryOptions) {
    super(world);
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
}
