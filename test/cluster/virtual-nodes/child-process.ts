import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { vi } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");

export interface Line {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** One of the processes of `src/simulation/` that print JSON lines and end when their standard input closes. */
export class LineProcess {
  readonly lines: Line[] = [];
  readonly #child: ChildProcessWithoutNullStreams;
  #errors = "";

  /** `entry` is relative to the repository's root; `enter` is put before the command, and runs it in another network. */
  constructor(entry: string, args: readonly string[], enter: readonly string[] = []) {
    const [command = "", ...rest] = [...enter, process.execPath, join(ROOT, entry), ...args];
    this.#child = spawn(command, rest, { stdio: "pipe" });
    createInterface(this.#child.stdout).on("line", (line) => this.lines.push(JSON.parse(line) as Line));
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
  }

  /** The first line of this type from `from` on; waits for it. */
  async line(type: string, from = 0): Promise<Line> {
    return vi.waitFor(
      () => {
        const found = this.lines.slice(from).find((line) => line.type === type);
        if (!found)
          throw new Error(
            `No line of type ${type} yet; it printed ${JSON.stringify(this.lines.slice(-3))} and said ${this.#errors.slice(-2_000)}`,
          );
        return found;
      },
      { timeout: 30_000, interval: 50 },
    );
  }

  /** Sends a command and waits until it is done. */
  async tell(command: string): Promise<Line> {
    const from = this.lines.length;
    this.#child.stdin.write(`${command}\n`);
    const answered = await vi.waitFor(
      () => {
        const found = this.lines.slice(from).find((line) => line["command"] === command);
        if (!found) throw new Error(`${command} was not answered yet; it said ${this.#errors.slice(-2_000)}`);
        return found;
      },
      { timeout: 30_000, interval: 20 },
    );
    if (answered.type !== "done") throw new Error(`${command}: ${String(answered["message"])}`);
    return answered;
  }

  /** Closes its standard input and waits for its end; answers the exit code. */
  async end(): Promise<number | null> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "close");
    return this.#child.exitCode;
  }
}
