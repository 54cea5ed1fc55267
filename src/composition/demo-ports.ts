import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DemoControlPlane, DemoOperator, DemoPorts } from "../cli/demo/ports.ts";
import { AcceleratedClock } from "../control/clock/accelerated-clock.ts";
import { connect } from "./connect.ts";
import { openDemoExporter } from "./demo-exporter.ts";
import { startRealNodes } from "./demo-nodes.ts";
import { controlPlaneTools, forDemo, toolsOrNone } from "./demo-tools.ts";
import { endAfter, ReaderGone } from "./reader-gone.ts";

/** What an operator that is told to end may take before it is made to. */
const STOP_GRACE_MILLISECONDS = 8_000;
const LOG_KEPT = 4_000;
/** What a pipe or a terminal that does not tell its size is taken for. */
const USUAL_TERMINAL = { columns: 100, rows: 40 };

/** The demo's surroundings: this process, its command as the operator, and the checkout's tools for a control plane. */
export function demoPorts(command: readonly string[] = [process.argv[1]!]): DemoPorts {
  return {
    startControlPlane,
    startRealNodes,
    isUnavailable: (error) => error instanceof Error && UNAVAILABLE.has(error.name),
    startOperator: (options) => new OperatorProcess(command, options),
    openExporter: openDemoExporter,
    connect: (kubeconfig) => connect({ kubeconfig }),
    createClock: (file, start) => AcceleratedClock.create(file, { start, rate: 1 }),
    makeFolder: () => {
      const path = mkdtempSync(join(tmpdir(), "rollward-demo-"));
      return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
    },
    terminalSize: () => ({ columns: process.stdout.columns ?? USUAL_TERMINAL.columns, rows: process.stdout.rows ?? USUAL_TERMINAL.rows }),
    interruption: () => {
      const interruption = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
        process.once(signal, () => interruption.abort(new Error(`${signal} came`)));
      endAfter(() => interruption.abort(new ReaderGone()));
      return interruption.signal;
    },
  };
}

/** Errors of the tools, and of there being none, that say why something cannot be had here. */
const UNAVAILABLE = new Set(["ControlPlaneUnavailable", "NodesUnavailable", "ToolsMissing"]);

async function startControlPlane(
  signal: AbortSignal,
  { nodeMonitorGraceSeconds }: { readonly nodeMonitorGraceSeconds: number },
): Promise<DemoControlPlane> {
  const { ensureControlPlane, startControlPlane: start, grantOperatorRights } = await toolsOrNone(NO_TOOLS, controlPlaneTools);
  const binaries = await ensureControlPlane({ signal });
  return forDemo(await start({ binaries, nodeMonitorGraceSeconds }), grantOperatorRights);
}

const NO_TOOLS = "This copy of rollward has no tools to set up a control plane: use a checkout, or --kubeconfig.";

/** `rollward run` as a child. It ends with us: by its signal, or when the channel to us closes because we died. */
class OperatorProcess implements DemoOperator {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #log = "";
  ended: string | undefined;

  constructor(command: readonly string[], options: Parameters<DemoPorts["startOperator"]>[0]) {
    const { kubeconfig, clockFile, namespace, enter, metricsPort = 0 } = options;
    const metrics = ["--metrics-address", `127.0.0.1:${metricsPort}`];
    const flags = ["--kubeconfig", kubeconfig, "--clock-file", clockFile, "--namespace", namespace, ...metrics];
    const [program = "", ...words] = [...enter, process.execPath, ...command, "run", ...flags];
    this.#child = spawn(program, words, { stdio: ["ignore", "pipe", "pipe", "ipc"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#log = (this.#log + text).slice(-LOG_KEPT)));
    }
    this.#child.once("error", (error) => (this.ended ??= error.message));
    this.#child.once("exit", (code, signal) => (this.ended ??= signal === null ? `exit code ${code}` : signal));
    this.#exited = once(this.#child, "close").catch(() => undefined);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  log(): string {
    return this.#log;
  }

  async stop(): Promise<void> {
    if (this.ended !== undefined) return;
    this.#child.kill("SIGTERM");
    const force = setTimeout(() => this.#child.kill("SIGKILL"), STOP_GRACE_MILLISECONDS);
    await this.#exited;
    clearTimeout(force);
  }
}
