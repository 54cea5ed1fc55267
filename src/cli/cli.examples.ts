import type { Command } from "commander";
import type { Draft, Kind, KubernetesObject } from "../control/ports.ts";
import { allResources } from "../api/resources.ts";
import { VirtualClock } from "../simulation/clock.ts";
import { customKind } from "../simulation/cluster/custom-kind.ts";
import { InMemoryCluster, type InMemoryClusterOptions } from "../simulation/cluster/in-memory-cluster.ts";
import { Store } from "../simulation/cluster/store.ts";
import { CommandLine } from "./command-line.ts";
import { registerExplain as registerExplainWith } from "./explain.ts";
import type { CliIo } from "./io.ts";
import { utf8Text } from "./utf8.ts";

export interface TerminalOptions {
  /** Calendar milliseconds, for the command and the API server. */
  readonly now: number;
  /** The commands that there are. */
  readonly commands: (program: Command, io: CliIo) => void;
}

/** One person at a terminal, with files and an API server that knows every kind of ours: what was printed, and how it ended. */
export class Terminal {
  printed = "";
  complaint = "";
  code: number | undefined;
  /** By path; bytes where it is about how they are read. */
  files: Record<string, string | Uint8Array> = {};
  /** What goes wrong with calls of commands; `cluster` below is never disturbed. */
  fault: InMemoryClusterOptions["fault"];
  readonly clock: VirtualClock;
  /** The same API server, for whoever prepares and checks. */
  readonly cluster: InMemoryCluster;
  readonly #store: Store;
  readonly #options: TerminalOptions;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.clock = new VirtualClock(options.now);
    this.#store = new Store({ clock: this.clock, kinds: allResources.map((resource) => customKind(resource as never)) });
    this.cluster = new InMemoryCluster(this.#store, { clock: this.clock });
  }

  /** The command line as it is typed, or its words where one of them holds a space. */
  async run(line: string | readonly string[], more: Partial<CliIo> = {}): Promise<void> {
    [this.printed, this.complaint, this.code] = ["", "", undefined];
    const io: CliIo = {
      out: (text) => void (this.printed += text),
      error: (text) => void (this.complaint += text),
      isTerminal: false,
      // A new connection to the same server: a command closes its own.
      connect: async ({ kubeconfig }) => {
        if (kubeconfig === "broken") throw new Error("broken is no kubeconfig");
        return new InMemoryCluster(this.#store, { clock: this.clock, fault: (operation) => this.fault?.(operation) });
      },
      now: () => this.#options.now,
      readFile: async (path) => {
        const file = this.files[path];
        if (file === undefined) throw new Error("no such file");
        return typeof file === "string" ? file : utf8Text(file);
      },
      exit: (given) => void (this.code = given),
      ...more,
    };
    const program = new CommandLine("rollward").version("0.0.0").enablePositionalOptions().exitOverride();
    this.#options.commands(program, io);
    const words = typeof line === "string" ? line.split(" ").filter((word) => word !== "") : [...line];
    await program.parseAsync(words, { from: "user" });
  }

  /** An object as its controller left it. */
  async given<T extends KubernetesObject>(kind: Kind<T>, draft: Draft<T>, status?: unknown): Promise<T> {
    const created = await this.cluster.create(kind, draft);
    return status === undefined ? created : this.cluster.updateStatus(kind, { ...created, status });
  }
}

/** `explain` where nobody has an inventory. */
export const registerExplain = (program: Command, io: CliIo): void =>
  registerExplainWith(program, io, () => Promise.reject(new Error("there is no inventory here")));
