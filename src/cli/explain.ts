import type { Command } from "commander";
import pico from "picocolors";
import type { Explanation } from "../core/explain/explanation.ts";
import { explainFleet, explainWindow } from "../core/explain/others.ts";
import { explainPop } from "../core/explain/pop.ts";
import { EXIT } from "./exit-codes.ts";
import { dataText, outputOption, type Format } from "./formats.ts";
import type { CliIo } from "./io.ts";
import { findTarget, type Target } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

/** `rollward explain KIND/NAME`: why not yet, and when; the ordered holds, each with its own earliest time. */
export function registerExplain(program: Command, io: CliIo): void {
  withClusterOptions(
    program.command("explain").description("why not yet, and when").argument("<kind/name>", "for example pop/fra1, fleet or mw/sunday"),
  )
    .addOption(outputOption())
    .action((text: string, options: ClusterOptions & { readonly output: Format }) =>
      withCluster(io, options, async (cluster) => {
        const found = explainTarget(await findTarget(cluster, text, options.namespace, ["PoPCluster", "Fleet", "MaintenanceWindow"]));
        io.out(
          options.output === "json" || options.output === "yaml" ? dataText(found, options.output) : explanationText(found, io.isTerminal),
        );
        return EXIT.ok;
      }),
    );
}

function explainTarget(target: Target): Explanation {
  switch (target.kind) {
    case "PoPCluster":
      return explainPop(target.object);
    case "Fleet":
      return explainFleet(target.object);
    case "MaintenanceWindow":
      return explainWindow(target.object);
  }
}

/** An explanation as text: the summary, then each section with its lines indented. */
export function explanationText({ summary, sections }: Explanation, coloured: boolean): string {
  const colours = pico.createColors(coloured);
  const parts = sections.map(({ title, lines }) => [colours.bold(title), ...lines.map((line) => `  ${line}`)].join("\n"));
  return `${[summary, ...parts].join("\n\n")}\n`;
}
