import type { Clock } from "../../runtime/clock.ts";
import { type ContainerInstance, type ContainerRuntime, type ContainerStart, sessionPortOf } from "./container-runtime.ts";
import { DataPlaneHttp } from "./data-plane-http.ts";
import { DataPlane, type Tunnel } from "./data-plane.ts";

export interface ListeningInstance {
  readonly plane: DataPlane;
  frozen: boolean;
  /** Called when the instance is gone: whoever holds a connection to it has lost it. */
  readonly connections: Set<() => void>;
}

/** What listens on one address and port of the network in memory. */
export interface Listener {
  readonly instance: ListeningInstance;
  /** Absent on a session port. */
  readonly http?: DataPlaneHttp;
}

/** Containers without sockets: `SimulatedProber` and the load in memory reach them through `listener`. */
export class InMemoryRuntime implements ContainerRuntime {
  readonly firstOctet = 10;
  readonly #clock: Clock;
  readonly #tunnels: (pop: string, node: string) => readonly Tunnel[];
  readonly #listeners = new Map<string, Listener>();
  readonly #reserved = new Set<string>();

  constructor(clock: Clock, tunnels: (pop: string, node: string) => readonly Tunnel[] = () => []) {
    this.#clock = clock;
    this.#tunnels = tunnels;
  }

  /** What listens there, or undefined: the connection is refused. */
  listener(address: string, port: number): Listener | undefined {
    return this.#listeners.get(`${address}:${port}`);
  }

  reserve(address: string): Promise<(() => Promise<void>) | undefined> {
    if (this.#reserved.has(address)) return Promise.resolve(undefined);
    this.#reserved.add(address);
    return Promise.resolve(() => Promise.resolve(void this.#reserved.delete(address)));
  }

  start({ identity, behaviour, container, address }: ContainerStart): Promise<ContainerInstance> {
    const ports = container.ports ?? [];
    const keys = ports.map(({ containerPort }) => `${address}:${containerPort}`);
    const taken = keys.find((key) => this.#listeners.has(key));
    if (taken !== undefined) return Promise.reject(new Error(`listen EADDRINUSE: address already in use ${taken}`));
    const plane = new DataPlane({ identity, behaviour, clock: this.#clock, tunnels: this.#tunnels(identity.pop, identity.node) });
    const http = new DataPlaneHttp(plane);
    const instance: ListeningInstance = { plane, frozen: false, connections: new Set() };
    const sessions = sessionPortOf(ports);
    ports.forEach((port, index) => this.#listeners.set(keys[index]!, port === sessions ? { instance } : { instance, http }));
    return Promise.resolve({
      plane,
      terminate: async () => {
        await plane.terminate();
        this.#forget(keys, instance);
      },
      kill: () => {
        plane.kill();
        this.#forget(keys, instance);
        return Promise.resolve();
      },
      freeze: (frozen) => {
        instance.frozen = frozen;
      },
    });
  }

  #forget(keys: readonly string[], instance: ListeningInstance): void {
    for (const key of keys) if (this.#listeners.get(key)?.instance === instance) this.#listeners.delete(key);
    const lost = [...instance.connections];
    instance.connections.clear();
    for (const tell of lost) tell();
  }
}
