import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");

/** The demo as a person starts it, with a KUBECONFIG in the environment that leads nowhere: it must not be looked at. */
export class DemoProcess {
  text = "";
  readonly child: ChildProcess;

  constructor(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
    const env = { ...process.env, KUBECONFIG: "/nowhere/kubeconfig", ...more };
    this.child = spawn(process.execPath, ["src/main.ts", "demo", ...args], { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (heard: string) => (this.text += heard));
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, "close");
    return this.child.exitCode;
  }
}
