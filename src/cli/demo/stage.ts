import type { Cluster, ClusterEvent } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { ClientField } from "../../simulation/clients/client-field.ts";
import type { DeviceField } from "../../simulation/devices/device-field.ts";
import type { SessionBreak } from "../../simulation/load/session-client.ts";
import type { SessionLoad } from "../../simulation/load/session-load.ts";
import type { NodeAddress } from "../../simulation/nodes/node-fleet.ts";
import type { NodeSpec } from "../../simulation/nodes/node-object.ts";
import type { Tempo } from "./cast.ts";

/** What did not come in time; the message says what was waited for and for how long. */
export class WaitedTooLong extends Error {
  override readonly name = "WaitedTooLong";
}

export interface WaitOptions {
  readonly waitingFor: string;
  /** Elapsed milliseconds. */
  readonly limitMilliseconds: number;
}

/** A Prometheus that tells of tunnels what data planes would export. */
export interface Monitoring {
  readonly url: string;
  /** From now on the PoP reports a tunnel to that site, `<namespace>/<name>`. */
  reportTunnel(pop: string, site: string): void;
}

/** The nodes of a stage, whoever runs them, and what can happen to them. */
export interface StageNodes {
  /** Resolves when all of them are Ready. A node that runs already stays as it is. */
  start(specs: readonly NodeSpec[]): Promise<void>;
  /** The power of the node goes off. */
  kill(name: string): Promise<void>;
  reboot(name: string): Promise<void>;
  /** Where each node is, dead ones included. */
  directory(): readonly NodeAddress[];
}

/**
 * Where the play is played: in memory on a virtual clock, or on a real API server with the operator as a process of its own. The play
 * is the same, and so is every claim: both read the cluster.
 */
export interface Stage {
  /** Where this is, for the head line. */
  readonly place: string;
  readonly tempo: Tempo;
  /** A person's view of the cluster. */
  readonly cluster: Cluster;
  readonly clock: Clock;
  /** How many times as fast as the machine's clock the calendar runs; undefined where it jumps from event to event. */
  readonly rate: number | undefined;
  readonly nodes: StageNodes;
  /** Images that the registry of the virtual nodes does not have, beside those whose tag says so. */
  readonly missingImages: Set<string>;
  /** The Sockets that the act asked for, where the stage has them. */
  readonly field?: DeviceField;
  /** The Clients that the act asked for, where the stage has them. */
  readonly clients?: ClientField;
  /** Begins the Prometheus of the PoPs when it is first asked for. */
  monitoring(): Promise<Monitoring>;
  /** What the data plane on that node answers to a GET itself; undefined when it does not, or not with 200. */
  ask(address: string, path: string): Promise<string | undefined>;
  /** The sessions of a PoP, once `holdSessions` was called for it. */
  load(pop: string): SessionLoad | undefined;
  holdSessions(pop: string, count: number, onBreak: (broken: SessionBreak) => void): void;
  /** Lets time run, where it does not by itself, until the work is done. */
  perform<T>(work: Promise<T>): Promise<T>;
  /** At 1×, until the predicate holds. Rejects with WaitedTooLong. */
  until(holds: () => boolean, options: WaitOptions): Promise<void>;
  /** The calendar goes on to the instant, or until it is over before: fast, but at 1× while any node is in hand. */
  passTo(instant: number, over?: () => boolean): Promise<void>;
  /** What the operator says, as Kubernetes events. */
  onEvent(listener: (event: ClusterEvent) => void): void;
  startOperator(): Promise<void>;
  /** Where time stands still meanwhile, and a Prometheus watches: until it has seen how everything is. */
  shown(): Promise<void>;
  close(): Promise<void>;
}
