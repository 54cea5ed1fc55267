import type { Cluster } from "../../control/ports.ts";
import type { Clock } from "../../runtime/clock.ts";

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

/** What the demo needs of the machine; handed in by main, because the command line knows no adapter. */
export interface DemoPorts {
  /** Rejects with an error for which `isUnavailable` is true when no control plane is to be had here. */
  startControlPlane(signal: AbortSignal, options: { readonly nodeMonitorGraceSeconds: number }): Promise<DemoControlPlane>;
  isUnavailable(error: unknown): boolean;
  startOperator(options: { readonly kubeconfig: string; readonly clockFile: string; readonly namespace: string }): DemoOperator;
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
