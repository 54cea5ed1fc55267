import { type Command, Option } from "commander";
import type { PopRollout } from "../api/pop-rollout.ts";
import { APPROVAL, FLEET, POP_CLUSTER } from "../api/resources.ts";
import type { Cluster } from "../control/ports.ts";
import { reportHtml } from "../core/explain/report/html.ts";
import { reportMarkdown } from "../core/explain/report/markdown.ts";
import { type Report, reportOf } from "../core/explain/report/report.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";
import { dataText } from "./formats.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

const REPORT_FORMATS = ["markdown", "html", "json"] as const;

interface ReportOptions extends ClusterOptions {
  readonly output: (typeof REPORT_FORMATS)[number];
  readonly file?: string;
}

/** Writes a whole file; rejects when that cannot be done. */
type WriteFile = (path: string, text: string) => Promise<void>;

/** `rollward report popro/NAME`: how a rollout went, also of one that is in progress. */
export function registerReport(program: Command, io: CliIo, writeFile: WriteFile): void {
  withClusterOptions(
    program
      .command("report")
      .description("how a rollout went: time line, what the time was spent on, who failed or was skipped, evidence")
      .argument("<rollout>", "for example popro/r-2026-11-2"),
  )
    .addOption(new Option("-o, --output <format>", "how to write it").choices(REPORT_FORMATS).default("markdown"))
    .option("--file <path>", "write it there instead of printing it")
    .action((text: string, options: ReportOptions) => withCluster(io, options, (cluster) => report(io, cluster, text, options, writeFile)));
}

async function report(io: CliIo, cluster: Cluster, text: string, options: ReportOptions, writeFile: WriteFile): Promise<ExitCode> {
  const { namespace, output, file } = options;
  // Here a name alone can only be that of a rollout.
  const { object } = await findTarget(cluster, text.includes("/") ? text : `popro/${text}`, namespace, ["PoPRollout"]);
  const found = reportOf(await subjectOf(cluster, object, namespace), io.now());
  const rendered = RENDER[output](found);
  if (file === undefined) io.out(rendered);
  else await writeTo(writeFile, file, rendered);
  if (found.inProgress) io.error(`PoPRollout ${object.metadata.name} is in progress: the report says how it stands at ${found.asOf}\n`);
  return EXIT.ok;
}

async function subjectOf(cluster: Cluster, rollout: PopRollout, namespace: string) {
  const [pops, approvals, fleet] = await Promise.all([
    cluster.list(POP_CLUSTER, { namespace }),
    cluster.list(APPROVAL, { namespace }),
    cluster.get(FLEET, "fleet", namespace),
  ]);
  return { rollout, pops, approvals, ...(fleet === undefined ? {} : { fleet }) };
}

const RENDER: Readonly<Record<ReportOptions["output"], (report: Report) => string>> = {
  markdown: reportMarkdown,
  html: reportHtml,
  json: (report) => dataText(report, "json"),
};

async function writeTo(writeFile: WriteFile, path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw new Refusal(
      EXIT.badInput,
      `--file ${path} cannot be written (${error instanceof Error ? error.message : String(error)}); name a file in a folder that exists, or leave --file out to print the report`,
    );
  }
}
