import { POP_CLUSTER, MAINTENANCE_WINDOW } from "../../src/api/resources.ts";
import { ApiError } from "../../src/control/ports.ts";
import { seededRandom } from "../../src/simulation/clock.ts";
import { FLEET_NAMESPACE, popDraft } from "../../src/simulation/world.ts";
import type { Effect, Mishap, Sabotage } from "./effect.ts";
import type { FaultyOperator } from "./faulty-operator.ts";
import { MINUTE, Scenario, SECOND, shortBake } from "./scenario.ts";

/**
 * One seeded storm over one or two PoPs, then calm. In the storm two operators that both believe they lead are late, hear time-outs and
 * 429s, sleep with an effect in hand, die and come back, while nodes die, reboot and are replaced, people cordon, pause, delete and
 * change versions, and windows open and close. In the calm everything has to come to its end by itself (rules L1, L2).
 */

export interface StormOptions {
  readonly sabotage?: Sabotage;
  readonly trace?: (line: string) => void;
}

/** Ten minutes open, five closed, from Sunday 01:00 in Berlin (00:00 UTC) on. */
const slots = Array.from({ length: 14 }, (_, index) => {
  const minute = 60 + index * 15;
  return {
    day: "Sunday",
    start: `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`,
    duration: "10m",
  };
});
const window = {
  apiVersion: MAINTENANCE_WINDOW.apiVersion,
  kind: "MaintenanceWindow",
  metadata: { name: "pop-sunday", namespace: FLEET_NAMESPACE },
  spec: { schedule: { weekly: slots }, timeZone: "Local" },
};
const OPENS = Date.parse("2026-11-22T00:00:00Z");
const isOpen = (at: number): boolean => at >= OPENS && at < OPENS + 14 * 15 * MINUTE && (at - OPENS) % (15 * MINUTE) < 10 * MINUTE;

const VERSIONS = ["2.0.0", "2.0.0", "2.1.0", "2.2.0-bad-health", "2.3.0-crash-loop", "2.4.0-no-pull", "2.5.0-ignores-drain", "2.6.0-slow"];

export class Storm {
  readonly scenario: Scenario;
  readonly pops: readonly string[];
  readonly #random: () => number;
  readonly #options: StormOptions;
  #operators: FaultyOperator[] = [];
  #started = 0;
  #calm = false;
  readonly #deeds: Promise<unknown>[] = [];

  private constructor(scenario: Scenario, pops: readonly string[], random: () => number, options: StormOptions) {
    this.scenario = scenario;
    this.pops = pops;
    this.#random = random;
    this.#options = options;
  }

  /** Runs the storm of that seed; throws on a violation, or when the calm does not come to an end. */
  static async run(seed: number, options: StormOptions = {}): Promise<Storm> {
    const random = seededRandom(seed * 7919 + 17);
    const pops = random() < 0.35 ? ["fra1", "lon1"] : ["fra1"];
    const start = new Date(OPENS + Math.floor(random() * 9 * MINUTE)).toISOString();
    const scenario = await Scenario.create({
      seed,
      start,
      pops,
      nodes: pops.length > 1 ? 2 : 3 + Math.floor(random() * 2),
      window: window,
      isOpen,
      pop: { strategy: { maxUnavailable: random() < 0.25 ? 2 : 1, drain: { ...DRAIN, lease: random() < 0.5 ? "30s" : "6s" } } },
      ...(options.trace ? { trace: options.trace } : {}),
    });
    const storm = new Storm(scenario, pops, random, options);
    await storm.#blow();
    scenario.invariants.check();
    await storm.#settle();
    scenario.invariants.check();
    return storm;
  }

