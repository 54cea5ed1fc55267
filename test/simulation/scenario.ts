import { CLAIM_ANNOTATION, RELEASED_PREFIX, REVISION_LABEL, UPDATING_TAINT } from "../../src/api/names.ts";
import type { FleetSpec } from "../../src/api/fleet.ts";
import type { PopCluster } from "../../src/api/pop-cluster.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER } from "../../src/api/resources.ts";
import { NODE, type NodeObject } from "../../src/control/kinds.ts";
import {
  FLEET_NAMESPACE,
  fleetDraft,
  popDraft,
  type PopOptions,
  sundayWindow,
  World,
  type WorldOptions,
} from "../../src/simulation/world.ts";
import { FaultyOperator, type FaultyOperatorOptions } from "./faulty-operator.ts";
import { Invariants, type InvariantsOptions } from "./invariants.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;

/** Timers fired: more than the longest of these scenarios needs, and soon reached by somebody who re-arms one for ever. */
const MOST_STEPS = 300_000;

export interface ScenarioOptions extends Partial<WorldOptions>, InvariantsOptions {
  readonly nodes?: number;
  readonly pops?: readonly string[];
  readonly pop?: PopOptions;
  readonly fleet?: Partial<FleetSpec>;
  readonly window?: Parameters<World["apply"]>[1];
}

/** A world whose PoPs run 1.0.0, without any operator, and the oracles that watch what operators do to it. */
export class Scenario {
  readonly world: World;
  readonly invariants: Invariants;

  private constructor(world: World, invariants: Invariants) {
    this.world = world;
    this.invariants = invariants;
  }

  static async create(options: ScenarioOptions = {}): Promise<Scenario> {
    // A minute after the window has opened, so that a wanted version starts at once.
    const world = await World.create({ start: "2026-11-22T00:01:00Z", ...options });
    const invariants = new Invariants(world, options);
    const scenario = new Scenario(world, invariants);
    const pops = options.pops ?? ["fra1"];
    for (const pop of pops) await world.bootNodes(pop, options.nodes ?? 3);
    await world.apply(FLEET, fleetDraft(options.fleet));
    await world.apply(MAINTENANCE_WINDOW, options.window ?? sundayWindow());
    for (const pop of pops) await world.apply(POP_CLUSTER, popDraft(pop, shortBake(options.pop)));
    const first = scenario.operator({ name: "first" });
    for (const pop of pops)
      await world.until(pop, (status) => status.run?.state === "Baking" || status.run?.state === "Passed", HOUR, "the first version");
    first.crash();
    await world.clock.advance(10);
    return scenario;
  }

  operator(options: FaultyOperatorOptions = {}): FaultyOperator {
    return new FaultyOperator(this.world, { observer: this.invariants, ...options });
  }

  async want(version: string, pop = "fra1"): Promise<void> {
    await this.edit(pop, (spec) => ({ ...spec, version }));
  }

