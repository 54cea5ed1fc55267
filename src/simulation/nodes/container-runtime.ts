import type { Container, ContainerPort } from "../../control/kinds.ts";
import type { Behaviour } from "./behaviour.ts";
import type { DataPlane, DataPlaneIdentity } from "./data-plane.ts";

export interface ContainerStart {
  readonly identity: DataPlaneIdentity;
  readonly behaviour: Behaviour;
  readonly container: Container;
  /** The node's address: pods are hostNetwork-like, so two pods of a node cannot have the same port. */
  readonly address: string;
}

/** A container that runs. */
export interface ContainerInstance {
  readonly plane: DataPlane;
  /** SIGTERM: hands its sessions back, closes its ports, resolves when nothing of it is left. */
  terminate(): Promise<void>;
  /** SIGKILL, or the power is gone: ports and connections close at once, without a goodbye. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT: connections stay, nothing is answered. */
  freeze(frozen: boolean): void;
}

/** Where containers of virtual nodes run: in memory (in-memory-runtime.ts) or on loopback sockets (http-runtime.ts). */
export interface ContainerRuntime {
  /** Rejects with a sentence when a port is taken: the container then exits, as a real one would. */
  start(request: ContainerStart): Promise<ContainerInstance>;
  /** Makes an address ours alone until it is released; undefined when somebody has it. */
  reserve(address: string): Promise<(() => Promise<void>) | undefined>;
  /** First octet of the addresses that it can bind. */
  readonly firstOctet: number;
}

const USUAL_SESSION_PORT = 7000;

/** Sessions come on the port named `session`; where none has that name, on 7000, whatever it is called. Each other port speaks HTTP. */
export const sessionPortOf = (ports: readonly ContainerPort[]): ContainerPort | undefined =>
  ports.find(({ name }) => name === "session") ?? ports.find(({ containerPort }) => containerPort === USUAL_SESSION_PORT);
