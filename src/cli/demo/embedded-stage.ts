import type { Cache, ClusterEvent } from "../../control/ports.ts";
import { InMemoryDirectory, InMemoryTransport } from "../../simulation/load/in-memory-transport.ts";
import type { SessionBreak } from "../../simulation/load/session-client.ts";
import { SessionLoad } from "../../simulation/load/session-load.ts";
import { World } from "../../simulation/world.ts";
import type { PopCluster } from "../../api/pop-cluster.ts";
import { POP_CLUSTER } from "../../api/resources.ts";
import { CURTAIN, EMBEDDED_TEMPO, NAMESPACE } from "./cast.ts";
import { isBusy, nextEvents } from "./pace.ts";
import { type Stage, WaitedTooLong, type WaitOptions } from "./stage.ts";

const HTTP_PORT = 8080;
const SESSION_PORT = 7000;
/** How far time goes between two looks at whether anybody is busy. */
const STEP_MILLISECONDS = 1_000;

/** The play in memory: the real controllers on a virtual clock, weeks within seconds. */
export class EmbeddedStage implements Stage {
  readonly place = "in memory (the real controllers, a simulated API server)";
  readonly tempo = EMBEDDED_TEMPO;
  readonly #world: World;
  readonly #interrupted: AbortSignal;
  readonly #pops: Cache<PopCluster>;
  readonly #loads = new Map<string, SessionLoad>();
  readonly #listeners: ((event: ClusterEvent) => void)[] = [];
  #heard = 0;

  private constructor(world: World, interrupted: AbortSignal) {
    this.#world = world;
    this.#interrupted = interrupted;
    this.#pops = world.kubectl.cache<PopCluster>(POP_CLUSTER, { namespace: NAMESPACE });
  }

  static async open(interrupted: AbortSignal): Promise<EmbeddedStage> {
    return new EmbeddedStage(await World.create({ start: new Date(CURTAIN).toISOString() }), interrupted);
  }

  get cluster() {
    return this.#world.kubectl;
  }
  get clock() {
    return this.#world.clock;
  }
  get nodes() {
    return this.#world.nodes;
  }
  get rate(): undefined {
    return undefined;
  }

  load(pop: string): SessionLoad | undefined {
    return this.#loads.get(pop);
  }

  holdSessions(pop: string, sessions: number, onBreak: (broken: SessionBreak) => void): void {
    const { clock, runtime } = this.#world;
    const nodes = () => Promise.resolve(this.nodes.directory());
    const load = new SessionLoad({
      pop,
      sessions,
      clock,
      directory: new InMemoryDirectory(runtime, HTTP_PORT, nodes),
      transport: new InMemoryTransport(runtime, SESSION_PORT),
      onBreak,
    });
    this.#loads.set(pop, load);
    load.start();
  }

  perform<T>(work: Promise<T>): Promise<T> {
    return this.#world.while(work);
  }

  async until(holds: () => boolean, { waitingFor, limitMilliseconds }: WaitOptions): Promise<void> {
    const end = this.clock.elapsed() + limitMilliseconds;
    const done = () => {
      this.#hear();
      return this.#interrupted.aborted || holds() || this.clock.elapsed() >= end;
    };
    // A timer of our own at the end, so that the wait ends although nothing else happens.
    const cancel = this.clock.after(limitMilliseconds, () => {});
    await this.clock.runUntil(done, { waitingFor });
    cancel();
    this.#interrupted.throwIfAborted();
    if (!holds()) throw new WaitedTooLong(`${waitingFor}: it did not come within ${limitMilliseconds / 1000} s`);
  }

  async passTo(instant: number): Promise<void> {
    const { clock } = this;
    while (clock.now() < instant) {
      this.#interrupted.throwIfAborted();
      const now = clock.now();
      const pops = this.#pops.list();
      if (pops.some((pop) => isBusy(pop, now))) await clock.advance(Math.min(STEP_MILLISECONDS, instant - now));
      else {
        await clock.skipTo(Math.min(instant, ...nextEvents(pops, now)));
        await clock.advance(Math.min(STEP_MILLISECONDS, Math.max(0, instant - clock.now())));
      }
      this.#hear();
    }
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#listeners.push(listener);
  }

  async startOperator(): Promise<void> {
    this.#world.startOperator();
  }

  async close(): Promise<void> {
    for (const load of this.#loads.values()) await this.perform(load.stop());
    for (const operator of this.#world.operators) operator.crash();
    await this.perform(this.nodes.stop());
    this.#pops.stop();
  }

  #hear(): void {
    const { said } = this.#world;
    for (; this.#heard < said.length; this.#heard++) for (const listener of this.#listeners) listener(said[this.#heard]!.event);
  }
}
