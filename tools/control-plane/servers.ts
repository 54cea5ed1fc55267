// A group of servers in one temporary folder that end with this process, however it ends.
import { fork, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeCgroupTrees } from "../cgroup-tree.ts";
import type { FromGuard, ToGuard } from "./guard-messages.ts";
import { createFolder, sweepLeftovers } from "./leftovers.ts";

const GRACE_MS = 5_000;

interface Server {
  pid: number;
  readonly command: string;
  readonly args: readonly string[];
  /** Set once it has ended: an exit code, a signal, or why it did not start. */
  ended?: string;
}

/** Servers, their logs (`folder/NAME.log`) and their folder. */
export class Servers {
  readonly folder: string;
  readonly #guard: ChildProcess;
  readonly #servers = new Map<string, Server>();
  readonly #waiting = new Set<() => void>();
  readonly #cgroups: string[] = [];
  #guardEnded = false;

  /** Opens a group; first removes what dead owners left. */
  static async open(): Promise<Servers> {
    sweepLeftovers();
    const folder = createFolder();
    const servers = new Servers(folder);
    await servers.#until(() => servers.#ready);
    return servers;
  }

  #ready = false;

  private constructor(folder: string) {
    this.folder = folder;
    // Not our stderr: whoever reads it to its end (a pipe of a test run) would wait for the guard too.
    const log = openSync(join(folder, "guard.log"), "a");
    const stdio: StdioOptions = ["ignore", "ignore", log, "ipc"];
    this.#guard = fork(join(import.meta.dirname, "guard.ts"), [folder], { detached: true, execArgv: [], stdio });
    closeSync(log);
    this.#guard.on("message", (message) => this.#hear(message as FromGuard));
    this.#guard.on("exit", () => this.#guardIsGone());
    // A caller that simply ends is not held back; the guard notices and cleans up.
    this.#guard.unref();
    this.#guard.channel?.unref();
  }

  /** Starts a program; `name` names it and its log. Rejects if it cannot be started. */
  async start(name: string, command: string, args: readonly string[]): Promise<void> {
    const server: Server = { pid: 0, command, args };
    this.#servers.set(name, server);
    this.#send({ type: "start", name, command, args });
    await this.#until(() => server.pid > 0 || server.ended !== undefined);
    if (server.pid === 0) throw new Error(`${name} (${command}) could not be started: ${server.ended ?? "unknown"}.`);
  }

  /** Cgroups made for servers of this group; they are removed, with whatever still runs in them, when the group ends. */
  own(cgroups: readonly string[]): void {
    this.#cgroups.push(...cgroups);
    this.#send({ type: "own", cgroups });
  }

  /** Sends a signal; SIGSTOP and SIGCONT too. */
  signal(name: string, signal: NodeJS.Signals): void {
    this.#send({ type: "signal", name, signal });
  }

  /** Ends a server with the signal and waits until it is gone; after five seconds it is killed, as a kubelet would after its grace. */
  async end(name: string, signal: NodeJS.Signals): Promise<void> {
    const server = this.#get(name);
    this.signal(name, signal);
    const kill = setTimeout(() => this.signal(name, "SIGKILL"), GRACE_MS);
    try {
      await this.#until(() => server.ended !== undefined);
    } finally {
      clearTimeout(kill);
    }
  }

  /** Ends a server and starts it again with the same arguments. */
  async restart(name: string, signal: NodeJS.Signals): Promise<void> {
    await this.end(name, signal);
    await this.startAgain(name);
  }

  /** Starts a server that has ended, with the arguments that it had. */
  async startAgain(name: string): Promise<void> {
    const { command, args, ended } = this.#get(name);
    if (ended === undefined) throw new Error(`${name} still runs; end it before it is started again.`);
    await this.start(name, command, args);
  }

  has(name: string): boolean {
    return this.#servers.has(name);
  }

  pid(name: string): number {
    return this.#get(name).pid;
  }

  /** How a server ended, or undefined while it runs. */
  ended(name: string): string | undefined {
    return this.#get(name).ended;
  }

  /** What a server wrote, or nothing. */
  log(name: string): string {
    try {
      return readFileSync(join(this.folder, `${name}.log`), "utf8");
    } catch {
      return "";
    }
  }

  /** Ends everything and removes the folder; may be called twice. */
  async stop(): Promise<void> {
    if (!this.#guardEnded) {
      this.#guard.ref();
      const gone = once(this.#guard, "exit");
      this.#send({ type: "stop" });
      await gone;
    }
    // The guard removes both; if it was killed, nobody did.
    removeCgroupTrees(this.#cgroups);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #get(name: string): Server {
    const server = this.#servers.get(name);
    if (server === undefined) throw new Error(`No server named ${name} was started here.`);
    return server;
  }

  #send(message: ToGuard): void {
    if (this.#guardEnded) throw new Error("The guard of these servers is gone, and the servers with it.");
    this.#guard.send(message, () => {});
  }

  #hear(message: FromGuard): void {
    if (message.type === "ready") this.#ready = true;
    else {
      const server = this.#get(message.name);
      if (message.type === "started") server.pid = message.pid;
      else server.ended = message.how;
    }
    this.#wake();
  }

  #guardIsGone(): void {
    this.#guardEnded = true;
    for (const server of this.#servers.values()) server.ended ??= "its guard ended";
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Waits for something that only a message of the guard can bring about; keeps the process alive meanwhile. */
  async #until(condition: () => boolean): Promise<void> {
    this.#guard.channel?.ref();
    try {
      while (!condition()) {
        if (this.#guardEnded) throw new Error(`The guard of the servers ended before it had done what it was asked. ${this.log("guard")}`);
        await new Promise<void>((done) => {
          const wake = (): void => {
            this.#waiting.delete(wake);
            done();
          };
          this.#waiting.add(wake);
        });
      }
    } finally {
      this.#guard.channel?.unref();
    }
  }
}
