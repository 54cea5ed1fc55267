import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { DoorOf } from "../../simulation/load/door.ts";
import type { OperatorWatch } from "../../simulation/operator-watch.ts";
import type { NodeAddress } from "../../simulation/nodes/node-fleet.ts";

/** A calendar of its own pace, shared with other processes through a file. */
export interface DemoClock extends Clock {
  setRate(rate: number): Promise<void>;
  jumpTo(calendar: number): Promise<void>;
  readonly rate: number;
  close(): void;
}

/** A control plane that runs for the demo alone. */
export interface DemoControlPlane {
  /** Its own folder, removed with it. */
  readonly folder: string;
  readonly kubectl: string;
  kubeconfig(user: "admin" | "operator" | "virtual-nodes"): string;
  /** Gives the operator's user the shipped RBAC and nothing else; the namespaces have to be there. */
  grantOperatorRights(): Promise<void>;
  stop(): Promise<void>;
}

/** A call that the API server answered, as its own audit log has it. */
export interface AuditedCall {
  readonly verb: string;
  readonly requestURI: string;
  readonly userAgent: string;
  readonly user: { readonly username: string };
  readonly objectRef?: { readonly resource: string; readonly subresource?: string; readonly name?: string };
  readonly responseStatus?: { readonly code: number };
  /** What was sent; of patches of nodes. */
  readonly requestObject?: unknown;
}

/** Real nodes of a control plane, each a kubelet and a containerd, in a network that only they are in. */
export interface DemoNodes {
  readonly directory: readonly NodeAddress[];
  /** Ways to their ports from outside of that network. */
  readonly doorOf: DoorOf;
  /** Put before a command, they run it in that network. */
  readonly enter: readonly string[];
  powerOff(name: string): Promise<void>;
  /** Resolves when the node says of this boot that it is Ready. */
  powerOn(name: string): Promise<void>;
  /** What the registry serves under a tag of the data plane's image: `sha256:…`; undefined where it has none. */
  digest(version: string): string | undefined;
  /** What a node's kubelet answers to a GET of its own API; rejects when it does not. */
  askKubelet(name: string, path: string): Promise<string>;
  /** All that a node's containerd wrote. */
  runtimeLog(name: string): string;
  /** The API server's audit log so far, oldest first. */
  audit(): readonly AuditedCall[];
  /** Ends the nodes and removes what was theirs; may be called twice. */
  stop(): Promise<void>;
}

/** The operator as a process of its own. */
export interface DemoOperator {
  readonly pid: number | undefined;
  /** Set when it has ended: how, as a phrase. */
  readonly ended: string | undefined;
  /** The last lines that it wrote. */
  log(): string;
  /** Ends it gracefully, and otherwise after a grace; resolves when it is gone. */
  stop(): Promise<void>;
}

/** What a Prometheus may ask while an act is played in memory. */
export interface DemoExporter extends OperatorWatch {
  /** Until it has been asked once more; a second at most, and not at all where nobody asks. */
  scraped(): Promise<void>;
  close(): Promise<void>;
}

/** What the demo needs of the machine; handed in by main, because the command line knows no adapter. */
export interface DemoPorts {
  /** Rejects with an error for which `isUnavailable` is true when no control plane is to be had here. */
  startControlPlane(signal: AbortSignal, options: { readonly nodeMonitorGraceSeconds: number }): Promise<DemoControlPlane>;
  /** The same with real nodes, which `say` is told of as they come up. */
  startRealNodes(
    signal: AbortSignal,
    options: {
      /** PoPs, and the names of their nodes. */
      readonly nodes: readonly Omit<NodeAddress, "address">[];
      readonly nodeMonitorGraceSeconds: number;
      readonly say: (sentence: string) => void;
    },
  ): Promise<{ readonly controlPlane: DemoControlPlane; readonly nodes: DemoNodes }>;
  isUnavailable(error: unknown): boolean;
  startOperator(options: {
    readonly kubeconfig: string;
    readonly clockFile: string;
    readonly namespace: string;
    /** Put before the command, they run it where the nodes' addresses are known. */
    readonly enter: readonly string[];
    /** Where it serves its metrics on 127.0.0.1; absent: on a free port. */
    readonly metricsPort?: number | undefined;
  }): DemoOperator;
  /** Serves metrics on 127.0.0.1; `now` is the calendar of the play. Rejects with the system's code when the port cannot be had. */
  openExporter(port: number, now: () => number): Promise<DemoExporter>;
  connect(kubeconfig: string): Promise<Cluster>;
  /** `start` in calendar milliseconds; the clock is written to `file` for other processes. */
  createClock(file: string, start: number): DemoClock;
  /** A new temporary folder, and its removal. */
  makeFolder(): { readonly path: string; readonly remove: () => void };
  /** Characters and lines that fit on the terminal now. */
  terminalSize(): { readonly columns: number; readonly rows: number };
  /** Aborts when a person wants the demo to end (Ctrl-C). */
  interruption(): AbortSignal;
}
