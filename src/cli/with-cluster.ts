import type { Command } from "commander";
import type { Cluster } from "../control/ports.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { CliIo } from "./io.ts";
import { explainError, Refusal } from "./refusal.ts";

/** The options of every command that asks an API server. */
export interface ClusterOptions {
  readonly kubeconfig?: string;
  readonly namespace: string;
}

export const withClusterOptions = (command: Command): Command =>
  command
    .option("--kubeconfig <path>", "the kubeconfig to use (default: KUBECONFIG, then ~/.kube/config)")
    .option("-n, --namespace <name>", "the fleet namespace", "fleet");

/** Runs a command against its cluster, closes it, and turns whatever ends the command into a sentence and an exit code. */
export async function withCluster(io: CliIo, options: ClusterOptions, work: (cluster: Cluster) => Promise<ExitCode>): Promise<void> {
  await reporting(io, async () => {
    const cluster = await connecting(io, options);
    try {
      return await work(cluster);
    } finally {
      await cluster.close();
    }
  });
}

/** The same for a command that asks nobody. */
export async function reporting(io: CliIo, work: () => Promise<ExitCode>): Promise<void> {
  try {
    io.exit(await work());
  } catch (error) {
    const { sentence, code } = explainError(error);
    io.error(`${sentence}\n`);
    io.exit(code);
  }
}

/** The API server that the options mean; whoever asked for it closes it. */
export async function connecting(io: CliIo, { kubeconfig }: ClusterOptions): Promise<Cluster> {
  try {
    return await io.connect(kubeconfig === undefined ? {} : { kubeconfig });
  } catch (error) {
    throw new Refusal(EXIT.badInput, error instanceof Error ? error.message : String(error));
  }
}