  async edit(pop: string, change: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<void> {
    // A person whose write meets another one's tries again.
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.world.editPop(pop, change);
      } catch (error) {
        if (attempt > 20) throw error;
      }
    }
  }

  async patchNode(
    name: string,
    change: { readonly unschedulable?: boolean; readonly annotation?: readonly [string, string] },
  ): Promise<void> {
    const { kubectl } = this.world;
    if (change.unschedulable !== undefined)
      await this.world.while(
        kubectl.patch(NODE, name, undefined, [{ op: "add", path: "/spec/unschedulable", value: change.unschedulable }]),
      );
  }

  pop(name = "fra1"): PopCluster | undefined {
    return this.world.store.get(POP_CLUSTER, name, FLEET_NAMESPACE) as unknown as PopCluster | undefined;
  }

  node(name: string): NodeObject | undefined {
    return this.world.store.get(NODE, name);
  }

  nodes(pop = "fra1"): NodeObject[] {
    return (this.world.store.list(NODE) as unknown as NodeObject[]).filter((node) => node.metadata.labels?.["rollward.dev/pop"] === pop);
  }

  /** Runs until the predicate holds on the store itself, asked after each timer. */
  async until(predicate: () => boolean, limitMilliseconds: number, waitingFor: string): Promise<void> {
    try {
      await this.world.clock.runUntil(predicate, { limitMilliseconds, waitingFor, maxSteps: MOST_STEPS });
    } catch (error) {
      throw new Error(`${(error as Error).message}; ${this.describe()}`, { cause: error });
    }
  }

  /** Nothing is in hand and every PoP stands where its spec and its verdicts say, or holds for a reason that only a person lifts. */
  isFinal(pop = "fra1"): boolean {
    const found = this.pop(pop);
    if (!found) return this.nodes(pop).every((node) => !isClaimed(node));
    const { status, spec } = found;
    const { run } = status ?? {};
    if (found.metadata.deletionTimestamp) return false;
    if (this.nodes(pop).some((node) => isClaimed(node) || this.draining(node.metadata.name))) return false;
    if (run && run.state !== "Baking" && run.state !== "Passed") return false;
    const stands = run ? run.revision : status?.revisions?.current;
    const wanted = status?.revisions?.wanted;
    const failed = status?.revisions?.failed?.map((entry) => entry.revision) ?? [];
    const labels = this.nodes(pop).map((node) => node.metadata.labels?.[REVISION_LABEL]);
    if (!this.nodes(pop).every((node) => this.serving(node.metadata.name))) return false;
    // What was taken back moved only its own nodes (P7): those of a roll that was superseded stay where they are, until a person names a version.
    if (wanted !== undefined && failed.includes(wanted))
      return labels.every((label) => label === `${pop}-${stands}` || !failed.some((revision) => label === `${pop}-${revision}`));
    return labels.every((label) => label === `${pop}-${stands}`) && stands === wanted && (!run || run.version === spec.version);
  }

  serving(node: string): boolean {
    const plane = this.plane(node);
    return plane?.health === "Healthy" && !plane.draining;
  }

  draining(node: string): boolean {
    return this.plane(node)?.drainToken !== undefined;
  }

  plane(node: string) {
    const address = this.node(node)?.status?.addresses?.find((one) => one.type === "InternalIP")?.address;
    return address === undefined ? undefined : this.world.runtime.listener(address, 8080)?.instance.plane;
  }

  /** What two runs are compared by: labels, claims ended, steps, history, the version that stands. */
  finalState(pop = "fra1"): object {
    const { status } = this.pop(pop) ?? {};
    return {
      nodes: this.nodes(pop).map((node) => ({
        name: node.metadata.name,
        label: node.metadata.labels?.[REVISION_LABEL],
        claimed: isClaimed(node),
        taint: node.spec?.taints?.some((taint) => taint.key === UPDATING_TAINT) ?? false,
        serving: this.serving(node.metadata.name),
      })),
      steps: status?.nodes?.map(({ name, step, revision }) => ({ name, step, revision })),
      run: status?.run && { kind: status.run.kind, version: status.run.version, state: status.run.state },
      history: status?.history?.map(({ version, outcome }) => ({ version, outcome })),
      failed: status?.revisions?.failed?.map(({ version }) => version),
      grant: status?.grant?.state,
    };
  }

  restarts(): Record<string, number> {
    return Object.fromEntries([...this.invariants.containers].map(([node, containers]) => [node, containers.size - 1]));
  }

  /** Writes of operators while `milliseconds` pass; settled means none (I18). */
  async writesDuring(milliseconds: number, users: readonly string[]): Promise<readonly object[]> {
    const from = this.world.store.audit.length;
    await this.world.clock.advance(milliseconds);
    return this.world.store.audit
      .slice(from)
      .filter((entry) => users.includes(entry.user) && !entry.dryRun && entry.subresource !== "eviction");
  }

  describe(): string {
    const pops = this.world.store.list(POP_CLUSTER) as unknown as PopCluster[];
    const status = pops.map(({ metadata, status: { run, nodes, holds, grant, revisions } = {} }) => ({
      name: metadata.name,
      deleting: metadata.deletionTimestamp,
      run: run && { ...run, frozen: undefined },
      nodes,
      holds,
      grant,
      revisions,
    }));
    const nodes = (this.world.store.list(NODE) as unknown as NodeObject[]).map(({ metadata, spec, status: seen }) => ({
      name: metadata.name,
      uid: metadata.uid,
      label: metadata.labels?.[REVISION_LABEL],
      claim: metadata.annotations?.[CLAIM_ANNOTATION],
      cordoned: spec?.unschedulable,
      ready: seen?.conditions?.find((one) => one.type === "Ready")?.status,
      serving: this.serving(metadata.name),
      draining: this.plane(metadata.name)?.drainToken,
    }));
    return `the world stood at ${JSON.stringify({ status, nodes }, null, 1)}`;
  }
}

export const isClaimed = (node: NodeObject): boolean => {
  const claim = node.metadata.annotations?.[CLAIM_ANNOTATION];
  return claim !== undefined && !claim.startsWith(RELEASED_PREFIX);
};

export const shortBake = (pop: PopOptions = {}): PopOptions => ({ ...pop, strategy: { bake: "20s", ...pop.strategy } });
