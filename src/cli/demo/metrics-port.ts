import { EXIT } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";
import { Refusal } from "../refusal.ts";
import type { DemoPorts } from "./ports.ts";

const HIGHEST_PORT = 65_535;

/** The port that `--metrics` names. Throws a Refusal that says what to write instead. */
export function metricsPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= HIGHEST_PORT) return port;
  throw new Refusal(EXIT.badInput, `--metrics ${text} is no port: write a number from 1 to ${HIGHEST_PORT}, for example 9464`);
}

/** Says where the metrics will be, and refuses before anything is played when they cannot be there. */
export async function offerMetrics(io: Pick<CliIo, "out">, ports: DemoPorts, port: number): Promise<void> {
  const tried = await ports
    .openExporter(port, () => 0)
    .catch((error: NodeJS.ErrnoException) => {
      const found = error.code === "EADDRINUSE" ? "something else listens there" : (error.code ?? error.message);
      throw new Refusal(EXIT.badInput, `--metrics ${port}: 127.0.0.1:${port} cannot be served (${found}); write another port`);
    });
  await tried.close();
  io.out(`\nFor a Prometheus: http://127.0.0.1:${port}/metrics, served anew by each act; times in it are those of the play's calendar.\n`);
}
