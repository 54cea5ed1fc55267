import type { Cluster } from "../control/ports.ts";

/** Which cluster a command means. */
export interface ConnectOptions {
  readonly kubeconfig?: string;
}

/** Everything a command takes from its surroundings; a test gives it all of it. */
export interface CliIo {
  /** Results: what a pipe should get. */
  readonly out: (text: string) => void;
  /** Sentences to the person: problems, and what was not asked for. */
  readonly error: (text: string) => void;
  /** Is `out` a terminal? Colours are written to nothing else. */
  readonly isTerminal: boolean;
  /** Shows a line in place of the last one, "" takes it away; absent where nobody watches, for `error` is no terminal. */
  readonly progress?: (line: string) => void;
  /** Opens the API server; the command closes it. Rejects with a sentence when the kubeconfig cannot be used. */
  readonly connect: (options: ConnectOptions) => Promise<Cluster>;
  /** Calendar milliseconds. */
  readonly now: () => number;
  /** The text of a file; rejects when it cannot be read, or is not UTF-8. */
  readonly readFile: (path: string) => Promise<string>;
  /** Told the exit code when the command has ended (see exit-codes.ts). */
  readonly exit: (code: number) => void;
}
