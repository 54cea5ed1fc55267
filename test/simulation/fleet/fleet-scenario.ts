import type { Fleet, FleetSpec } from "../../../src/api/fleet.ts";
import { ACCOUNT_LABEL } from "../../../src/api/names.ts";
import type { PopCluster } from "../../../src/api/pop-cluster.ts";
import type { PopRollout } from "../../../src/api/pop-rollout.ts";
import { FLEET, MAINTENANCE_WINDOW, POP_CLUSTER, POP_ROLLOUT, TUNNEL_SITE } from "../../../src/api/resources.ts";
import { NAMESPACE, NODE, type NodeObject } from "../../../src/control/kinds.ts";
import { ApiError, type Draft, type Kind, type KubernetesObject } from "../../../src/control/ports.ts";
import { nodeSpecs } from "../../../src/simulation/nodes/node-fleet.ts";
import { FLEET_NAMESPACE, fleetDraft, sundayWindow, World } from "../../../src/simulation/world.ts";
import { FaultyOperator, type FaultyOperatorOptions } from "../faulty-operator.ts";
import { FleetInvariants } from "./fleet-invariants.ts";
import { isClaimed } from "./fleet-truth.ts";
import { fleetPop, type FleetPopOptions, sicknessQuery } from "./pops.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** The calendar goes on in steps of this at most while nothing elapses, so that waiting timers come in their turn. */
const LONGEST_SKIP = 6 * HOUR;
const SKIP_IN_A_WINDOW = 20 * MINUTE;
/** Without a write, a claim and an entry in the ledger for so long there is nothing to wait for but the calendar. */
const QUIET = 8 * SECOND;
/** Who holds a grant and does nothing for so long waits for something that the calendar brings. */
const STUCK = 20 * MINUTE;
const ELAPSED_STEP = 4 * SECOND;
const LOOK = 500;

export interface FleetScenarioOptions {
  readonly seed?: number;
  readonly start: string;
  readonly pops: readonly FleetPopOptions[];
  readonly fleet?: Partial<FleetSpec>;
  readonly trace?: (line: string) => void;
}

/** A fleet whose PoPs run 1.0.0 and are assigned their versions by rollouts, and the oracles that watch it. */
export class FleetScenario {
  readonly world: World;
  readonly invariants: FleetInvariants;
  readonly operators: FaultyOperator[] = [];
  #lastWrite = 0;
  #activeSince: number | undefined;

  private constructor(world: World, options: FleetScenarioOptions) {
    this.world = world;
    this.invariants = new FleetInvariants(world, options.trace ? { trace: options.trace } : {});
    world.store.subscribe(({ kind }) => {
      if (kind.kind !== "Event") this.#lastWrite = world.clock.elapsed();
    });
  }

  static async create(options: FleetScenarioOptions): Promise<FleetScenario> {
    const world = await World.create({ start: options.start, ...(options.seed === undefined ? {} : { seed: options.seed }) });
    const scenario = new FleetScenario(world, options);
    await world.apply(FLEET, fleetDraft(options.fleet));
    await world.apply(MAINTENANCE_WINDOW, sundayWindow());
    await scenario.done(Promise.all(options.pops.map((pop) => scenario.join(pop, "1.0.0"))));
    const first = scenario.operator({ name: "first" });
    const passed = () => scenario.pops().every(({ status }) => status?.run?.state === "Passed");
    await scenario.live(passed, 3 * HOUR, "the first version of every PoP");
    first.crash();
    // Pins are taken off: from here on rollouts say what runs.
    await scenario.done(Promise.all(options.pops.map(({ name }) => scenario.edit(name, ({ version: _, ...spec }) => spec))));
    return scenario;
  }

  /** A PoP with its nodes; `version` is a person's pin. */
  async join(options: FleetPopOptions, version?: string): Promise<void> {
    const { world } = this;
    world.prometheus.replies.set(sicknessQuery(options.name), 0);
    await world.nodes.start(nodeSpecs(options.name, options.nodes ?? 1));
    await this.create(POP_CLUSTER, fleetPop(options, version));
  }

  operator(options: FaultyOperatorOptions = {}): FaultyOperator {
    const operator = new FaultyOperator(this.world, { observer: this.invariants, ...options });
    this.operators.push(operator);
    return operator;
  }