  async #blow(): Promise<void> {
    const { world } = this.scenario;
    this.#operator();
    this.#operator();
    for (const pop of this.pops) await this.scenario.want(this.#version(), pop);
    const deeds = 3 + Math.floor(this.#random() * 5);
    for (let index = 0; index < deeds; index++) {
      await world.clock.advance(Math.floor(this.#random() * 25 * SECOND));
      this.#do(this.#random());
    }
    await world.clock.advance(20 * SECOND);
  }

  /** What people and the world do; each deed is begun and not waited for, as in life. */
  #do(dice: number): void {
    const { scenario } = this;
    const { world } = scenario;
    const pop = this.#one(this.pops)!;
    const node = this.#one(scenario.nodes(pop).map((one) => one.metadata.name));
    const later = (deed: () => Promise<unknown>, most: number) =>
      void world.clock.after(this.#random() * most, () => this.#begin("later", deed()));
    if (!node) return;
    if (dice < 0.15) {
      this.#begin(`kill ${node}`, world.nodes.kill(node));
      later(() => world.nodes.reboot(node), 60 * SECOND);
    } else if (dice < 0.25) this.#begin(`reboot ${node}`, world.nodes.reboot(node));
    else if (dice < 0.35) this.#begin(`recreate ${node}`, world.nodes.recreate(node));
    else if (dice < 0.5) {
      this.#begin(`cordon ${node}`, this.#cordon(node, true));
      later(() => this.#cordon(node, false), 60 * SECOND);
    } else if (dice < 0.6) {
      this.#begin(
        `pause ${pop}`,
        this.#edit(pop, (spec) => ({ ...spec, paused: true })),
      );
      later(() => this.#edit(pop, (spec) => ({ ...spec, paused: false })), 40 * SECOND);
    } else if (dice < 0.8) {
      const version = this.#version();
      this.#begin(
        `${pop} wants ${version}`,
        this.#edit(pop, (spec) => ({ ...spec, version })),
      );
    } else if (dice < 0.9) this.#begin(`delete ${pop}`, this.#deleteAndCreate(pop));
    else for (const operator of this.#operators) operator.hub.breakWatches(this.#random() * 20 * SECOND, { relist: this.#random() < 0.5 });
  }

  async #settle(): Promise<void> {
    const { scenario } = this;
    const { world } = scenario;
    this.#calm = true;
    for (const operator of this.#operators) operator.hub.fault = undefined;
    // Deeds that were begun, sleeps with an effect in hand, operators that are still down.
    await world.clock.advance(90 * SECOND);
    let over = false;
    void Promise.all(this.#deeds).then(() => (over = true));
    await scenario.until(() => over, 30 * MINUTE, "the end of what people began, deletions among it (L1)");
    for (const pop of this.pops) {
      await this.#wait(this.#edit(pop, (spec) => ({ ...spec, paused: false })));
      for (const node of scenario.nodes(pop)) await this.#wait(this.#cordon(node.metadata.name, false));
    }
    await this.#wait(world.nodes.start(world.nodes.names.map((name) => ({ name, pop: name.replace(/-.*/, "") }))));
    const done = () => this.pops.every((pop) => scenario.isFinal(pop));
    const needsPerson = () =>
      this.pops.filter((pop) => {
        const { metadata, status } = scenario.pop(pop) ?? {};
        if (!status || status.observedGeneration !== metadata?.generation) return false;
        const stuck = status.history?.at(-1)?.outcome === "RollbackFailed" && !status.run;
        return stuck || status.holds?.some(({ reason }) => reason === "OlderVersion");
      });
    // L1 with the spec as it is; where a rollback failed, or an older version is wanted (V3), a person has to name a good one: L2.
    await scenario.until(() => done() || needsPerson().length > 0, 75 * MINUTE, "the final state (L1)");
    for (const version of ["9.0.0", "9.0.1", "9.0.2"]) {
      if (done()) break;
      for (const pop of needsPerson()) await scenario.want(version, pop);
      // A PoP may come to need a person while another one's version rolls.
      await scenario.until(() => done() || needsPerson().length > 0, 75 * MINUTE, `the final state after ${version} was named (L2)`);
    }
    if (!done()) throw new Error(`L2: three good versions brought no end; ${scenario.describe()}`);
    await this.#isQuiet();
  }

  /** I18: no write of ours in two minutes without an edge of a window. */
  async #isQuiet(): Promise<void> {
    const { scenario } = this;
    const { clock } = scenario.world;
    const sinceEdge = (clock.now() - OPENS) % (15 * MINUTE);
    await clock.advance((11 * MINUTE - sinceEdge + 15 * MINUTE) % (15 * MINUTE));
    const writes = await scenario.writesDuring(
      2 * MINUTE,
      this.#operators.map((one) => one.name),
    );
    if (writes.length > 0)
      throw new Error(`I18: ${writes.length} writes in two minutes of calm: ${JSON.stringify(writes.slice(0, 5))}; ${scenario.describe()}`);
  }

  #operator(): void {
    const operator = this.scenario.operator({
      name: `${"ab"[this.#started % 2]}${Math.floor(this.#started / 2)}`,
      seed: this.#started,
      lagMilliseconds: this.#random() < 0.5 ? 2 : this.#random() * 1_500,
      mishap: (effect) => this.#mishap(operator, effect),
      ...(this.#options.sabotage ? { sabotage: this.#options.sabotage } : {}),
    });
    this.#started++;
    this.#operators = [...this.#operators.filter((one) => one.alive), operator];
    operator.hub.fault = ({ verb }) => {
      if (verb !== "get" && verb !== "list") return undefined;
      const dice = this.#random();
      if (dice < 0.01) return { error: new ApiError(429, "TooManyRequests", "too many requests") };
      if (dice < 0.02) return { error: new ApiError(0, "Timeout", "no answer within the deadline") };
      return dice < 0.06 ? { delayMilliseconds: this.#random() * 1_500 } : undefined;
    };
  }

  #mishap(operator: FaultyOperator, effect: Effect): Mishap | undefined {
    if (this.#calm) return undefined;
    const mishap = this.#befalls();
    if (mishap?.crash) this.scenario.world.clock.after(this.#random() * 20 * SECOND, () => this.#operator());
    if (mishap) this.#options.trace?.(`         ${operator.name} ${effect.index} ${effect.name}: ${JSON.stringify(mishap)}`);
    return mishap;
  }

  #befalls(): Mishap | undefined {
    const dice = this.#random();
    if (dice < 0.04) return { error: new ApiError(429, "TooManyRequests", "too many requests", 1_000) };
    if (dice < 0.08) return { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: true };
    if (dice < 0.1) return { error: new ApiError(0, "Timeout", "no answer within the deadline"), commits: false };
    if (dice < 0.18) return { delayMilliseconds: this.#random() * 2_000 };
    if (dice < 0.22) return { delayMilliseconds: this.#random() * 40_000 };
    if (dice < 0.235) return { crash: "before" };
    if (dice < 0.25) return { crash: "after" };
    return undefined;
  }

  #version(): string {
    return this.#one(VERSIONS)!;
  }

  #one<T>(from: readonly T[]): T | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #begin(what: string, deed: Promise<unknown>): void {
    this.#options.trace?.(`         ${what}`);
    // A deed may meet another one: two people at the same node.
    this.#deeds.push(deed.catch((error: unknown) => this.#options.trace?.(`         ${what} failed: ${String(error)}`)));
  }

  async #wait(deed: Promise<unknown>): Promise<void> {
    await this.scenario.world.while(deed.catch(() => undefined));
  }

  async #cordon(node: string, unschedulable: boolean): Promise<void> {
    const { kubectl } = this.scenario.world;
    await kubectl.patch({ apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false }, node, undefined, [
      { op: "add", path: "/spec/unschedulable", value: unschedulable },
    ]);
  }

  async #edit(
    pop: string,
    change: (spec: NonNullable<ReturnType<Scenario["pop"]>>["spec"]) => NonNullable<ReturnType<Scenario["pop"]>>["spec"],
  ): Promise<void> {
    const { kubectl } = this.scenario.world;
    for (let attempt = 0; attempt < 20; attempt++) {
      const found = await kubectl.get(POP_CLUSTER, pop, FLEET_NAMESPACE);
      if (!found || found.metadata.deletionTimestamp) return;
      try {
        return void (await kubectl.update(POP_CLUSTER, { ...found, spec: change(structuredClone(found.spec)) }));
      } catch (error) {
        if (!(error instanceof ApiError) || error.code !== 409) throw error;
      }
    }
  }

  /** Deletes the PoPCluster and, when it is gone, makes another one under its name: it adopts what runs. */
  async #deleteAndCreate(pop: string): Promise<void> {
    const { kubectl, clock, store } = this.scenario.world;
    const before = this.scenario.pop(pop);
    if (!before) return;
    await kubectl.delete(POP_CLUSTER, pop, FLEET_NAMESPACE);
    await new Promise<void>((resolve) => {
      const look = () =>
        store.get(POP_CLUSTER, pop, FLEET_NAMESPACE)?.metadata.uid === before.metadata.uid ? void clock.after(500, look) : resolve();
      look();
    });
    const { version, strategy } = before.spec;
    await kubectl.create(POP_CLUSTER, popDraft(pop, shortBake({ ...(version ? { version } : {}), strategy })));
  }
}

const DRAIN = {
  start: { http: { port: 8080, path: "/drain" } },
  cancel: { http: { port: 8080, path: "/undrain" } },
  timeout: "30s",
  sessions: { metric: "pop_active_sessions", port: 8080, path: "/metrics" },
};
