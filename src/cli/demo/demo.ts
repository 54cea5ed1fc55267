import { type Command, Option } from "commander";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";
import { ACT_NUMBERS, type DemoOptions } from "./options.ts";
import type { DemoPorts } from "./ports.ts";

/**
 * `rollward demo`: two PoPs, then forty, then Sockets, then Clients, watched live; ends with 0 only when all that it said is true of the cluster. The
 * play and its surroundings are loaded only when it is played: the operator is the same program.
 */
export function registerDemo(program: Command, io: CliIo, openPorts: () => Promise<DemoPorts>): void {
  program
    .command("demo")
    .description(
      "watch PoPs roll, first two, then forty, the Sockets of 200 sites and 20,000 Clients, on a real control plane or in memory",
    )
    .addOption(
      new Option(
        "--act <number...>",
        "of the acts these alone: two PoPs node by node, forty PoPs and a release, the Sockets of 200 sites, or 20,000 Clients (default: all)",
      ).choices(ACT_NUMBERS),
    )
    .option("--embedded", "play in memory, within seconds")
    .option("--real", "play acts 1 and 2 on a real control plane or not at all (acts 3 and 4 are in memory in any case)")
    .option("--real-nodes", "play act 1 on four real nodes (kubelet, containerd) or not at all; needs Linux and root")
    .option("--fast", "the shortest soak and bake, the highest pace of the calendar")
    .option("--keep", "stay at the end, to look around, until Ctrl-C (real only, so without acts 3 and 4)")
    .option("--kubeconfig <path>", "play on that cluster; one that KUBECONFIG names is never used")
    .option("--metrics <port>", "serve the operator's metrics at http://127.0.0.1:<port>/metrics, for a Prometheus and the dashboards")
    .action(async (options: DemoOptions) => {
      const [ports, { demo }, { explainError }] = await Promise.all([openPorts(), import("./performance.ts"), import("../refusal.ts")]);
      const interrupted = ports.interruption();
      try {
        const code = await demo(io, ports, options, interrupted);
        // The last of it may have been written to nobody, or nobody have seen that --keep stays.
        return io.exit(code !== EXIT.failed && isReaderGone(interrupted) ? sayWhyItEnds(io, interrupted) : code);
      } catch (error) {
        if (interrupted.aborted) return io.exit(sayWhyItEnds(io, interrupted));
        const { sentence, code } = explainError(error);
        io.error(`${sentence}\n`);
        io.exit(code);
      }
    });
}

const isReaderGone = ({ aborted, reason }: AbortSignal): boolean => aborted && reason instanceof Error && reason.name === "ReaderGone";

function sayWhyItEnds(io: CliIo, interrupted: AbortSignal): ExitCode {
  const gone = isReaderGone(interrupted);
  const why = gone ? "Nobody reads the demo any more, so it has not shown everything that it promised" : "The demo was interrupted";
  io.error(`\n${why}; everything that it started is gone.\n`);
  return gone ? EXIT.readerGone : EXIT.interrupted;
}