  // What stands.

  pops(): PopCluster[] {
    return this.world.store.list(POP_CLUSTER) as unknown as PopCluster[];
  }

  pop(name: string): PopCluster | undefined {
    return this.world.store.get(POP_CLUSTER, name, FLEET_NAMESPACE) as unknown as PopCluster | undefined;
  }

  fleet(): Fleet {
    return this.world.store.get(FLEET, "fleet", FLEET_NAMESPACE) as unknown as Fleet;
  }

  rollouts(): PopRollout[] {
    return this.world.store.list(POP_ROLLOUT) as unknown as PopRollout[];
  }

  rollout(name: string): PopRollout | undefined {
    return this.world.store.get(POP_ROLLOUT, name, FLEET_NAMESPACE) as unknown as PopRollout | undefined;
  }

  nodes(pop?: string): NodeObject[] {
    const nodes = this.world.store.list(NODE) as unknown as NodeObject[];
    return pop === undefined ? nodes : nodes.filter(({ metadata }) => metadata.labels?.["rollward.dev/pop"] === pop);
  }

  // What people do. None of it moves the clock: who waits for it does so by `done`.

  /** Lets time pass until that is done. */
  async done(work: Promise<unknown>): Promise<void> {
    await this.world.while(work);
  }

  async create(kind: Kind | object, object: object): Promise<void> {
    await this.world.kubectl.create(kind as Kind, object as Draft<KubernetesObject>);
  }

