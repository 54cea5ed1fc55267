import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cache, Cluster, ClusterEvent } from "../../control/ports.ts";
import { getOnce } from "../../simulation/load/door.ts";
import type { SessionBreak } from "../../simulation/load/session-client.ts";
import { HttpNodeDirectory } from "../../simulation/load/node-directory.ts";
import { SessionLoad } from "../../simulation/load/session-load.ts";
import { TcpTransport } from "../../simulation/load/tcp-transport.ts";
import type { Setting } from "./act.ts";
import { NAMESPACE, type Tempo } from "./cast.ts";
import { EVENT, type EventObject } from "./kinds.ts";
import { PrometheusServer } from "./monitoring.ts";
import type { NodeGround, OpenNodes } from "./node-ground.ts";
import { Pace } from "./pace.ts";
import type { DemoClock, DemoOperator, DemoPorts } from "./ports.ts";
import { installOn, type Installed } from "./install.ts";
import type { Rhythm } from "./rhythm.ts";
import { type Monitoring, type Stage, type StageNodes, WaitedTooLong, type WaitOptions } from "./stage.ts";
import { connectAs } from "./virtual-ground.ts";

const HTTP_PORT = 8080;
const SESSION_PORT = 7000;
const ASK_TIMEOUT_MILLISECONDS = 2_000;
const LOOK_MILLISECONDS = 50;

export interface RealStageOptions {
  readonly ports: DemoPorts;
  readonly setting: Setting;
  readonly tempo: Tempo;
  /** Where the operator and a person find the API server. */
  readonly kubeconfig: { readonly person: string; readonly operator: string };
  readonly openNodes: OpenNodes;
  /** Called once the namespaces are there; absent where the operator acts with the rights of the person. */
  readonly grantOperatorRights?: () => Promise<void>;
  /** For the clock's file; the caller removes it. */
  readonly folder: string;
  readonly place: string;
  readonly interrupted: AbortSignal;
  /** Takes away at the end what was brought; not needed where the whole cluster goes. */
  readonly leaveAsItWas: boolean;
  /** Where the operator serves its metrics on 127.0.0.1; absent: nobody asks. */
  readonly metricsPort?: number | undefined;
}

/** The play on a real API server: the operator is a process of its own, sessions are real connections to whatever runs the nodes. */
export class RealStage implements Stage {
  readonly place: string;
  readonly tempo: Tempo;
  readonly cluster: Cluster;
  readonly clock: DemoClock;
  readonly #options: RealStageOptions;
  readonly #ground: NodeGround;
  readonly #installed: Installed;
  readonly #rhythm: Rhythm;
  readonly #events: Cache<EventObject>;
  readonly #pace: Pace;
  readonly #loads = new Map<string, SessionLoad>();
  #prometheus: Promise<PrometheusServer> | undefined;
  #operator: DemoOperator | undefined;

  private constructor(options: RealStageOptions, cluster: Cluster, ground: NodeGround, clock: DemoClock, installed: Installed) {
    this.#options = options;
    this.place = options.place;
    this.tempo = options.tempo;
    this.cluster = cluster;
    this.clock = clock;
    this.#ground = ground;
    this.#installed = installed;
    this.#rhythm = options.setting.rhythm(cluster, clock);
    this.#events = cluster.cache(EVENT, { namespace: NAMESPACE });
    this.#pace = new Pace(clock, this.#rhythm, options.tempo.stretchMilliseconds);
  }

  /** Opens the API server and brings our kinds and namespaces there. When that does not succeed nothing stays open. */
  static async open(options: RealStageOptions): Promise<RealStage> {
    const { ports, folder, kubeconfig, interrupted, setting } = options;
    const cluster = await connectAs(ports, kubeconfig.person);
    let clock: DemoClock | undefined;
    try {
      const installed = await installOn(cluster, setting, interrupted);
      await options.grantOperatorRights?.();
      clock = ports.createClock(join(folder, "clock.json"), setting.curtain);
      return new RealStage(options, cluster, await options.openNodes(clock), clock, installed);
    } catch (error) {
      clock?.close();
      await cluster.close();
      throw error;
    }
  }

