import { setTimeout as sleep } from "node:timers/promises";
import type { ClusterEvent } from "../../control/ports.ts";
import { ClientField } from "../../simulation/clients/client-field.ts";
import { DeviceField } from "../../simulation/devices/device-field.ts";
import { InMemoryDirectory, InMemoryTransport } from "../../simulation/load/in-memory-transport.ts";
import type { SessionBreak } from "../../simulation/load/session-client.ts";
import { SessionLoad } from "../../simulation/load/session-load.ts";
import { World } from "../../simulation/world.ts";
import type { Setting } from "./act.ts";
import type { Tempo } from "./cast.ts";
import { accountNamespace, NAMESPACE_KIND } from "./kinds.ts";
import { monitoringOf } from "./monitoring.ts";
import type { DemoExporter } from "./ports.ts";
import type { Rhythm } from "./rhythm.ts";
import { type Monitoring, type Stage, WaitedTooLong, type WaitOptions } from "./stage.ts";

const HTTP_PORT = 8080;
const SESSION_PORT = 7000;
/** How far time goes between two looks at whether anybody is busy. */
const STEP_MILLISECONDS = 1_000;
/** Until what an event tells of stands in the status, too. */
const WRITTEN_MILLISECONDS = 50;
/** Shorter pauses are saved up: a timer of the machine is late by more. */
const LEAST_SLEEP_MILLISECONDS = 10;

export interface EmbeddedOptions {
  /** So many calendar milliseconds in a real one at most while somebody is busy, for whoever watches; else as fast as it goes. */
  readonly mostRate?: number | undefined;
  /** Metrics for a Prometheus, by the calendar of the play. */
  readonly openExporter?: ((now: () => number) => Promise<DemoExporter>) | undefined;
}

/** The play in memory: the real controllers on a virtual clock, weeks within seconds. */
export class EmbeddedStage implements Stage {
  readonly place = "in memory (the real controllers, a simulated API server)";
  readonly tempo: Tempo;
  readonly field?: DeviceField;
  readonly clients?: ClientField;
  readonly #world: World;
  readonly #interrupted: AbortSignal;
  readonly #rhythm: Rhythm;
  readonly #loads = new Map<string, SessionLoad>();
  readonly #listeners: ((event: ClusterEvent) => void)[] = [];
  #heard = 0;
  /** When a Prometheus that watches has to look; elapsed milliseconds. */
  #showAt = Infinity;

  readonly #mostRate: number | undefined;

  readonly #exporter: DemoExporter | undefined;

  private constructor(world: World, setting: Setting, interrupted: AbortSignal, { mostRate }: EmbeddedOptions, exporter?: DemoExporter) {
    this.#world = world;
    this.#exporter = exporter;
    this.tempo = setting.tempos.embedded;
    this.#interrupted = interrupted;
    this.#mostRate = mostRate;
    this.#rhythm = setting.rhythm(world.kubectl, world.clock);
    if (setting.sockets) this.field = new DeviceField(world, setting.sockets.sites, setting.sockets.version);
    if (setting.clients) this.clients = new ClientField(world, setting.clients);
  }

  static async open(setting: Setting, interrupted: AbortSignal, options: EmbeddedOptions = {}): Promise<EmbeddedStage> {
    const { curtain, sockets, clients } = setting;
    // The exporter is there before the world whose calendar it goes by.
    let now = (): number => curtain;
    const exporter = await options.openExporter?.(() => now());
    const world = await World.create({
      watch: exporter,
      start: new Date(curtain).toISOString(),
      sockets: sockets !== undefined,
      ...(clients === undefined ? {} : { clients: { countedEvery: clients.countedEvery } }),
    });
    now = () => world.clock.now();
    for (const name of setting.accounts) await world.apply(NAMESPACE_KIND, accountNamespace(name));
    return new EmbeddedStage(world, setting, interrupted, options, exporter);
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
  get missingImages(): Set<string> {
    return this.#world.registry.missing;
  }

  monitoring(): Promise<Monitoring> {
    const { prometheus } = this.#world;
    return Promise.resolve(monitoringOf(prometheus, prometheus.url));
  }

  ask(address: string, path: string): Promise<string | undefined> {
    const answer = this.#world.runtime.listener(address, HTTP_PORT)?.http?.answer({ method: "GET", path, body: "" });
    return Promise.resolve(answer?.status === 200 ? answer.body : undefined);
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
    const isRemarkable = () => this.clock.elapsed() >= this.#showAt;
    // A timer of our own at the end, so that the wait ends although nothing else happens.
    const cancel = this.clock.after(limitMilliseconds, () => {});
    do {
      await this.clock.runUntil(() => done() || isRemarkable(), { waitingFor });
      if (isRemarkable()) await this.shown();
    } while (!done());
    cancel();
    this.#interrupted.throwIfAborted();
    if (!holds()) throw new WaitedTooLong(`${waitingFor}: it did not come within ${limitMilliseconds / 1000} s`);
  }

  async passTo(instant: number, over = () => false): Promise<void> {
    const { clock } = this;
    const pace = this.#paced();
    while (clock.now() < instant && !over()) {
      this.#interrupted.throwIfAborted();
      if (this.#rhythm.isBusy()) {
        await clock.advance(Math.min(STEP_MILLISECONDS, instant - clock.now()));
        await pace();
      } else {
        await clock.skipTo(Math.min(instant, ...this.#rhythm.events()));
        this.#rhythm.moved();
        await clock.advance(Math.min(STEP_MILLISECONDS, Math.max(0, instant - clock.now())));
      }
      this.#hear();
      if (clock.elapsed() >= this.#showAt) await this.shown();
    }
  }

  /** Waits, where somebody watches, until real time has caught up with what has elapsed since this was made. */
  #paced(): () => Promise<void> {
    const rate = this.#mostRate;
    if (rate === undefined) return () => Promise.resolve();
    const [real, elapsed] = [performance.now(), this.clock.elapsed()];
    return async () => {
      const ahead = (this.clock.elapsed() - elapsed) / rate - (performance.now() - real);
      if (ahead > LEAST_SLEEP_MILLISECONDS) await sleep(ahead);
    };
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#listeners.push(listener);
  }

  async startOperator(): Promise<void> {
    this.#world.startOperator();
  }

  async shown(): Promise<void> {
    this.#showAt = Infinity;
    await this.#exporter?.scraped();
  }

  async close(): Promise<void> {
    for (const load of this.#loads.values()) await this.perform(load.stop());
    for (const operator of this.#world.operators) operator.crash();
    await this.perform(this.nodes.stop());
    this.field?.devices.stop();
    this.clients?.stop();
    this.#rhythm.stop();
    await this.#exporter?.close();
  }

  #hear(): void {
    const { said } = this.#world;
    for (; this.#heard < said.length; this.#heard++) {
      const { event } = said[this.#heard]!;
      for (const listener of this.#listeners) listener(event);
      // What is over within a second of the machine would be seen by no Prometheus.
      if (event.type === "Warning" && this.#exporter !== undefined)
        this.#showAt = Math.min(this.#showAt, this.clock.elapsed() + WRITTEN_MILLISECONDS);
    }
  }
}
