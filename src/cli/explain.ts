import type { Command } from "commander";
import pico from "picocolors";
import { FLEET, POP_CLUSTER } from "../api/resources.ts";
import type { Cluster } from "../control/ports.ts";
import { closest } from "../core/closest.ts";
import type { Explanation } from "../core/explain/explanation.ts";
import { explainAccountPolicy } from "../core/explain/account-policy.ts";
import { explainClientRollout } from "../core/explain/client-rollout.ts";
import { explainNode } from "../core/explain/node.ts";
import { explainFleet, explainWindow } from "../core/explain/others.ts";
import { explainPop } from "../core/explain/pop.ts";
import { explainApproval, explainRollout } from "../core/explain/rollout.ts";
import { explainTunnelSite } from "../core/explain/tunnel-site.ts";
import { explainWave, waveNames } from "../core/explain/wave.ts";
import { clientExplained, clientNamed } from "./explain-client.ts";
import { type OpenSites, siteExplained, type SiteSources, socketRolloutExplained } from "./explain-site.ts";
import { EXIT } from "./exit-codes.ts";
import { dataText, outputOption, type Format } from "./formats.ts";
import { inventoryOption, type OpenClients } from "./inventory-option.ts";
import type { CliIo } from "./io.ts";
import { Refusal } from "./refusal.ts";
import { findTarget, splitPart, type Target } from "./target.ts";
import { withCluster, withClusterOptions, type ClusterOptions } from "./with-cluster.ts";

/** `rollward explain KIND/NAME`: why not yet, and when; the ordered holds, each with its own earliest time. */
export function registerExplain(program: Command, io: CliIo, open: OpenClients, openSites?: OpenSites): void {
  withClusterOptions(
    program
      .command("explain")
      .description("why not yet, and when")
      .argument(
        "<kind/name>",
        "for example pop/fra1, its node pop/fra1/NODE, popro/r-2026-11-2, its wave popro/r-2026-11-2/WAVE, fleet, mw/sunday, tun/acme/plant-1, site/acme/berlin, sockro/s-18-3-3, cliro/windows-5-12-3, policy/acme, or client and then ACCOUNT/DEVICE",
      )
      .argument("[device]", "after client: ACCOUNT/DEVICE"),
  )
    .addOption(inventoryOption())
    .option("--zone <zone>", "the zone of a Client's instants", "UTC")
    .addOption(outputOption())
    .action((text: string, second: string | undefined, options: ExplainOptions) =>
      withCluster(io, options, async (cluster) => {
        const { output } = options;
        const client = clientNamed(text, second);
        if (client === undefined && second !== undefined)
          throw new Refusal(
            EXIT.badInput,
            `${JSON.stringify(second)} after ${text} names nothing; write one KIND/NAME, or client ACCOUNT/DEVICE`,
          );
        const found =
          client === undefined
            ? await explain(cluster, text, { ...options, open: openSites })
            : await clientExplained(io, cluster, open, client, options);
        io.out(output === "json" || output === "yaml" ? dataText(found, output) : explanationText(found, io.isTerminal));
        return EXIT.ok;
      }),
    );
}

interface ExplainOptions extends ClusterOptions {
  readonly output: Format;
  readonly inventory?: string;
  readonly zone: string;
}

const EXPLAINED = [
  "PoPCluster",
  "PoPRollout",
  "Fleet",
  "MaintenanceWindow",
  "Approval",
  "TunnelSite",
  "SocketSite",
  "SocketRollout",
  "ClientRollout",
  "AccountPolicy",
] as const;

async function explain(cluster: Cluster, text: string, sources: SiteSources): Promise<Explanation> {
  const { whole, part } = splitPart(text);
  const { namespace } = sources;
  if (part === undefined) {
    const found = await findTarget(cluster, whole, namespace, EXPLAINED);
    if (found.kind === "SocketSite") return siteExplained(cluster, found.object, sources);
    if (found.kind === "SocketRollout") return socketRolloutExplained(cluster, found.object);
    return found.kind === "PoPCluster"
      ? explainPop(found.object, await cluster.get(FLEET, "fleet", found.object.metadata.namespace))
      : explainTarget(found);
  }
  const target = await findTarget(cluster, whole, namespace, ["PoPCluster", "PoPRollout"]);
  if (target.kind === "PoPCluster") {
    const nodes = (target.object.status?.nodes ?? []).map(({ name }) => name);
    return explainNode(target.object, part) ?? noPart(`PoPCluster ${target.object.metadata.name}`, "node", part, nodes);
  }
  const pops = await cluster.list(POP_CLUSTER, { namespace });
  return (
    explainWave(target.object, part, pops) ?? noPart(`PoPRollout ${target.object.metadata.name}`, "wave", part, waveNames(target.object))
  );
}

function noPart(whole: string, sort: "node" | "wave", part: string, known: readonly string[]): never {
  const meant = closest(part, known);
  const instead =
    known.length === 0
      ? `it has no ${sort} yet`
      : meant === undefined
        ? `it has ${known.slice(0, 10).join(", ")}`
        : `did you mean ${meant}?`;
  throw new Refusal(EXIT.nothingToActOn, `${whole} has no ${sort} ${part}; ${instead}`);
}

function explainTarget(target: Exclude<Target, { readonly kind: "PoPCluster" | "SocketSite" | "SocketRollout" }>): Explanation {
  switch (target.kind) {
    case "PoPRollout":
      return explainRollout(target.object);
    case "Approval":
      return explainApproval(target.object);
    case "Fleet":
      return explainFleet(target.object);
    case "TunnelSite":
      return explainTunnelSite(target.object);
    case "ClientRollout":
      return explainClientRollout(target.object);
    case "AccountPolicy":
      return explainAccountPolicy(target.object);
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