  get nodes(): StageNodes {
    return this.#ground.nodes;
  }
  get missingImages(): Set<string> {
    return this.#ground.missingImages;
  }

  get rate(): number {
    return this.clock.rate;
  }

  load(pop: string): SessionLoad | undefined {
    return this.#loads.get(pop);
  }

  holdSessions(pop: string, sessions: number, onBreak: (broken: SessionBreak) => void): void {
    const load = new SessionLoad({
      pop,
      sessions,
      clock: this.clock,
      directory: new HttpNodeDirectory(() => Promise.resolve(this.nodes.directory()), HTTP_PORT, this.#ground.doorOf),
      transport: new TcpTransport(SESSION_PORT, this.#ground.doorOf),
      onBreak,
    });
    this.#loads.set(pop, load);
    load.start();
  }

  async monitoring(): Promise<Monitoring> {
    this.#prometheus ??= PrometheusServer.open();
    return (await this.#prometheus).monitoring;
  }

  async ask(address: string, path: string): Promise<string | undefined> {
    const node = this.nodes.directory().find((one) => one.address === address);
    const answer = node && (await getOnce(this.#ground.doorOf(node, HTTP_PORT), path, ASK_TIMEOUT_MILLISECONDS));
    return answer?.status === 200 ? answer.body : undefined;
  }

  async perform<T>(work: Promise<T>): Promise<T> {
    const result = await work;
    this.#check();
    return result;
  }

  async until(holds: () => boolean, { waitingFor, limitMilliseconds }: WaitOptions): Promise<void> {
    for (const end = this.clock.elapsed() + limitMilliseconds; !holds();) {
      this.#check();
      if (this.clock.elapsed() >= end) throw new WaitedTooLong(`${waitingFor}: it did not come within ${limitMilliseconds / 1000} s`);
      await sleep(LOOK_MILLISECONDS);
    }
  }

  passTo(instant: number, over = () => false): Promise<void> {
    return this.#pace.passTo(instant, () => {
      this.#check();
      return over();
    });
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    const told = new Set<string>();
    this.#events.onChange((event, deleted) => {
      const { type = "Normal", reason = "", action = "", note = "", regarding } = event;
      if (deleted || told.has(event.metadata.uid) || regarding?.name === undefined) return;
      told.add(event.metadata.uid);
      const { apiVersion = "", kind = "", name, uid = "" } = regarding;
      listener({ type, reason, action, note, regarding: { apiVersion, kind, name, uid } });
    });
  }

  async startOperator(): Promise<void> {
    const { ports, kubeconfig, folder, metricsPort } = this.#options;
    await Promise.all([this.#rhythm.whenSynced(this.#options.interrupted), this.#events.whenSynced(this.#options.interrupted)]);
    this.#operator = ports.startOperator({
      kubeconfig: kubeconfig.operator,
      clockFile: join(folder, "clock.json"),
      namespace: NAMESPACE,
      enter: this.#ground.enter,
      metricsPort,
    });
  }

  /** Time passes here for a Prometheus too. */
  shown(): Promise<void> {
    return Promise.resolve();
  }

  /** Ends everything that was begun, in the order in which it leans on each other; each end is tried whatever became of the others. */
  async close(): Promise<void> {
    const ends: (() => Promise<unknown> | undefined)[] = [
      () => Promise.all([...this.#loads.values()].map((load) => load.stop())),
      () => this.#operator?.stop(),
      () => this.#ground.end(),
      () => this.#prometheus?.then((server) => server.close()),
      () => (this.#options.leaveAsItWas ? this.#installed.remove() : undefined),
      () => this.cluster.close(),
    ];
    const faults: unknown[] = [];
    for (const end of ends) await Promise.resolve(end()).catch((error: unknown) => faults.push(error));
    this.clock.close();
    if (faults.length > 0 && !this.#options.interrupted.aborted) throw faults[0];
  }

  #check(): void {
    this.#options.interrupted.throwIfAborted();
    if (this.#operator?.ended !== undefined) {
      throw new Error(`the operator ended (${this.#operator.ended}) in the middle of the play; its last lines:\n${this.#operator.log()}`);
    }
  }
}