  /** Reads, changes and writes an object as a person would; a write that meets another one is tried again. Gone: nothing. */
  async change<T extends KubernetesObject>(
    kind: Kind<T>,
    name: string,
    namespace: string | undefined,
    edit: (object: T) => T,
  ): Promise<void> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const found = this.world.store.get(kind, name, namespace) as unknown as T | undefined;
      if (!found || found.metadata.deletionTimestamp) return;
      try {
        return void (await this.world.kubectl.update(kind, edit(structuredClone(found))));
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 409) throw error;
      }
    }
  }

  edit(pop: string, edit: (spec: PopCluster["spec"]) => PopCluster["spec"]): Promise<void> {
    return this.change<PopCluster>(POP_CLUSTER, pop, FLEET_NAMESPACE, (found) => ({
      ...found,
      spec: edit(found.spec),
    }));
  }

  editFleet(edit: (spec: FleetSpec) => FleetSpec): Promise<void> {
    return this.change<Fleet>(FLEET, "fleet", FLEET_NAMESPACE, (found) => ({ ...found, spec: edit(found.spec) }));
  }

  editRollout(name: string, edit: (spec: PopRollout["spec"]) => PopRollout["spec"]): Promise<void> {
    return this.change<PopRollout>(POP_ROLLOUT, name, FLEET_NAMESPACE, (found) => ({
      ...found,
      spec: edit(found.spec),
    }));
  }

  /** A site of an account that both PoPs report from now on. */
  async site(name: string, one: string, other: string): Promise<void> {
    const { world } = this;
    if (!world.store.get(NAMESPACE, "acme"))
      await this.create(NAMESPACE, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: "acme", labels: { [ACCOUNT_LABEL]: "acme" } },
      });
    await this.create(TUNNEL_SITE, {
      apiVersion: TUNNEL_SITE.apiVersion,
      kind: "TunnelSite",
      metadata: { namespace: "acme", name },
      spec: { type: "IPsec", primaryPoP: one, secondaryPoP: other },
    });
    for (const pop of [one, other]) this.report(`acme/${name}`, pop, true);
  }

  /** What the PoP's data planes export of the site; undefined: nothing any more. */
  report(site: string, pop: string, up: boolean | undefined): void {
    const { tunnels } = this.world.prometheus;
    const sites = tunnels.get(pop) ?? new Map<string, boolean>();
    tunnels.set(pop, sites);
    if (up === undefined) sites.delete(site);
    else sites.set(site, up);
    if (up !== undefined) this.invariants.reported(site, pop);
  }

  /** A PoP that was deleted and made again is asked for its tunnels anew. */
  reportsAgain(pop: string): void {
    for (const site of this.world.prometheus.tunnels.get(pop)?.keys() ?? []) this.invariants.reported(site, pop);
  }

  // Time.

  /**
   * Lives until the calendar stands at `end` or the predicate holds: elapsed time passes while something is in hand, and the calendar
   * skips where only it is waited for.
   */
  async liveUntil(end: number, over: () => boolean = () => false): Promise<void> {
    const { clock } = this.world;
    while (clock.now() < end && !over()) {
      if (this.#isIdle()) {
        const step = this.invariants.calendar.isOpenSomewhere(clock.now()) ? SKIP_IN_A_WINDOW : LONGEST_SKIP;
        await clock.skipTo(Math.min(end, clock.now() + step, this.invariants.calendar.nextEdge(clock.now())));
      }
      // A violation ends it at once: what goes on after one proves nothing, and a bad operator may write for ever.
      for (let passed = 0; passed < ELAPSED_STEP; passed += LOOK) {
        await clock.advance(LOOK);
        this.invariants.check();
      }
    }
  }

  async live(over: () => boolean, limitMilliseconds: number, waitingFor: string): Promise<void> {
    await this.liveUntil(this.world.clock.now() + limitMilliseconds, over);
    if (!over()) throw new Error(`${waitingFor} did not come within ${limitMilliseconds / HOUR} h; ${this.describe()}`);
  }

  /** Nothing is in hand, and nothing was written for a while: what is to come, the calendar brings. */
  #isIdle(): boolean {
    const now = this.world.clock.elapsed();
    const inHand = (this.fleet().status?.disruptions ?? []).length > 0 || this.nodes().some(isClaimed) || this.pops().some(isAtWork);
    if (!inHand) this.#activeSince = undefined;
    else this.#activeSince ??= Math.max(now, this.#lastWrite);
    if (now - this.#lastWrite < QUIET) return false;
    return !inHand || now - Math.max(this.#activeSince ?? 0, this.#lastWrite) > STUCK;
  }

  describe(): string {
    const pops = this.pops().map(({ metadata, spec, status: { run, holds, grant, nodes, revisions, assigned, content } = {} }) =>
      [
        `${metadata.name} ${spec.version ?? ""} run ${run ? `${run.kind}/${run.state} ${run.version} ${run.ending ?? ""}` : "-"}`,
        `grant ${grant?.id ?? "-"} ${grant?.kind ?? ""} ${grant?.state ?? ""} ${nodes?.map((node) => `${node.name}:${node.step}`).join(" ")}`,
        `failed ${revisions?.failed?.map(({ version }) => version).join() ?? "-"} assigned ${assigned?.rollout ?? "-"} ${assigned?.order ?? ""}`,
        `content ${content?.current ?? "-"}/${content?.target ?? "-"} ${content?.state ?? ""}`,
        (holds ?? []).map(({ reason, message }) => `${reason}: ${message}`).join("; "),
      ].join(" | "),
    );
    const rollouts = this.rollouts().map(({ metadata, spec, status = {} }) =>
      [
        `${metadata.name} ${spec.version ?? spec.content?.version} ${status.outcome ?? ""} ${status.standing ? "standing" : ""}`,
        (status.waves ?? []).map(({ name, state }) => `${name} ${state}`).join(", "),
        (status.assignments ?? []).map(({ pop, state, order, reason }) => `${pop} ${state} ${order} ${reason ?? ""}`).join(", "),
        (status.holds ?? []).map(({ reason, message }) => `${reason}: ${message}`).join("; "),
      ].join(" | "),
    );
    const { status } = this.fleet();
    const ledger = (status?.disruptions ?? []).map(({ pop, id, kind }) => `${pop} ${id} ${kind}`).join(", ");
    const waiting = (status?.waiting ?? []).map(({ pop, reason, message }) => `${pop} ${reason} ${message}`).join("; ");
    const now = new Date(this.world.clock.now()).toISOString();
    return [`the fleet stood at ${now}`, ...rollouts, ...pops.slice(0, 40), `ledger ${ledger}`, `waiting ${waiting}`].join("\n");
  }
}

/** Elapsed time brings it on: a node is in its hand, or content is being loaded. */
const isAtWork = ({ status: { nodes = [], content } = {} }: PopCluster): boolean =>
  nodes.some(({ step }) => step === "Claimed" || step === "Updating" || step === "Soaking") ||
  content?.state === "Loading" ||
  content?.state === "RollingBack";
